"""The photo's own background, out of focus, without the subject in it.

A plain blur would smear the subject into a halo around itself. Here only pixels that are surely
background are averaged (H. Knutsson and C.-F. Westin, "Normalized and differential convolution",
CVPR 1993), and where there are none near, what lies farther away counts, level by level.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from pyside_logic.gaussian import gaussian_blur
from pyside_logic.layout import Layout
from pyside_logic.morphology import dilated
from pyside_logic.option_values import expect_number
from pyside_logic.resample import resize_bilinear, strips_of
from pyside_logic.sampled import Sampled
from pyside_logic.shrink import shrink_photo

__all__ = ["Blur", "BlurredRows"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

_LEAST_WORKING_PX, _MOST_WORKING_PX = 96, 1024
#: The sigma at the working size: a Gaussian that is narrower leaves pixels to be seen.
_WORKING_SIGMA_PX = 4.0
#: Of the photo's diagonal.
_SIGMA = 0.02
#: Within this share of the longer side the subject's shine and shadow are in the background.
_RIM = 0.012
#: Weights below this are topped up from the level above.
_SCARCE = 0.02


@dataclass(frozen=True)
class Blur:
    """`blur_px`: sigma in px of the photo; None fits it. Raises `invalid_argument`."""

    blur_px: float | None = None

    def __post_init__(self) -> None:
        if self.blur_px is not None:
            expect_number("blur_px of background", self.blur_px, 0.5, 5000)

    def scaled(self, scale: float) -> Self:
        """The same blur of a photo of so many times the size."""
        if self.blur_px is None:
            return self
        return replace(self, blur_px=max(0.5, self.blur_px * scale))


class BlurredRows:
    """The background of `rgba_hwc` (straight, RGB as in the photo where alpha is 0) on the picture
    of `layout`. `source_alpha_hw`: what the photo itself has to show, None for all of it."""

    def __init__(
        self, blur: Blur, rgba_hwc: UInt8, source_alpha_hw: UInt8 | None, layout: Layout
    ) -> None:
        height, width = rgba_hwc.shape[:2]
        longest = max(height, width)
        sigma_px = _SIGMA * math.hypot(height, width) if blur.blur_px is None else blur.blur_px
        wanted = _WORKING_SIGMA_PX * longest / sigma_px
        working_px = int(np.clip(wanted, _LEAST_WORKING_PX, _MOST_WORKING_PX))
        weighted = _background_only(rgba_hwc, source_alpha_hw, working_px)
        h, w = weighted.shape[:2]
        blurred = _averaged(weighted, sigma_px * h / height)
        blurred *= 255
        # From a pixel of the picture to one of the photo, and to one at the working size.
        step = (h / height / layout.scale, w / width / layout.scale)
        offset = ((0.5 - layout.top) * step[0] - 0.5, (0.5 - layout.left) * step[1] - 0.5)
        self._sampled = Sampled(blurred, layout.height, layout.width, step=step, offset=offset)

    def rows(self, rows: slice) -> UInt8:
        """uint8 (rows, width, 3)"""
        return (self._sampled.rows(rows) + np.float32(0.5)).astype(np.uint8)


def _background_only(rgba_hwc: UInt8, source_alpha_hw: UInt8 | None, working_px: int) -> Float32:
    """float32 (h, w, 4): RGB in [0, 1] times how surely it is background, and that. Where none is
    sure, what shines through the subject, and where that is opaque the photo as it is."""
    small = shrink_photo(rgba_hwc, working_px)
    rim_px = max(1, round(_RIM * max(small.shape)))
    far_hw = ~dilated(small[..., 3] > 0.01, rim_px)
    if source_alpha_hw is None:
        small[..., 3] = 1
    else:
        small = _weighted(rgba_hwc, source_alpha_hw, working_px)
    shown = small * far_hw[..., None]
    if not shown[..., 3].any():
        shines = 255 - rgba_hwc[..., 3]
        if source_alpha_hw is not None:
            np.minimum(shines, source_alpha_hw, out=shines)
        shown = _weighted(rgba_hwc, shines, working_px)
    return shown if shown[..., 3].any() else small


def _weighted(rgba_hwc: UInt8, weight_hw: UInt8, working_px: int) -> Float32:
    """float32 (h, w, 4) in [0, 1]: RGB times the weight, and that, as they are before anything is
    averaged: what does not count lends no colour."""
    weighted = np.empty_like(rgba_hwc)
    for rows in strips_of(len(rgba_hwc)):
        weight = weight_hw[rows, :, None]
        weighted[rows, :, :3] = rgba_hwc[rows, :, :3] * (weight * np.float32(1 / 255)) + 0.5
        weighted[rows, :, 3:] = weight
    return shrink_photo(weighted, working_px)


def _averaged(weighted: Float32, sigma_px: float) -> Float32:
    """RGB (h, w, 3) in [0, 1] from RGB times weight and weight, (h, w, 4)."""
    blurred = gaussian_blur(weighted, sigma_px)
    colours, weights = blurred[..., :3], blurred[..., 3:]
    if weights.min() > _SCARCE or max(weighted.shape[:2]) <= 2:
        return np.asarray(colours / np.maximum(weights, 1e-20), np.float32)
    coarse: Float32 = _averaged(_halved(blurred), sigma_px / 2 + 1)
    far = np.stack(
        [resize_bilinear(channel, *weighted.shape[:2]) for channel in np.moveaxis(coarse, -1, 0)],
        axis=-1,
    )
    far *= np.float32(_SCARCE)
    np.add(far, colours, out=far)
    np.divide(far, weights + np.float32(_SCARCE), out=far)
    return far


def _halved(picture: Float32) -> Float32:
    padding = ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0))
    padded = np.pad(picture, padding, mode="edge")
    halved: Float32 = (
        padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]
    ) / np.float32(4)
    return halved
