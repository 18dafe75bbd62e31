"""Where a cut-out lies on the picture that is made of it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyside_logic.canvas import Canvas
from pyside_logic.crop import visible_box
from pyside_logic.head import head_box

__all__ = ["Layout", "cropped_layout", "placed_layout", "whole_layout"]

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """A picture of `height` x `width` px that shows the photo enlarged by `scale`, its top left
    corner at (`top`, `left`), which may lie outside."""

    height: int
    width: int
    scale: float = 1.0
    top: float = 0
    left: float = 0


def whole_layout(alpha_hw: UInt8) -> Layout:
    """The photo as it is."""
    return Layout(*alpha_hw.shape)


def cropped_layout(alpha_hw: UInt8, margin_px: int, growth: tuple[int, int, int, int]) -> Layout:
    """The subject with `margin_px` around it as far as the photo goes. `growth` (above, below,
    left, right) is room that a shadow or an outline needs, beyond the photo's border too."""
    rows, columns = visible_box(alpha_hw, margin_px)
    subject_rows, subject_columns = visible_box(alpha_hw, 0)
    above, below, left, right = growth
    top = min(rows.start, subject_rows.start - above)
    bottom = max(rows.stop, subject_rows.stop + below)
    first = min(columns.start, subject_columns.start - left)
    last = max(columns.stop, subject_columns.stop + right)
    return Layout(bottom - top, last - first, 1.0, -top, -first)


def placed_layout(alpha_hw: UInt8, canvas: Canvas) -> Layout:
    """The subject on a canvas of its own: in its middle, or with its head where an ID photo has
    it."""
    height, width = canvas.height_px, canvas.width_px
    rows, columns = visible_box(alpha_hw, 0)
    if canvas.align == "head":
        return _head_layout(alpha_hw, canvas)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    scale = canvas.fill * min(height / tall, width / wide)
    middle_y, middle_x = (rows.start + rows.stop) / 2, (columns.start + columns.stop) / 2
    return Layout(height, width, scale, height / 2 - scale * middle_y, width / 2 - scale * middle_x)


def _head_layout(alpha_hw: UInt8, canvas: Canvas) -> Layout:
    """The head `fill` of the height tall, with `head_room` above it. Where the subject has no
    shoulders that tell a head, it stands in the middle."""
    height, width = canvas.height_px, canvas.width_px
    rows, columns = head_box(alpha_hw)
    end = visible_box(alpha_hw, 0)[0].stop
    if rows.stop == end < len(alpha_hw):
        return placed_layout(alpha_hw, replace(canvas, align="centre", fill=Canvas.fill))
    scale = canvas.fill * height / (rows.stop - rows.start)
    below = end - rows.start
    if end == len(alpha_hw):
        # The photo ends there: a body must reach down to the border, or it hangs in the air.
        scale = max(scale, (1 - canvas.head_room) * height / below)
    top = canvas.head_room * height - scale * rows.start
    left = width / 2 - scale * (columns.start + columns.stop) / 2
    return Layout(height, width, scale, top, left)
