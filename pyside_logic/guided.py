"""Enlarges a matte along the edges of the photo: the fast guided filter with a colour guide.

K. He, J. Sun, "Fast Guided Filter", 2015. The matte is explained by the photo's colours in small
windows at a working size; the smooth coefficients of that are enlarged, and meet the photo's own
pixels at full size. Only strips of the photo are ever float.

The size of the windows is what decides between good and bad. Narrow ones keep to the network's
outline, hair and all its blur; wide ones find hair far from it, where subject and background have
colours of their own, and tear the edge where they have not. Which it is, the wide fit itself tells,
by how much of the matte it explains.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pyside_logic.local_colours import LocalColours
from pyside_logic.resample import STRIP_ROWS, Resized, strips_of

__all__ = ["adaptive_coefficients", "guided_coefficients", "guided_strips"]

Float32 = npt.NDArray[np.float32]

#: The share of the matte that a wide window must explain to count at all, and to count alone.
_SHARE_FROM, _SHARE_TO = 0.55, 0.95
#: Wider windows are looked at in a smaller picture, in which they have about this radius.
_WIDE_RADIUS_PX = 10


def adaptive_coefficients(
    guide_hwc: npt.NDArray[Any],
    matte_hw: npt.NDArray[Any],
    narrow_px: int,
    wide_px: int,
    epsilon: float,
) -> Float32:
    """guided_coefficients of windows of `wide_px` where colours explain the matte in them, and of
    `narrow_px` elsewhere; in between, a mixture."""
    narrow = guided_coefficients(guide_hwc, matte_hw, narrow_px, epsilon)
    # Wide windows are smooth: a few pixels along their radius tell as much as all of them.
    step = max(1, wide_px // _WIDE_RADIUS_PX)
    height, width = matte_hw.shape
    h, w = -(-height // step), -(-width // step)
    colours = LocalColours(_resized(guide_hwc, h, w), max(1, wide_px // step), epsilon)
    model, share = colours.fit_and_share(_resized(matte_hw[..., None], h, w)[..., 0])
    explained = colours.mean_over_windows(share)
    weight = np.clip((explained - _SHARE_FROM) / (_SHARE_TO - _SHARE_FROM), 0.0, 1.0)
    planes = np.concatenate([colours.mean_over_windows(model), weight[None]])
    *wide, weight = np.moveaxis(_resized(np.moveaxis(planes, 0, -1), height, width), -1, 0)
    for mixed, plane in zip(narrow, wide, strict=True):
        mixed += weight * (plane - mixed)
    return narrow


def _resized(picture_hwc: npt.NDArray[Any], height: int, width: int) -> Float32:
    """(height, width, channels), each channel by itself."""
    channels = np.moveaxis(picture_hwc.astype(np.float32, copy=False), -1, 0)
    every = slice(0, height)
    return np.stack([Resized(plane, height, width).rows(every) for plane in channels], axis=-1)


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
