"""Means over square windows, in a time that does not depend on the window's size.

F. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984; here one axis after the other.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["box_mean", "window_lengths"]

Float = TypeVar("Float", np.float32, np.float64)


def box_mean(values: npt.NDArray[Float], radius_px: int) -> npt.NDArray[Float]:
    """The mean over the (2 radius + 1)² window around each pixel of `values`, (..., height, width),
    float32 or float64; the same shape and type comes back.

    At the borders it is the mean of the part of the window that lies inside. Sums are kept in
    float64: in float32 they would drown the small variances that a guided filter lives on.
    """
    height, width = values.shape[-2:]
    areas = np.multiply.outer(window_lengths(height, radius_px), window_lengths(width, radius_px))
    means = np.empty_like(values)
    # One by one, planes stay in the cache from the first sum to the division.
    planes = (every.reshape(-1, height, width) for every in (values, means))
    for plane, mean in zip(*planes, strict=True):
        sums = _window_sums(_window_sums(plane, radius_px, -2), radius_px, -1)
        np.divide(sums, areas, out=mean, casting="same_kind")
    return means


def _window_sums(values: npt.NDArray[Float], radius_px: int, axis: int) -> npt.NDArray[np.float64]:
    length = values.shape[axis]
    radius = min(radius_px, length)
    before = [(0, 0)] * values.ndim
    before[axis] = (radius + 1, radius)
    sums = np.pad(values.astype(np.float64, copy=False), before)
    along = np.moveaxis(sums, axis, 0)
    if axis == -1:
        np.cumsum(sums, axis=-1, out=sums)
    else:  # row by row: down a column, `cumsum` takes three times as long
        for row in range(1, len(along)):
            along[row] += along[row - 1]
    windows = np.subtract(along[2 * radius + 1 :], along[:length])
    return np.moveaxis(windows, 0, axis)


def window_lengths(length: int, radius_px: int) -> npt.NDArray[np.float64]:
    """Of the windows along a side of `length` pixels, cut off at its ends."""
    at = np.arange(length)
    inside = np.minimum(at + radius_px + 1, length) - np.maximum(at - radius_px, 0)
    lengths: npt.NDArray[np.float64] = inside.astype(np.float64)
    return lengths
