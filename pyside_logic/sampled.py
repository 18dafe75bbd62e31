"""A small smooth picture, seen enlarged through a window that need not lie on its pixels."""

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import Between

__all__ = ["Sampled"]

Float32 = npt.NDArray[np.float32]


class Sampled:
    """`small`, float32 (h, w, ...), between its pixels. The window's pixel (y, x) shows the place
    (`offset` + y * `step`, ...) of it; beyond its borders it goes on as it ends."""

    def __init__(
        self,
        small: Float32,
        height: int,
        width: int,
        *,
        step: tuple[float, float],
        offset: tuple[float, float],
    ) -> None:
        self._small = small
        self._down = Between.at(np.arange(height) * step[0] + offset[0], len(small))
        self._left, self._right, across = Between.at(
            np.arange(width) * step[1] + offset[1], small.shape[1]
        )
        # Whole, since NumPy is many times slower where it repeats a value for each pixel's few.
        shape = (width, *small.shape[2:])
        self._across = np.empty(shape, np.float32)
        self._across.T[...] = across

    def rows(self, rows: slice) -> Float32:
        """float32 (rows, width, ...)"""
        top, bottom, down = self._down.part(rows)
        tail = (1,) * (self._small.ndim - 2)
        # Down first, on the few columns that there are.
        lines = self._small[top]
        lines += (self._small[bottom] - lines) * down.reshape(-1, 1, *tail)
        sampled: Float32 = lines[:, self._left]
        way = lines[:, self._right]
        way -= sampled
        way *= self._across
        sampled += way
        return sampled
