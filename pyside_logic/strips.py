"""Filters on pictures that come strip by strip, and never lie in memory as a whole."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["Strip", "filter_strips"]

Float32 = npt.NDArray[np.float32]
#: Rows of a picture, and their values, float32 (rows, width).
Strip = tuple[slice, Float32]

#: Where a tile of this many columns and all around it is even, there is nothing to compute.
_TILE_COLUMNS = 256


def filter_strips(
    strips: Iterable[Strip], reach_px: int, filter_window: Callable[[Float32], Float32]
) -> Iterator[Strip]:
    """The same strips, each pixel replaced by what `filter_window` makes of its neighbourhood.

    `filter_window` takes (n, m) and returns (n - 2 reach, m - 2 reach); each pixel must depend on
    those within `reach_px` only, and even windows must stay as they are. Beyond its borders the
    picture goes on as it ends.
    """
    for rows, window in _windows(strips, reach_px):
        window = np.pad(window, ((0, 0), (reach_px, reach_px)), mode="edge")
        width = window.shape[1] - 2 * reach_px
        filtered = window[reach_px : len(window) - reach_px, reach_px : reach_px + width].copy()
        for left in range(0, width, _TILE_COLUMNS):
            tile = window[:, left : left + _TILE_COLUMNS + 2 * reach_px]
            if tile.min() != tile.max():
                filtered[:, left : left + _TILE_COLUMNS] = filter_window(tile)
        yield rows, filtered


def _windows(strips: Iterable[Strip], reach_px: int) -> Iterator[Strip]:
    """Each strip with `reach_px` rows more above and below."""
    waiting: list[slice] = []
    held: Float32 | None = None  # rows from waiting[0].start - reach_px on
    end = 0
    for rows, values in strips:
        above = np.repeat(values[:1], reach_px, axis=0) if held is None else held
        held = np.concatenate([above, values])
        waiting.append(rows)
        end = rows.stop
        while waiting and waiting[0].stop + reach_px <= end:
            yield _first_window(waiting[0], held, reach_px)
            held = held[waiting[0].stop - waiting[0].start :]
            del waiting[0]
    if held is not None:
        held = np.concatenate([held, np.repeat(held[-1:], reach_px, axis=0)])
        for rows in waiting:
            yield _first_window(rows, held, reach_px)
            held = held[rows.stop - rows.start :]


def _first_window(rows: slice, held: Float32, reach_px: int) -> Strip:
    return rows, held[: rows.stop - rows.start + 2 * reach_px]
