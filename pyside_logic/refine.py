"""From the network's matte to alpha at the photo's size. Reads as the algorithm."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.compose import keep_transparency, write_alpha
from pyside_logic.cutout import Cutout
from pyside_logic.detail import alpha_strips
from pyside_logic.edges import contract, feather
from pyside_logic.foreground import estimate_layers, foreground_strips, spread_foreground
from pyside_logic.refine_options import RefineOptions
from pyside_logic.regions import remove_specks
from pyside_logic.resample import check_matte, strips_of, upsample_strips
from pyside_logic.sharpen import unsharp
from pyside_logic.strips import Strip
from pyside_logic.touch_up import held, touched

__all__ = ["Cutout", "OnProgress", "RefineOptions", "edged_strips", "found_strips", "refine"]

UInt8 = npt.NDArray[np.uint8]

#: on_progress(rows done, rows in all): every pass over the photo counts its rows.
OnProgress = Callable[[int, int], None]


def refine(cutout: Cutout, options: RefineOptions, on_progress: OnProgress) -> None:
    """Writes alpha into `cutout.rgba_hwc`, strip by strip, so that its size bounds no memory, and
    where it is asked for the subject's own colours. What `on_progress` raises ends the work."""
    cutout.restore_colours()
    rgba_hwc = cutout.rgba_hwc
    height = len(rgba_hwc)
    progress = _Progress(options, height, on_progress)

    strips = found_strips(cutout, options, progress.of_matting)
    found_hw = rgba_hwc[..., 3]
    if options.moves_edges:  # colours were mixed with what is found
        found_hw = np.empty_like(found_hw)
        strips = _kept(strips, found_hw)
    for rows, alpha_hw in edged_strips(strips, cutout, options):
        cutout.keep_precisely(rows, alpha_hw)
        write_alpha(rgba_hwc[rows], alpha_hw, None)
        progress.of_alpha(rows)

    if options.decontaminate:
        small_hwc = cutout.small_rgba_hwc(found_hw)
        layers = estimate_layers(small_hwc)
        if options.moves_edges:
            layers = spread_foreground(layers, small_hwc[..., 3])
        for rows, at, colours in foreground_strips(rgba_hwc, layers, cutout.mixed(found_hw)):
            cutout.recolour(rows, at, colours)
            progress.of_colours(rows)
        progress.of_colours(slice(0, height))

    if cutout.source_alpha_hw is not None:
        for rows in strips_of(height):
            keep_transparency(rgba_hwc[rows], cutout.source_alpha_hw[rows])


def found_strips(
    cutout: Cutout, options: RefineOptions, on_progress: OnProgress
) -> Iterator[Strip]:
    """Alpha as the network, the photo and a person's brush say, strip by strip. `on_progress`
    counts a matting's iterations."""
    height, width = cutout.rgba_hwc.shape[:2]
    matte_hw = check_matte(cutout.matte_hw)
    if options.min_region_px:
        matte_hw = remove_specks(matte_hw, options.min_region_px * matte_hw.size / (height * width))
    sharp_hw = unsharp(matte_hw, options.sharpen)
    if cutout.touch_hw is not None:
        matte_hw, sharp_hw = (touched(one, cutout.touch_hw) for one in (matte_hw, sharp_hw))
    if options.detail == "none":
        return upsample_strips(sharp_hw, height, width)
    return alpha_strips(
        cutout.rgba_hwc, cutout.guide, matte_hw, sharp_hw, options.detail, on_progress
    )


def edged_strips(
    strips: Iterable[Strip], cutout: Cutout, options: RefineOptions
) -> Iterator[Strip]:
    """`found_strips` with their edges moved and softened, but not where a brush has been."""
    height, width = cutout.rgba_hwc.shape[:2]
    strips = contract(strips, options.contract_px)
    strips = feather(strips, height, width, options.feather_px)
    return strips if cutout.touch_hw is None else held(strips, cutout.touch_hw, height, width)


def _kept(strips: Iterable[Strip], alpha_hw: UInt8) -> Iterator[Strip]:
    """The same strips, which go into `alpha_hw`, (height, width), on their way."""
    for rows, strip_hw in strips:
        alpha_hw[rows] = strip_hw * np.float32(255) + np.float32(0.5)
        yield rows, strip_hw


class _Progress:
    """Counts a matting as one pass over the photo, alpha as one, and colours as one."""

    def __init__(self, options: RefineOptions, height: int, on_progress: OnProgress) -> None:
        self._height = height
        self._before_alpha = height if options.detail in ("closed_form", "knn") else 0
        self._total = self._before_alpha + (2 if options.decontaminate else 1) * height
        self._on_progress = on_progress

    def of_matting(self, iterations: int, at_most: int) -> None:
        self._on_progress(self._height * iterations // at_most, self._total)

    def of_alpha(self, rows: slice) -> None:
        self._on_progress(self._before_alpha + rows.stop, self._total)

    def of_colours(self, rows: slice) -> None:
        self._on_progress(self._before_alpha + self._height + rows.stop, self._total)
