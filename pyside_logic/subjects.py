"""The subjects of a matte that stand apart, for a person to choose among."""

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
        labels, areas = label_regions(matte_hw >= 0.5)
        areas = areas.copy()
        areas[0] = 0
        large = np.flatnonzero((areas >= _LEAST_SHARE * areas.max()) & (areas > 0))
        order = {label: at for at, label in enumerate(large, start=1)}
        own = np.zeros(len(areas), np.int32)
        own[large] = [order[label] for label in large]
        self._labels = own[labels]
        self._grown = _grown(self._labels, max(1, round(_REACH * max(matte_hw.shape))))

    def found(self) -> list[Subject]:
        """From top to bottom."""
        count = int(self._labels.max(initial=0))
        return [_subject(self._labels == label) for label in range(1, count + 1)]

    def territory(self, y: float, x: float) -> Bool | None:
        """(h, w): the subject at (y, x), in parts of the height and the width, with all that lies
        nearer to it than to another one; None where there is none."""
        height, width = self._grown.shape
        row = min(max(0, int(y * height)), height - 1)
        column = min(max(0, int(x * width)), width - 1)
        label = self._grown[row, column]
        return None if label == 0 else self._grown == label


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
