"""A photo at a working size."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["shrink_photo"]

Float32 = npt.NDArray[np.float32]


def shrink_photo(rgba_hwc: npt.NDArray[np.uint8], longest_px: int) -> Float32:
    """`rgba_hwc`, uint8 (height, width, channels), as float32 (h, w, channels) in [0, 1] whose
    longer side is at most `longest_px`; never enlarged. Each pixel is the mean of the block that
    it stands for; blocks of one picture differ by a pixel where the sizes do not divide."""
    height, width, channels = rgba_hwc.shape
    scale = min(1.0, longest_px / max(height, width))
    rows = _blocks(height, max(1, round(height * scale)))
    columns = _blocks(width, max(1, round(width * scale)))
    shrunk = np.empty((len(rows) - 1, len(columns) - 1, channels), np.float32)
    # One channel of several is not copied, as reshape() would.
    flat = rgba_hwc[..., 0] if channels == 1 else rgba_hwc.reshape(height, -1)
    for at, (top, bottom) in enumerate(pairwise(rows)):
        # Row sums first: they run along the memory.
        down = flat[top:bottom].sum(axis=0, dtype=np.uint32).reshape(width, channels)
        shrunk[at] = np.add.reduceat(down, columns[:-1], axis=0)
    areas = np.diff(rows)[:, None] * np.diff(columns)
    shrunk /= (255 * areas).astype(np.float32)[..., None]
    return shrunk


def _blocks(length: int, count: int) -> npt.NDArray[np.intp]:
    """Where `count` blocks of nearly equal size begin, and where the last one ends."""
    return np.arange(count + 1) * length // count
