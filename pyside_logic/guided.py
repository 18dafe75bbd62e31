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

from pyside_logic.local_colours import LocalColours
from pyside_logic.resample import STRIP_ROWS, Resized, strips_of

__all__ = ["adaptive_coefficients", "guided_coefficients", "guided_strips"]

Float32 = npt.NDArray[np.float32]

#: How much more of the matte than narrow windows a wide one must explain to count alone.
_FAR_BETTER = 0.1
#: Wider windows are looked at in a smaller picture, in which they have about this radius.
_WIDE_RADIUS_PX = 10
#: Variance of a matte that is even.
_NOTHING = 1e-6


def adaptive_coefficients(
    guide_hwc: npt.NDArray[Any],
    matte_hw: npt.NDArray[Any],
    narrow_px: int,
    wide_px: int,
    epsilon: float,
) -> Float32:
    """Like guided_coefficients, of windows that are as wide as colours explain the matte in them.

    Windows of `narrow_px` count as much as they explain, and for the rest the matte stays as it is;
    where those of `wide_px` explain more, they count instead.
    """
    narrow = LocalColours(guide_hwc, narrow_px, epsilon)
    model, share, variance = narrow.fit_and_share(matte_hw)
    *near, explained = narrow.mean_over_windows(np.concatenate([share * model, share[None]]))
    near[3] += (1 - explained) * matte_hw

    # Wide windows are smooth: a few pixels along their radius tell as much as all of them.
    step = max(1, wide_px // _WIDE_RADIUS_PX)
    height, width = matte_hw.shape
    h, w = -(-height // step), -(-width // step)
    guide_chw = np.moveaxis(guide_hwc, -1, 0)
    planes = _resized(np.concatenate([guide_chw, [matte_hw, share * variance, variance]]), h, w)
    wide = LocalColours(np.moveaxis(planes[:3], 0, -1), max(1, wide_px // step), epsilon)
    model, share, _ = wide.fit_and_share(planes[3])
    *far, by_wide, by_narrow, to_explain = wide.mean_over_windows(
        np.concatenate([model, share[None], planes[4:]])
    )
    by_narrow /= np.maximum(to_explain, _NOTHING)
    weight = np.clip((by_wide - by_narrow) / _FAR_BETTER, 0.0, 1.0)

    *far, weight = _resized(np.stack([*far, weight]), height, width)
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
    coefficients_chw: Float32, rgba_hwc: npt.NDArray[np.uint8], strip_rows: int = STRIP_ROWS
) -> Iterator[tuple[slice, Float32]]:
    """Yields (rows, alpha) from top to bottom, alpha float32 (rows, width) in [0, 1].

    `coefficients_chw` are guided_coefficients of any size, `rgba_hwc` the photo, uint8 (height,
    width, 3 or more). Any `strip_rows` gives bit-identical values.
    """
    height, width = rgba_hwc.shape[:2]
    *per_level, constant = coefficients_chw
    slopes = [Resized(plane * np.float32(1 / 255), height, width) for plane in per_level]
    offset = Resized(constant, height, width)
    sloping = _sloping_rows(coefficients_chw, height)
    for rows in strips_of(height, strip_rows):
        alpha_hw = offset.rows(rows)
        if rows.start < sloping.stop and sloping.start < rows.stop:
            for channel, slope in enumerate(slopes):
                term = slope.rows(rows)
                term *= rgba_hwc[rows, :, channel]
                alpha_hw += term
        yield rows, np.clip(alpha_hw, 0.0, 1.0, out=alpha_hw)


def _sloping_rows(coefficients_chw: Float32, height: int) -> slice:
    """The rows of a picture of `height` rows in which the photo has a say: above and below the
    subject the matte is even, and its slopes exactly 0."""
    sloping = np.flatnonzero(coefficients_chw[:3].any(axis=(0, 2)))
    if not sloping.size:
        return slice(0, 0)
    # Enlarging mixes a row with its neighbours, and shrinking those of one more on each side.
    scale = height / coefficients_chw.shape[1]
    first, last = (sloping[0] - 1) * scale - 1, (sloping[-1] + 2) * scale + 1
    return slice(max(0, int(first)), int(np.ceil(last)))
