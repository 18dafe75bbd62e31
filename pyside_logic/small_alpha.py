"""Alpha at a working size, on the picture that is being made."""

import numpy as np
import numpy.typing as npt

from pyside_logic.layout import Layout

__all__ = ["small_alpha"]

_BLOCK_ROWS = 16


def small_alpha(
    alpha_hw: npt.NDArray[np.uint8], layout: Layout, longest_px: int
) -> tuple[npt.NDArray[np.float32], int]:
    """(small, step): float32 (h, w) in [0, 1], each pixel the mean of step x step pixels of the
    picture, whose longer side is then at most `longest_px`.

    `alpha_hw` is uint8 at the picture's scale, at `layout`'s place; it is 0 elsewhere.
    """
    step = max(1, -(-max(layout.height, layout.width) // longest_px))
    small = np.zeros((-(-layout.height // step), -(-layout.width // step)), np.float32)
    wide = small.shape[1] * step
    for first in range(0, len(small), _BLOCK_ROWS):
        last = min(first + _BLOCK_ROWS, len(small))
        strip = np.zeros(((last - first) * step, wide), np.uint8)
        _paste(strip, alpha_hw, round(layout.top) - first * step, round(layout.left))
        blocks = strip.reshape(last - first, step, small.shape[1], step)
        small[first:last] = blocks.sum(axis=(1, 3), dtype=np.uint32)
    small /= 255 * step * step
    return small, step


def _paste(
    canvas: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8], top: int, left: int
) -> None:
    """Writes what of `picture`, at (top, left), lies on `canvas`."""
    bottom, right = top + picture.shape[0], left + picture.shape[1]
    y, x = max(0, top), max(0, left)
    bottom, right = min(len(canvas), bottom), min(canvas.shape[1], right)
    if y < bottom and x < right:
        canvas[y:bottom, x:right] = picture[y - top : bottom - top, x - left : right - left]
