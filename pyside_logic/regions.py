"""Removes specks and fills holes by area.

L. Vincent, "Grayscale area openings and closings, their efficient implementation and
applications", 1993: a speck is a part of some level set of the matte that is too small. Taking the
level sets one by one removes the halo around a speck together with it, and a speck on the halo of
the subject only down to that halo.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["label_regions", "remove_specks", "without_crumbs"]

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.intp]
Bool = npt.NDArray[np.bool_]

#: Level sets taken, finer where a ghost shows on an even background.
_LEVELS = (0.0, *(2.0**-power for power in (7, 6, 5)), *(step / 16 for step in range(1, 16)))
#: Of the heaviest region's weight: what is lighter is a crumb, no part of the subject.
_LEAST_PART = 0.01


def remove_specks(matte_hw: Float32, min_area_px: float) -> Float32:
    """`matte_hw`, (h, w) in [0, 1], without bright regions and dark holes of fewer than
    `min_area_px` of its pixels. Pixels of larger regions keep their exact values."""
    # What fills the picture is neither a speck nor a hole.
    min_area_px = min(min_area_px, matte_hw.size)
    opened = _area_opened(matte_hw, min_area_px)
    inverted = 1 - opened
    filled = _area_opened(inverted, min_area_px)
    return np.where(filled < inverted, 1 - filled, opened)


def _area_opened(matte_hw: Float32, min_area_px: float) -> Float32:
    opened = matte_hw.copy()
    for level in _LEVELS:
        labels, areas = label_regions(matte_hw > level)
        small = (areas < min_area_px)[labels] & (labels > 0)
        np.minimum(opened, np.float32(level), out=opened, where=small)
    return opened


def without_crumbs(inside_hw: Bool, alpha_hw: npt.NDArray[Any]) -> Bool:
    """`inside_hw` (h, w) without its crumbs, regions of little weight beside the heaviest one. They
    weigh by their area and by the square of `alpha_hw`, (h, w) to any scale: a reflection that is
    large and faint is a crumb, too."""
    labels, areas = label_regions(inside_hw)
    if len(areas) <= 2:
        return inside_hw
    squares = np.square(alpha_hw, dtype=np.float64)
    weights = np.bincount(labels.reshape(-1), squares.reshape(-1))
    kept: Bool = weights >= _LEAST_PART * weights[1:].max()
    kept[0] = False
    return kept[labels]


def label_regions(inside_hw: Bool) -> tuple[Labels, Labels]:
    """The 8-connected regions of a (h, w) picture of booleans: (labels, areas).

    `labels` is (h, w): 0 outside, regions count from 1 in the order of their first pixels.
    `areas[label]` is in pixels; `areas[0]` is what lies outside.
    """
    height, width = inside_hw.shape
    # A run is a stretch of inside pixels in one row; a column outside keeps rows apart.
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = inside_hw
    steps = np.diff(padded.reshape(-1))
    starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
    roots = _joined(len(starts), *_touching(starts, ends, width + 2))
    _, region = np.unique(roots, return_inverse=True)
    flat = np.zeros(padded.size, np.intp)
    flat[padded.reshape(-1) > 0] = np.repeat(region + 1, ends - starts)
    labels = flat.reshape(padded.shape)[:, 1:-1]
    return labels, np.bincount(labels.reshape(-1), minlength=1)


def _touching(starts: Labels, ends: Labels, row_length: int) -> tuple[Labels, Labels]:
    """Pairs of runs that touch, one in the row below the other, corners included."""
    first = np.searchsorted(ends, starts - row_length, side="left")
    behind = np.searchsorted(starts, ends - row_length, side="right")
    counts = np.maximum(behind - first, 0)
    below = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + within, below


def _joined(count: int, above: Labels, below: Labels) -> Labels:
    """The least member of the group of each of `count` members, given pairs of one group."""
    roots = np.arange(count)
    while True:
        theirs, ours = roots[above], roots[below]
        if np.array_equal(theirs, ours):
            return roots
        least, greatest = np.minimum(theirs, ours), np.maximum(theirs, ours)
        np.minimum.at(roots, greatest, least)
        while not np.array_equal(roots, shorter := roots[roots]):
            roots = shorter
