"""A photo at a working size."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops

__all__ = ["shrink_photo"]

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]


def shrink_photo(rgba_hwc: npt.NDArray[np.uint8], longest_px: int) -> Float32:
    """`rgba_hwc`, uint8 (height, width, channels), as float32 (h, w, channels) in [0, 1] whose
    longer side is at most `longest_px`; never enlarged. Each pixel is the mean of the block that
    it stands for; blocks of one picture differ by a pixel where the sizes do not divide."""
    height, width = rgba_hwc.shape[:2]
    scale = min(1.0, longest_px / max(height, width))
    rows = _blocks(height, max(1, round(height * scale)))
    columns = _blocks(width, max(1, round(width * scale)))
    areas = np.diff(rows)[:, None] * np.diff(columns)
    shrunk = _block_sums(rgba_hwc, rows, columns)
    shrunk /= (255 * areas).astype(np.float32)[..., None]
    return shrunk


def _block_sums(rgba_hwc: npt.NDArray[np.uint8], rows: Indices, columns: Indices) -> Float32:
    """Over blocks of rows and columns, which are given by where they begin: (h, w, channels)."""
    height, width, channels = rgba_hwc.shape
    size = len(rows) - 1, len(columns) - 1
    if loops and rgba_hwc.strides[1:] == (4, 1) and channels in (1, 4):
        whole = np.empty((*size, channels), np.uint32)
        loops.block_sums(
            rgba_hwc, rgba_hwc.strides[0], channels, rows, size[0], columns, size[1], whole
        )
        return whole.astype(np.float32)
    sums = np.empty((*size, channels), np.float32)
    # One channel of several is not copied, as reshape() would.
    flat = rgba_hwc[..., 0] if channels == 1 else rgba_hwc.reshape(height, -1)
    for at, (top, bottom) in enumerate(pairwise(rows)):
        # Row sums first: they run along the memory.
        down = flat[top:bottom].sum(axis=0, dtype=np.uint32).reshape(width, channels)
        sums[at] = np.add.reduceat(down, columns[:-1], axis=0)
    return sums


def _blocks(length: int, count: int) -> Indices:
    """Where `count` blocks of nearly equal size begin, and where the last one ends: at the pixels
    that are next to it, so that no block lies to one side of what it stands for."""
    return (2 * np.arange(count + 1) * length + count) // (2 * count)
