"""Where in a cut-out its subject is."""

import numpy as np
import numpy.typing as npt

from pyside_logic.regions import without_crumbs

__all__ = ["visible_box"]

UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

#: Fainter pixels are what is left of the background: nobody sees them, but they reach far.
_FAINTEST_ALPHA = 13
_WORKING_PX = 256


def visible_box(alpha_hw: UInt8, margin_px: int) -> tuple[slice, slice]:
    """The rows and columns of the smallest box around all that is visible in `alpha_hw` (height,
    width) and is no crumb, and `margin_px` more on each side, as far as the picture goes. Where
    nothing is visible, the whole picture."""
    height, width = alpha_hw.shape
    side_px = max(1, -(-max(height, width) // _WORKING_PX))
    blocks = _subject_blocks(alpha_hw, side_px)
    if not blocks.any():
        return slice(0, height), slice(0, width)
    rows = _filled_rows(alpha_hw, blocks, side_px)
    columns = _filled_rows(alpha_hw.T, blocks.T, side_px)
    return _widened(rows, margin_px, height), _widened(columns, margin_px, width)


def _subject_blocks(alpha_hw: UInt8, side_px: int) -> Bool:
    """Where in blocks of `side_px` x `side_px` the subject is, (h, w). One visible pixel is enough:
    what hangs together by a hair does so here, too."""
    height, width = alpha_hw.shape
    tops = range(0, height, side_px)
    highest = np.empty((len(tops), width), np.uint8)
    for at, top in enumerate(tops):
        np.max(np.ascontiguousarray(alpha_hw[top : top + side_px]), axis=0, out=highest[at])
    lefts = np.arange(0, width, side_px)
    seen = np.maximum.reduceat(highest, lefts, axis=1) >= _FAINTEST_ALPHA
    return without_crumbs(seen, np.add.reduceat(highest, lefts, axis=1, dtype=np.uint32))


def _filled_rows(alpha_hw: UInt8, blocks: Bool, side_px: int) -> slice:
    """From the first to the last row in which a pixel of `blocks` is visible."""
    filled = np.flatnonzero(blocks.any(axis=1))
    ends = []
    for block in (filled[0], filled[-1]):
        first = int(block) * side_px
        within = np.repeat(blocks[block], side_px)[: alpha_hw.shape[1]]
        seen = (alpha_hw[first : first + side_px] >= _FAINTEST_ALPHA) & within
        ends.append(first + np.flatnonzero(seen.any(axis=1)))
    return slice(int(ends[0][0]), int(ends[1][-1]) + 1)


def _widened(filled: slice, margin_px: int, length: int) -> slice:
    return slice(max(0, filled.start - margin_px), min(length, filled.stop + margin_px))
