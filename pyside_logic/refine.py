"""From the network's matte to alpha at the photo's size. Reads as the algorithm."""

from collections.abc import Callable

from pyside_logic.compose import keep_transparency, write_alpha
from pyside_logic.cutout import Cutout
from pyside_logic.detail import alpha_strips
from pyside_logic.edges import contract, feather
from pyside_logic.foreground import estimate_layers, foreground_strips
from pyside_logic.refine_options import RefineOptions
from pyside_logic.regions import remove_specks
from pyside_logic.resample import check_matte, strips_of
from pyside_logic.shrink import shrink_photo

__all__ = ["Cutout", "OnProgress", "RefineOptions", "refine"]

#: on_progress(rows done, rows in all): every pass over the photo counts its rows.
OnProgress = Callable[[int, int], None]

#: Colours of the layers are smooth: beyond this size they only cost time.
_LAYERS_PX = 1024


def refine(cutout: Cutout, options: RefineOptions, on_progress: OnProgress) -> None:
    """Writes alpha into `cutout.rgba_hwc`, strip by strip, so that its size bounds no memory, and
    where it is asked for the subject's own colours. What `on_progress` raises ends the work."""
    cutout.restore_colours()
    rgba_hwc = cutout.rgba_hwc
    height, width = rgba_hwc.shape[:2]
    progress = _Progress(options, height, on_progress)

    matte_hw = check_matte(cutout.matte_hw)
    if options.min_region_px:
        matte_hw = remove_specks(matte_hw, options.min_region_px * matte_hw.size / (height * width))

    strips = alpha_strips(rgba_hwc, matte_hw, options.detail, options.sharpen, progress.of_matting)
    strips = contract(strips, options.contract_px)
    strips = feather(strips, height, width, options.feather_px)
    for rows, alpha_hw in strips:
        write_alpha(rgba_hwc[rows], alpha_hw, None)
        progress.of_alpha(rows)

    if options.decontaminate:
        layers = estimate_layers(shrink_photo(rgba_hwc, _LAYERS_PX))
        for rows, pixels, colours in foreground_strips(rgba_hwc, layers):
            cutout.recolour(pixels, colours)
            progress.of_colours(rows)

    if cutout.source_alpha_hw is not None:
        for rows in strips_of(height):
            keep_transparency(rgba_hwc[rows], cutout.source_alpha_hw[rows])


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
