"""What `refine` will make of a photo, at the size of a screen: quick enough to follow a slider.

Two things make it quick: fewer pixels, and that what a slider does not change is kept. Alpha before
its edges are moved depends on neither `contract_px` nor `feather_px`, nor do the two layers of
colour that the photo was mixed of.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.compose import keep_transparency, write_alpha
from pyside_logic.cutout import Cutout
from pyside_logic.encode import Picture, render
from pyside_logic.foreground import estimate_layers, foreground_strips, spread_foreground
from pyside_logic.output_options import OutputOptions
from pyside_logic.refine import edged_strips, found_strips
from pyside_logic.refine_options import RefineOptions
from pyside_logic.resample import strips_of
from pyside_logic.shrink import shrink_photo
from pyside_logic.source import Source
from pyside_logic.strips import Strip

__all__ = ["FilePreview", "Preview"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

#: Copies that are kept; who changes the size of a window needs new ones.
_MAX_SIZES = 4


class FilePreview(NamedTuple):
    """`height` and `width` are the file's, in px; those of a crop are so but for a few."""

    picture: Picture
    height: int
    width: int


class Preview:
    """Small copies of an open photo, each made when its size is first asked for."""

    def __init__(self, cutout: Cutout) -> None:
        self._cutout = cutout
        self._sizes: dict[int, _Small] = {}

    def refined(self, options: RefineOptions, longest_px: int) -> UInt8:
        """The photo with its longer side at most `longest_px`, refined as `options` say in pixels
        of the whole photo: uint8 (h, w, 4), straight. The photo itself is not touched. Raises as
        `refine` does."""
        if longest_px not in self._sizes:
            self._sizes[longest_px] = self._small_copy(longest_px)
        small = self._sizes[longest_px]
        small.follow(self._cutout)
        scale = small.cutout.rgba_hwc.shape[1] / self._cutout.rgba_hwc.shape[1]
        return small.refined(options, scale)

    def picture(
        self,
        options: RefineOptions,
        output: OutputOptions,
        longest_px: int,
        source: Source,
        backdrop_hwc: UInt8 | None = None,
    ) -> FilePreview:
        """The file that `output` makes of the refined photo, with its longer side at most
        `longest_px`. `backdrop_hwc` is as of `encode`, of any size. Raises as `refine` and `encode`
        do."""
        photo = self.refined(options, longest_px).shape[1] / self._cutout.rgba_hwc.shape[1]
        canvas = output.canvas
        lengths = photo
        if canvas is not None:
            lengths = min(1.0, longest_px / max(canvas.height_px, canvas.width_px))
        wanted = replace(output, type="image/png").scaled(lengths, photo)
        small = self._sizes[longest_px].cutout
        picture = render(small, wanted, "cutout", source, backdrop_hwc)
        if canvas is not None:
            return FilePreview(picture, canvas.height_px, canvas.width_px)
        return FilePreview(picture, round(picture.height / photo), round(picture.width / photo))

    def _small_copy(self, longest_px: int) -> "_Small":
        larger = [size for size in self._sizes if size > longest_px]
        source = self._sizes[min(larger)].cutout if larger else self._cutout
        shrunk = shrink_photo(source.original_rgba(), longest_px)
        if len(self._sizes) == _MAX_SIZES:
            self._sizes.clear()
        pixels = (shrunk * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        small = Cutout(pixels, self._cutout.matte_hw)
        small.look_with(self._cutout)
        return _Small(small)


class _Small:
    """One small copy, and what of its last refinement may serve for the next."""

    def __init__(self, cutout: Cutout) -> None:
        self.cutout = cutout
        self._refined: tuple[RefineOptions, float] | None = None
        self._found: tuple[Any, Float32] | None = None
        self._layers: Float32 | None = None

    def follow(self, whole: Cutout) -> None:
        """Takes over another matte of the whole photo, and what a brush has corrected."""
        if self.cutout.matte_hw is not whole.matte_hw:
            self._refined = self._found = None
            self.cutout.matte_hw = whole.matte_hw
        known, touch_hw = self.cutout.touch_hw, whole.touch_hw
        if known is None and touch_hw is None:
            return
        if known is None or touch_hw is None or not np.array_equal(known, touch_hw):
            self._refined = self._found = None
            self.cutout.touch_hw = None if touch_hw is None else touch_hw.copy()

    def refined(self, whole: RefineOptions, scale: float) -> UInt8:
        """As the options of the whole photo say, of which this is `scale` times the size."""
        cutout = self.cutout
        rgba_hwc = cutout.rgba_hwc
        if self._refined == (whole, scale):
            return rgba_hwc
        cutout.restore_colours()
        options = _scaled(whole, scale)
        found_hw = self._found_alpha(options)
        for rows, alpha_hw in self._edged(found_hw, options, whole.contract_px * scale):
            write_alpha(rgba_hwc[rows], alpha_hw, None)
        if options.decontaminate:
            mixed_hw = (found_hw * np.float32(255) + np.float32(0.5)).astype(np.uint8)
            if self._layers is None:
                small_hwc = cutout.small_rgba_hwc(mixed_hw)
                self._layers = spread_foreground(estimate_layers(small_hwc), small_hwc[..., 3])
            for rows, at, colours in foreground_strips(
                rgba_hwc, self._layers, cutout.mixed(mixed_hw)
            ):
                cutout.recolour(rows, at, colours)
        if cutout.source_alpha_hw is not None:
            keep_transparency(rgba_hwc, cutout.source_alpha_hw)
        self._refined = (whole, scale)
        return rgba_hwc

    def _edged(
        self, found_hw: Float32, options: RefineOptions, contract_px: float
    ) -> Iterator[Strip]:
        """`found_hw` with its edges moved by a part of a pixel, too: mixed of the two that are next
        to it."""
        near_px = math.trunc(contract_px)
        share = abs(contract_px - near_px)
        moves = [near_px] if share == 0 else [near_px, near_px + int(math.copysign(1, contract_px))]
        edged = (
            edged_strips(
                ((rows, found_hw[rows]) for rows in strips_of(len(found_hw))),
                self.cutout,
                replace(options, contract_px=move_px),
            )
            for move_px in moves
        )
        for (rows, alpha_hw), *others in zip(*edged, strict=True):
            for _, further_hw in others:
                alpha_hw = alpha_hw + np.float32(share) * (further_hw - alpha_hw)
            yield rows, alpha_hw

    def _found_alpha(self, options: RefineOptions) -> Float32:
        """`found_strips` as one picture, (h, w)."""
        key = replace(options, contract_px=0, feather_px=0, decontaminate=True)
        if self._found is None or self._found[0] != key:
            strips = found_strips(self.cutout, options, lambda _done, _total: None)
            found_hw = np.concatenate([alpha_hw for _, alpha_hw in strips])
            self._found = (key, found_hw)
            self._layers = None
        return self._found[1]


def _scaled(options: RefineOptions, scale: float) -> RefineOptions:
    return replace(
        options,
        min_region_px=options.min_region_px * scale * scale,
        contract_px=0,  # _edged moves them by parts of a pixel
        feather_px=options.feather_px * scale,
    )
