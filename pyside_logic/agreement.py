"""A second opinion, and whether to trust it.

A network that knows one kind of subject better, people for example, is trusted where a network
that knows all kinds has found the same thing: it is not asked what is in the photo, which it cannot
tell, but where the edges are.
"""

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import check_matte, resize_bilinear
from pyside_logic.second_look import Box, fuse_looks

__all__ = ["agreed_matte", "agreement_of"]

Float32 = npt.NDArray[np.float32]


def agreed_matte(
    first_hw: Float32, second_hw: Float32, agreement: float, height: int, width: int
) -> Float32 | None:
    """The first matte of a photo of (height, width) with the edges of the second, (h, w) in [0, 1];
    None where the two agree by less than `agreement`. Raises `invalid_argument` for what is no
    matte."""
    if agreement_of(first_hw, second_hw) < agreement:
        return None
    return fuse_looks(first_hw, second_hw, Box(slice(0, height), slice(0, width)), height, width)


def agreement_of(first_hw: Float32, second_hw: Float32) -> float:
    """The intersection over union of two mattes of one photo, each (h, w) of its own size in
    [0, 1] and cut at one half; 0 where neither has found a subject. Raises `invalid_argument` for
    what is no matte."""
    first_hw, second_hw = check_matte(first_hw), check_matte(second_hw)
    h, w = (min(sides) for sides in zip(first_hw.shape, second_hw.shape, strict=True))
    first, second = (resize_bilinear(one, h, w) > 0.5 for one in (first_hw, second_hw))
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0
