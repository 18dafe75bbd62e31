"""The subjects of a matte that stand apart, for a person to choose among."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.regions import label_regions

__all__ = ["Subject", "Subjects"]

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

#: What is smaller than this share of the largest one is no subject of its own.
_LEAST_SHARE = 0.04
#: Of the matte's longer side: how far from a subject its soft edge may lie.
_REACH = 0.08


class Subject(NamedTuple):
    """Where it is, in parts of the picture's height and width: `y` and `x` are a point on it."""

    y: float
    x: float
    top: float
    left: float
    bottom: float
    right: float


class Subjects:
    """Those of `matte_hw`, float32 (h, w) in [0, 1]."""

    def __init__(self, matte_hw: Float32) -> None:
        regions, areas = label_regions(matte_hw >= 0.5)
        least = _LEAST_SHARE * areas[1:].max(initial=0)
        large = 1 + np.flatnonzero(areas[1:] >= least)
        self._count = len(large)
        labels = np.zeros(len(areas), np.int32)
        labels[large] = np.arange(1, self._count + 1)
        self._labels = labels[regions]

    def found(self) -> list[Subject]:
        """From top to bottom."""
        return [_subject(self._labels == label) for label in range(1, self._count + 1)]

    def territory(self, y: float, x: float) -> Bool | None:
        """(h, w): the subject at (y, x), in parts of the height and the width, with all that lies
        nearer to it than to another one; None where there is none."""
        if not (0 <= y < 1 and 0 <= x < 1):
            return None
        height, width = self._grown.shape
        label = self._grown[int(y * height), int(x * width)]
        return None if label == 0 else self._grown == label

    @functools.cached_property
    def _grown(self) -> npt.NDArray[np.int32]:
        """Each pixel's subject, those of the soft edges included."""
        return _grown(self._labels, max(1, round(_REACH * max(self._labels.shape))))


def _grown(labels: npt.NDArray[np.int32], reach: int) -> npt.NDArray[np.int32]:
    """Every region a pixel wider, `reach` times, where no other one is."""
    grown = labels.copy()
    for _ in range(reach):
        padded = np.pad(grown, 1)
        neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        nearest = np.maximum.reduce(neighbours)
        grown = np.where(grown == 0, nearest, grown)
    return grown


def _subject(inside_hw: Bool) -> Subject:
    height, width = inside_hw.shape
    rows, columns = np.nonzero(inside_hw)
    # The pixel of it that is nearest to its middle: the middle itself may lie outside.
    distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    at = int(np.argmin(distance))
    return Subject(
        (rows[at] + 0.5) / height,
        (columns[at] + 0.5) / width,
        rows.min() / height,
        columns.min() / width,
        (rows.max() + 1) / height,
        (columns.max() + 1) / width,
    )
