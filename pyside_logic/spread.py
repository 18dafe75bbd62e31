"""Colours that go on where nothing is seen of them."""

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import Resized

__all__ = ["spread_colours"]

Float32 = npt.NDArray[np.float32]


def spread_colours(front_chw: Float32, weight_hw: Float32) -> Float32:
    """`front_chw`, (3, h, w), and where `weight_hw`, (h, w) in [0, 1], is 0 the weighted mean of
    the smallest square around that has some, without a seam."""
    height, width = weight_hw.shape
    if height == width == 1:
        return front_chw
    weighted = np.concatenate([front_chw * weight_hw, weight_hw[None]])
    even = np.pad(weighted, ((0, 0), (0, height % 2), (0, width % 2)))
    sums = even[:, ::2] + even[:, 1::2]
    sums = sums[..., ::2] + sums[..., 1::2]
    means = sums[:3] / np.maximum(sums[3], 1e-6)
    spread = spread_colours(means, np.minimum(sums[3], 1))
    # Smoothly: the squares themselves would be seen.
    around = np.stack([Resized(one, *even.shape[1:]).rows(slice(0, height)) for one in spread])
    return np.where(weight_hw > 0, front_chw, around[..., :width])
