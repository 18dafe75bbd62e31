"""What `refine` will make of a photo, at the size of a screen: quick enough to follow a slider."""

from dataclasses import replace

import numpy as np

from pyside_logic.cutout import Cutout
from pyside_logic.refine import refine
from pyside_logic.refine_options import RefineOptions
from pyside_logic.shrink import shrink_photo

__all__ = ["Preview"]


class Preview:
    """A small copy of an open photo, made once for each size that is asked for."""

    def __init__(self, cutout: Cutout) -> None:
        self._cutout = cutout
        self._small: Cutout | None = None
        self._longest_px = 0

    def refined(self, options: RefineOptions, longest_px: int) -> Cutout:
        """The photo with its longer side at most `longest_px`, refined as `options` say in pixels
        of the whole photo. The photo itself is not touched. Raises as `refine` does."""
        if self._small is None or longest_px != self._longest_px:
            shrunk = shrink_photo(self._cutout.original_rgba(), longest_px)
            pixels = (shrunk * np.float32(255) + np.float32(0.5)).astype(np.uint8)
            self._small = Cutout(pixels, self._cutout.matte_hw)
            self._longest_px = longest_px
        small = self._small
        small.touch_hw = self._cutout.touch_hw
        scale = small.rgba_hwc.shape[1] / self._cutout.rgba_hwc.shape[1]
        refine(small, _scaled(options, scale), lambda _done, _total: None)
        return small


def _scaled(options: RefineOptions, scale: float) -> RefineOptions:
    return replace(
        options,
        min_region_px=options.min_region_px * scale * scale,
        contract_px=round(options.contract_px * scale),
        feather_px=options.feather_px * scale,
    )
