"""How far pixels are from a shape.

P. Felzenszwalb and D. Huttenlocher, "Distance Transforms of Sampled Functions", 2012: along rows
first, then the least sum of squares along columns; here within a reach, so that it is a few passes
over the whole picture.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["distances"]

Float32 = npt.NDArray[np.float32]


def distances(inside_hw: npt.NDArray[np.bool_], reach: int) -> Float32:
    """float32 (h, w): how far the nearest pixel of `inside_hw` is, in px, at most `reach` + 1."""
    height, width = inside_hw.shape
    at = np.arange(width, dtype=np.float32)
    last = np.maximum.accumulate(np.where(inside_hw, at, np.float32(-1e6)), axis=1)
    next_ = np.minimum.accumulate(np.where(inside_hw, at, np.float32(1e6))[:, ::-1], axis=1)
    along = np.minimum(np.minimum(at - last, next_[:, ::-1] - at), np.float32(reach + 1))
    padded = np.pad(along * along, ((reach, reach), (0, 0)), constant_values=(reach + 1) ** 2)
    least = np.full((height, width), np.float32((reach + 1) ** 2))
    for dy in range(-reach, reach + 1):
        candidate = padded[reach + dy : reach + dy + height] + np.float32(dy * dy)
        np.minimum(least, candidate, out=least)
    distance: Float32 = np.sqrt(least)
    return distance
