"""How far a refinement may leave the network's matte.

Refinement mends edges; it does not choose another subject. Where it moves the outline, or alpha far
in the mean, it follows the photo's texture and not the subject: then alpha goes only a part of that
way. So a cut-out stays near the plain one on photos that nobody has measured.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Held", "share_by_mean", "share_by_outline"]

Float32 = npt.NDArray[np.float32]

#: The IoU of alpha and matte at one half, and their mean difference. The bounds that
#: tests/e2e/test_cut_out.py holds alpha to are 0.98 and 4/255; this is measured at a working size.
_LEAST_OVERLAP = 0.984
_MOST_MOVED = 3.6 / 255

#: Shares tried one after the other, each so much of the one before.
_STEP = 0.85
_STEPS = 12


@dataclass(frozen=True)
class Held:
    """Alpha with more contrast, held to the matte: so much of the way from the one to the other
    without contrast, and so much with it."""

    by_outline: float
    contrast: float
    by_mean: float

    def of(self, alpha_hw: Float32, plain_hw: Float32) -> Float32:
        """`plain_hw` is the matte of the same pixels. It grows with both."""
        near_hw = _between(plain_hw, alpha_hw, self.by_outline)
        if self.contrast != 1:
            near_hw = _more_contrast(near_hw, self.contrast)
        return _between(plain_hw, near_hw, self.by_mean)


def _between(first_hw: Float32, second_hw: Float32, share: float) -> Float32:
    """So much of the way from the first to the second, both in [0, 1]: so rounded, that stays."""
    if share == 1:
        return second_hw
    between_hw = second_hw - first_hw
    between_hw *= np.float32(share)
    between_hw += first_hw
    return between_hw


def _more_contrast(alpha_hw: Float32, contrast: float) -> Float32:
    """`alpha_hw`, in [0, 1], steeper around 0.5."""
    stretched = alpha_hw * np.float32(contrast)
    stretched += np.float32((1 - contrast) / 2)
    return np.clip(stretched, 0.0, 1.0, out=stretched)


def share_by_outline(alpha_hw: npt.NDArray[Any], matte_hw: npt.NDArray[Any]) -> float:
    """s in [0, 1]: matte + s (alpha - matte) keeps to the matte's outline. Both are (h, w) in
    [0, 1]."""
    difference = alpha_hw - matte_hw
    inside = matte_hw >= 0.5
    share = 1.0
    for _ in range(_STEPS):
        if _overlap(matte_hw + share * difference >= 0.5, inside) >= _LEAST_OVERLAP:
            return share
        share *= _STEP
    return 0.0


def share_by_mean(alpha_hw: npt.NDArray[Any], matte_hw: npt.NDArray[Any]) -> float:
    """s in [0, 1]: matte + s (alpha - matte) differs little from the matte in the mean."""
    moved = float(np.abs(alpha_hw - matte_hw).mean())
    return 1.0 if moved <= _MOST_MOVED else _MOST_MOVED / moved


def _overlap(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second)) / union if union else 1.0
