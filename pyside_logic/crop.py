"""Where in a cut-out its subject is."""

import numpy as np
import numpy.typing as npt

__all__ = ["subject_box"]

#: Fainter pixels are what is left of the background: nobody sees them, but they reach far.
_FAINTEST_ALPHA = 13


def subject_box(alpha_hw: npt.NDArray[np.uint8], margin_px: int) -> tuple[slice, slice]:
    """The rows and columns of the smallest box around all that is visible in `alpha_hw` (height,
    width), and `margin_px` more on each side, as far as the picture goes. Where nothing is visible,
    the whole picture."""
    height, width = alpha_hw.shape
    filled_rows = np.flatnonzero((alpha_hw >= _FAINTEST_ALPHA).any(axis=1))
    if filled_rows.size == 0:
        return slice(0, height), slice(0, width)
    rows = _widened(filled_rows, margin_px, height)
    seen = alpha_hw[filled_rows[0] : filled_rows[-1] + 1] >= _FAINTEST_ALPHA
    return rows, _widened(np.flatnonzero(seen.any(axis=0)), margin_px, width)


def _widened(filled: npt.NDArray[np.intp], margin_px: int, length: int) -> slice:
    return slice(max(0, int(filled[0]) - margin_px), min(length, int(filled[-1]) + 1 + margin_px))
