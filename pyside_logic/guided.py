"""Enlarges a matte along the edges of the photo: the fast guided filter with a colour guide.

K. He, J. Sun, "Fast Guided Filter", 2015. The matte is explained by the photo's colours in small
windows at a working size; the smooth coefficients of that are enlarged, and meet the photo's own
pixels at full size. Only strips of the photo are ever float.

The size of the windows is what decides between good and bad. Narrow ones keep to the network's
outline, hair and all its blur; wide ones find hair far from it, where subject and background have
colours of their own, and tear the edge where they have not. And where subject and background look
alike, any window blurs the outline that the network knew. Which it is, the fits themselves tell, by
how much of the matte they explain.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops
from pyside_logic.local_colours import LocalColours
from pyside_logic.resample import Between, Resized, strips_of
from pyside_logic.trust import Held

__all__ = ["Guide", "guided_coefficients", "guided_strips"]

Float32 = npt.NDArray[np.float32]

#: The windows, as parts of the working size's longer side, and epsilon.
_NARROW = 0.008
_WIDE = 0.06
_EPSILON = 1e-4
#: How much more of the matte than narrow windows a wide one must explain to count alone.
_FAR_BETTER = 0.1
#: Wider windows are looked at in a smaller picture, in which they have about this radius.
_WIDE_RADIUS_PX = 10
#: Variance of a matte that is even.
_NOTHING = 1e-6

#: So small that what is computed of a part stays in the cache, so large that calls do not count.
_TILE_ROWS = 64
_TILE_COLUMNS = 384
_NARROW_GAP_PX = 64
#: What no pixel of 8 bits shows of alpha.
_UNSEEN = 1e-3
#: Alpha that the photo has a say in; pixels.c knows it, too.
_OPEN = np.float32(0.5)
_FREE = Held(1.0, 1.0, 1.0)


class Guide:
    """A photo at a working size, float (h, w, 3) in [0, 1], and what its colours tell of any matte:
    that is found once, and may be found before there is one.

    Windows of `narrow_px` count as much as they explain, and for the rest the matte stays as it is;
    where those of `wide_px` explain more, they count instead.
    """

    def __init__(
        self, guide_hwc: npt.NDArray[Any], narrow_px: int, wide_px: int, epsilon: float
    ) -> None:
        self.guide_hwc = guide_hwc
        self._narrow = LocalColours(guide_hwc, narrow_px, epsilon)
        # Wide windows are smooth: a few pixels along their radius tell as much as all of them.
        step = max(1, wide_px // _WIDE_RADIUS_PX)
        height, width = guide_hwc.shape[:2]
        self._few = -(-height // step), -(-width // step)
        small_chw = _resized(np.moveaxis(guide_hwc, -1, 0), *self._few)
        small_hwc = np.moveaxis(small_chw, 0, -1)
        self._wide = LocalColours(small_hwc, max(1, wide_px // step), epsilon)

    @classmethod
    def of(cls, guide_hwc: npt.NDArray[Any]) -> "Guide":
        """With the windows that are best for networks of 320 px."""
        longest_px = max(guide_hwc.shape[:2])
        narrow_px, wide_px = (max(1, round(part * longest_px)) for part in (_NARROW, _WIDE))
        return cls(guide_hwc, narrow_px, wide_px, _EPSILON)

    def coefficients(self, matte_hw: npt.NDArray[Any]) -> Float32:
        """Like guided_coefficients, of windows that are as wide as colours explain the matte in
        them; `matte_hw` is (h, w) in [0, 1]."""
        model, share, variance = self._narrow.fit_and_share(matte_hw)
        *near, explained = self._narrow.mean_over_windows(
            np.concatenate([share * model, share[None]])
        )
        near[3] += (1 - explained) * matte_hw

        planes = _resized(np.stack([matte_hw, share * variance, variance]), *self._few)
        model, share, _ = self._wide.fit_and_share(planes[0])
        *far, by_wide, by_narrow, to_explain = self._wide.mean_over_windows(
            np.concatenate([model, share[None], planes[1:]])
        )
        by_narrow /= np.maximum(to_explain, _NOTHING)
        weight = np.clip((by_wide - by_narrow) / _FAR_BETTER, 0.0, 1.0)

        *far, weight = _resized(np.stack([*far, weight]), *matte_hw.shape)
        mixed = [
            plane + weight * (far_plane - plane) for plane, far_plane in zip(near, far, strict=True)
        ]
        return np.stack(mixed).astype(np.float32)


def _resized(planes_chw: npt.NDArray[Any], height: int, width: int) -> Float32:
    """(channels, height, width), each channel by itself."""
    planes = planes_chw.astype(np.float32, copy=False)
    every = slice(0, height)
    return np.stack([Resized(plane, height, width).rows(every) for plane in planes])


def guided_coefficients(
    guide_hwc: npt.NDArray[Any], matte_hw: npt.NDArray[Any], radius_px: int, epsilon: float
) -> Float32:
    """float32 (4, h, w): alpha of a pixel is its colour times the first three plus the fourth.

    `guide_hwc` is (h, w, 3) in [0, 1], `matte_hw` (h, w) in [0, 1] of the same size; `epsilon`, in
    squared units of the guide, is how much texture is ignored.
    """
    return LocalColours(guide_hwc, radius_px, epsilon).smooth(matte_hw).astype(np.float32)


def guided_strips(
    coefficients_chw: Float32,
    rgba_hwc: npt.NDArray[np.uint8],
    held: Held = _FREE,
    matte_hw: Float32 | None = None,
) -> Iterator[tuple[slice, Float32]]:
    """Yields (rows, alpha) from top to bottom, alpha float32 (rows, width) in [0, 1].

    `coefficients_chw` are guided_coefficients of at most the size of `rgba_hwc`, the photo, uint8
    (height, width, 4); `matte_hw` is the matte of their size, to which alpha is `held`.
    Where alpha is 0 or 1 whatever colour the photo has, which is most of it, nobody looks at it.
    """
    height, width = rgba_hwc.shape[:2]
    size = coefficients_chw.shape[1:]
    down, across = Between.of(height, size[0]), Between.of(width, size[1])
    to_matte_hw = None if held == _FREE else matte_hw
    settled_hw = _settled(coefficients_chw, held, to_matte_hw)
    planes_chw = coefficients_chw.copy()
    planes_chw[:3] *= np.float32(1 / 255)  # the photo's colours are 0..255
    if to_matte_hw is not None:
        planes_chw = np.concatenate([planes_chw, to_matte_hw[None]])
    if loops:
        smooth_hwc = np.ascontiguousarray(np.moveaxis(planes_chw[:4], 0, -1))
        smooth = smooth_hwc, planes_chw[-1], settled_hw, size[1]
        room = np.empty(11 * width, np.float32)
    for rows in strips_of(height):
        strip_hwc, these = rgba_hwc[rows], down.part(rows)
        alpha_hw = np.empty(strip_hwc.shape[:2], np.float32)
        if loops:
            places = *these, len(strip_hwc), *across, width
            hold = to_matte_hw is not None, held.by_outline, held.contrast, held.by_mean
            loops.alpha_rows(*smooth, *places, strip_hwc, *hold, alpha_hw, room)
        else:
            _meet(planes_chw, settled_hw, these, across, strip_hwc, held, alpha_hw)
        yield rows, alpha_hw


def _settled(coefficients_chw: Float32, held: Held, matte_hw: Float32 | None) -> Float32:
    """(h, w): 0 or 1 where that is alpha for every colour that there is, _OPEN elsewhere."""
    *slopes, constant = coefficients_chw
    least = np.clip(constant + sum(np.minimum(slope, 0) for slope in slopes), 0, 1)
    most = np.clip(constant + sum(np.maximum(slope, 0) for slope in slopes), 0, 1)
    unseen = 0.0
    if matte_hw is not None:
        least, most = held.of(least, matte_hw), held.of(most, matte_hw)
        unseen = _UNSEEN
    settled = np.where(most <= unseen, 0, np.where(least >= 1 - unseen, 1, _OPEN))
    return settled.astype(np.float32)


def _meet(
    planes_chw: Float32,
    settled_hw: Float32,
    down: Between,
    across: Between,
    rgba_hwc: npt.NDArray[np.uint8],
    held: Held,
    alpha_hw: Float32,
) -> None:
    """Fills in alpha of a strip of the photo, (rows, width), in parts that stay in the cache."""
    for strip in strips_of(len(rgba_hwc), _TILE_ROWS):
        lines_hw = alpha_hw[strip]
        these = down.part(strip)
        few = slice(int(these.before[0]), int(these.after[-1]) + 1)
        these = these.counted_from(few.start)
        lines_hw[:] = settled = _settled_columns(settled_hw[few], across)
        columns_first = np.moveaxis(planes_chw[:, few], -1, 0)
        for columns in _runs(settled == _OPEN):
            wide = _widened(columns_first, across.part(columns))
            lines_hw[:, columns] = _met(wide, these, rgba_hwc[strip, columns], held)


def _settled_columns(settled_hw: Float32, across: Between) -> Float32:
    """(width,): the same for columns of the photo between rows and columns of `settled_hw`."""
    least, most = settled_hw.min(axis=0), settled_hw.max(axis=0)
    least = np.minimum(least[across.before], least[across.after])
    most = np.maximum(most[across.before], most[across.after])
    settled: Float32 = np.where(least == most, least, _OPEN)
    return settled


def _runs(wanted: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Where `wanted` is true, from left to right; with what lies in narrow gaps."""
    at = np.flatnonzero(wanted)
    if not at.size:
        return
    gaps = np.flatnonzero(np.diff(at) > _NARROW_GAP_PX)
    starts, stops = at[np.append(0, gaps + 1)], at[np.append(gaps, at.size - 1)] + 1
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        for left in range(start, stop, _TILE_COLUMNS):
            yield slice(left, min(left + _TILE_COLUMNS, stop))


def _widened(columns_first: Float32, across: Between) -> Float32:
    """`columns_first`, (w, planes, rows), between its columns: (planes, rows, columns)."""
    flat = columns_first.reshape(len(columns_first), -1)
    wide = flat.take(across.before, axis=0)
    wide += (flat.take(across.after, axis=0) - wide) * across.share[:, None]
    return np.ascontiguousarray(wide.T).reshape(*columns_first.shape[1:], -1)


def _met(wide: Float32, down: Between, rgba_hwc: npt.NDArray[np.uint8], held: Held) -> Float32:
    """Alpha of a part of the photo, (rows, columns), between the rows of coefficients `wide`, (4,
    n, columns), or of them and the matte, (5, n, columns)."""
    colours = np.empty((4, *rgba_hwc.shape[:2]), np.float32)
    for channel in range(3):
        colours[channel] = rgba_hwc[..., channel]
    colours[3] = 1
    # Between the alphas by the coefficients above and by those below each pixel.
    above, below = (
        np.einsum("cyx,cyx->yx", wide[:4].take(rows, axis=1), colours)
        for rows in (down.before, down.after)
    )
    met = _mixed(above, below, down.share)
    np.clip(met, 0.0, 1.0, out=met)
    if len(wide) == 4:
        return met
    return held.of(met, _mixed(wide[4][down.before], wide[4][down.after], down.share))


def _mixed(above: Float32, below: Float32, share: Float32) -> Float32:
    """So much of the way from the first to the second, which is written to."""
    below -= above
    below *= share[:, None]
    below += above
    return below
