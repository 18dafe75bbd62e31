"""Where in the silhouette of a person the head is."""

import numpy as np
import numpy.typing as npt

from pyside_logic.crop import visible_box

__all__ = ["head_box"]

#: Looked at in this many rows: finer ones tell of hair, not of heads.
_ROWS = 128
#: A chin lies this many head widths below the crown (N. Dodgson, "Variation and extrema of human
#: interpupillary distance", 2004, and ISO 7250: 1.4 to 1.55 without hair).
_PROPORTION = 1.4
#: Shoulders are where the silhouette is this many times as wide as what is above.
_SHOULDERS = 1.5
#: Of the subject's width: rows in which less is inside hold a wisp or a speck above the crown.
_SLIVER = 0.05
#: Nobody is taller than this many heads.
_MOST_HEADS = 12


def head_box(alpha_hw: npt.NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows from crown to chin and columns of the head of the person in `alpha_hw` (height, width).

    Told by the silhouette alone: the first rows of the subject, down to where shoulders make it
    much wider, or to what a head of that width is tall. Whatever has no shoulders is all head.
    """
    rows, columns = visible_box(alpha_hw, 0)
    step = max(1, (rows.stop - rows.start) // _ROWS)
    inside = alpha_hw[rows][::step, columns] >= 128
    widths = inside.sum(axis=1)
    if not widths.any():
        return rows, columns
    crown = int(np.flatnonzero(widths > _SLIVER * widths.max())[0])
    if crown > 0 and widths[crown - 1] > 0:  # it begins between two rows
        crown -= 1
    chin = _chin(widths[crown:], 1 / step)
    top = rows.start + crown * step
    bottom = min(rows.stop, rows.start + (crown + chin) * step)
    seen = np.flatnonzero(inside[crown : crown + chin].any(axis=0))
    return slice(top, bottom), slice(
        columns.start + int(seen[0]), columns.start + int(seen[-1]) + 1
    )


def _chin(widths: npt.NDArray[np.intp], per_px: float) -> int:
    """How many rows below the crown it is. `widths` are in px, rows are `per_px` of one."""
    greatest = np.maximum.accumulate(widths)
    for at in range(1 + len(widths) // _MOST_HEADS, len(widths)):
        tall_enough = at >= 0.9 * greatest[at // 2] * per_px
        if tall_enough and widths[at] > _SHOULDERS * greatest[at * 2 // 3]:
            head_width = float(greatest[at * 2 // 3])
            # The neck is between: shoulders begin a fifth of a head below the chin.
            return max(1, min(round(_PROPORTION * head_width * per_px), round(at / 1.1)))
    return len(widths)
