"""Means over square windows, in a time that grows with the logarithm of the window's size.

Sums of two pixels make those of four, those make sums of eight, and the binary digits of a window's
side say which of them it is made of; one axis after the other. Unlike a summed-area table this adds
many pixels at a time, and takes no differences of large numbers.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from pyside_logic.compiled import loops
from pyside_logic.resample import strips_of

__all__ = ["box_mean", "window_lengths"]

#: So many stay in the cache from the first sum to the division.
_BAND_ROWS = 64

Float = TypeVar("Float", np.float32, np.float64)


def box_mean(values: npt.NDArray[Float], radius_px: int) -> npt.NDArray[Float]:
    """The mean over the (2 radius + 1)² window around each pixel of `values`, (..., height, width),
    float32 or float64; the same shape and type comes back.

    At the borders it is the mean of the part of the window that lies inside. Sums are kept in
    float64: in float32 they would drown the small variances that a guided filter lives on.
    """
    height, width = values.shape[-2:]
    if loops and values.dtype == np.float64:
        given = np.ascontiguousarray(values)
        means = np.empty_like(given)
        planes = given.size // (height * width)
        loops.box_mean(given, planes, height, width, radius_px, means, np.empty(width))
        return means
    areas = np.multiply.outer(window_lengths(height, radius_px), window_lengths(width, radius_px))
    means = np.empty_like(values)
    radius_px = min(radius_px, max(height, width))  # a wider window sees no more
    both = (every.reshape(-1, height, width) for every in (values, means))
    for plane, mean in zip(*both, strict=True):
        for rows in strips_of(height, max(_BAND_ROWS, 2 * radius_px)):
            sums = _window_sums(plane, rows, radius_px)
            np.divide(sums, areas[rows], out=mean[rows], casting="same_kind")
    return means


def _window_sums(
    plane_hw: npt.NDArray[Float], rows: slice, radius_px: int
) -> npt.NDArray[np.float64]:
    """(rows, width); beyond its borders `plane_hw` is 0."""
    height, width = plane_hw.shape
    count = 2 * radius_px + 1
    first, last = rows.start - radius_px, rows.stop + radius_px
    top, bottom = max(0, first), min(height, last)
    # The lines behind one another: what lies beyond the end of one is 0, as it should be.
    lines = np.zeros((last - first, width + 2 * radius_px))
    lines[top - first : bottom - first, radius_px : radius_px + width] = plane_hw[top:bottom]
    step = lines.shape[1]
    sums = _sums(_sums(lines.reshape(-1), count, step), count, 1)
    return as_strided(sums, (rows.stop - rows.start, width), (step * sums.itemsize, sums.itemsize))


def _sums(values: npt.NDArray[np.float64], count: int, step: int) -> npt.NDArray[np.float64]:
    """Of `count` values, each `step` behind the one before."""
    length = len(values) - (count - 1) * step
    total = np.zeros(length)
    summed, at = 1, 0  # how many are in each of `values`; how many are in `total`
    while True:
        if count & summed:
            total += values[at * step : at * step + length]
            at += summed
        if 2 * summed > count:
            return total
        values = values[: -summed * step] + values[summed * step :]
        summed *= 2


def window_lengths(length: int, radius_px: int) -> npt.NDArray[np.float64]:
    """Of the windows along a side of `length` pixels, cut off at its ends."""
    at = np.arange(length)
    inside = np.minimum(at + radius_px + 1, length) - np.maximum(at - radius_px, 0)
    lengths: npt.NDArray[np.float64] = inside.astype(np.float64)
    return lengths
