"""How far a refinement may leave the network's matte.

Refinement mends edges; it does not choose another subject. Where it moves the outline, or alpha far
in the mean, it follows the photo's texture and not the subject: then alpha goes only a part of that
way. So a cut-out stays near the plain one on photos that nobody has measured.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["share_by_mean", "share_by_outline"]

#: The IoU of alpha and matte at one half, and their mean difference. The bounds that
#: tests/e2e/test_cut_out.py holds alpha to are 0.98 and 4/255; this is measured at a working size.
_LEAST_OVERLAP = 0.984
_MOST_MOVED = 3.6 / 255

#: Shares tried one after the other, each so much of the one before.
_STEP = 0.85
_STEPS = 12


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
