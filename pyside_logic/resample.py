"""Bilinear resampling of a matte to the photo's size, in strips.

Half-pixel centres; when a side shrinks, the triangle is widened by the same factor. This is what
Pillow's BILINEAR does, which the reference implementations of the networks use.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops
from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = [
    "STRIP_ROWS",
    "Between",
    "Resized",
    "check_matte",
    "resize_bilinear",
    "resize_strips",
    "strips_of",
    "upsample_strips",
]

Float32 = npt.NDArray[np.float32]

#: Rows computed at a time: a strip of a 48-megapixel photo takes 8 MB.
STRIP_ROWS = 256


def check_matte(matte_hw: npt.NDArray[Any]) -> Float32:
    """`matte_hw` as float32 (h, w), clipped to [0, 1]. Raises `invalid_argument` for another
    number of dimensions, an empty side, or values that are not finite."""
    if matte_hw.ndim != 2 or matte_hw.size == 0:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.REFINE,
            f"Expected a matte of shape (height, width), received {matte_hw.shape}.",
        )
    matte_hw = matte_hw.astype(np.float32, copy=False)
    if not np.isfinite(matte_hw).all():
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.REFINE,
            "Expected a matte of finite values, received NaN or infinity: the network failed.",
        )
    clipped: Float32 = np.clip(matte_hw, 0.0, 1.0)
    return clipped


def upsample_strips(
    matte_hw: npt.NDArray[Any], height: int, width: int, strip_rows: int = STRIP_ROWS
) -> Iterator[tuple[slice, Float32]]:
    """Yields (rows, values) from top to bottom: float32 (rows, width) in [0, 1] for each strip of
    the resized matte. Any `strip_rows` gives bit-identical values."""
    yield from resize_strips(check_matte(matte_hw), height, width, strip_rows)


def resize_strips(
    values_hw: Float32, height: int, width: int, strip_rows: int = STRIP_ROWS
) -> Iterator[tuple[slice, Float32]]:
    """`upsample_strips` for values of any range, (h, w): they are taken as they are."""
    resized = Resized(values_hw, height, width)
    for rows in strips_of(height, strip_rows):
        yield rows, resized.rows(rows)


def strips_of(height: int, strip_rows: int = STRIP_ROWS) -> Iterator[slice]:
    """The rows of each strip of a picture, from top to bottom."""
    for top in range(0, height, strip_rows):
        yield slice(top, min(top + strip_rows, height))


class Between(NamedTuple):
    """For places along a side: the pixels before and after each, and how far it is from the one to
    the other, (n,) each."""

    before: npt.NDArray[np.intp]
    after: npt.NDArray[np.intp]
    share: Float32

    @classmethod
    def of(cls, length: int, from_length: int) -> "Between":
        """Every pixel of a side of `length`, in one of `from_length`."""
        return cls.at((np.arange(length) + 0.5) * (from_length / length) - 0.5, from_length)

    @classmethod
    def at(cls, places: npt.NDArray[np.floating[Any]], length: int) -> "Between":
        """The places along a side of `length`, where 0 is the first pixel's centre. Beyond its ends
        the side goes on as it ends."""
        inside = np.clip(places, 0, length - 1)
        before = inside.astype(np.intp)
        after = np.minimum(before + 1, length - 1)
        return cls(before, after, (inside - before).astype(np.float32))

    def part(self, pixels: slice) -> "Between":
        return Between(self.before[pixels], self.after[pixels], self.share[pixels])

    def counted_from(self, first: int) -> "Between":
        """For those pixels of the smaller side alone that come from `first` on."""
        return Between(self.before - first, self.after - first, self.share)


class Resized:
    """`values_hw`, float32 (h, w) of any range, at (height, width), of which only the rows that are
    asked for are computed."""

    def __init__(self, values_hw: Float32, height: int, width: int) -> None:
        _check_size(height, width)
        # Along the width first, while there are only the matte's few rows.
        across = _taps(values_hw.shape[1], width)
        self._wide = np.ascontiguousarray(_apply(across, values_hw.T).T)
        self._down = _taps(values_hw.shape[0], height)

    def rows(self, rows: slice) -> Float32:
        """float32 (rows, width); the same values whichever rows are asked for together."""
        return _apply(self._down.of(rows), self._wide)


def resize_bilinear(matte_hw: npt.NDArray[Any], height: int, width: int) -> Float32:
    """`matte_hw` (h, w) in [0, 1] resized to float32 (height, width)."""
    resized = np.empty((height, width), np.float32)
    for rows, values in upsample_strips(matte_hw, height, width):
        resized[rows] = values
    return resized


@dataclass(frozen=True)
class _Taps:
    """Output i is the sum over k of weights[k, i] * input[indices[k, i]]."""

    indices: npt.NDArray[np.intp]
    weights: Float32

    def of(self, outputs: slice) -> "_Taps":
        return _Taps(self.indices[:, outputs], self.weights[:, outputs])


def _taps(length: int, to_length: int) -> _Taps:
    scale = length / to_length
    support = max(scale, 1.0)
    centres = (np.arange(to_length) + 0.5) * scale
    first = np.floor(centres - support + 0.5).astype(np.intp)
    indices = first + np.arange(int(np.ceil(2 * support)) + 1)[:, None]
    weights = np.maximum(0.0, 1.0 - np.abs((indices + 0.5 - centres) / support))
    weights[(indices < 0) | (indices >= length)] = 0.0
    weights /= weights.sum(axis=0)
    used = weights.any(axis=1)
    return _Taps(np.clip(indices, 0, length - 1)[used], weights[used].astype(np.float32))


def _apply(taps: _Taps, values: Float32) -> Float32:
    """Combines rows of `values` (length, n) into float32 (outputs, n)."""
    if loops and values.dtype == np.float32:
        given = np.ascontiguousarray(values)
        indices, weights = map(np.ascontiguousarray, (taps.indices, taps.weights))
        by_loops = np.empty((indices.shape[1], given.shape[1]), np.float32)
        loops.combine_rows(given, given.shape[1], indices, weights, *indices.shape, by_loops)
        return by_loops
    combined: Float32 = values[taps.indices[0]]
    combined *= taps.weights[0][:, None]
    for indices, weights in zip(taps.indices[1:], taps.weights[1:], strict=True):
        term = values[indices]
        term *= weights[:, None]
        combined += term
    return combined


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.REFINE,
            f"Expected a size of at least 1 x 1 px, received {width} x {height}.",
        )
