"""Masks that grow and shrink, by squares (J. Serra, "Image Analysis and Mathematical Morphology",
1982)."""

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean

__all__ = ["dilated", "eroded", "opened"]

Mask = npt.NDArray[np.bool_]


def dilated(inside_hw: Mask, radius_px: int) -> Mask:
    """Whatever is at most so far from the inside, along either side; bool (h, w)."""
    grown: Mask = box_mean(inside_hw.astype(np.float64), radius_px) > 0
    return grown


def eroded(inside_hw: Mask, radius_px: int) -> Mask:
    """Whatever is farther from the outside; beyond the borders of the picture lies none."""
    return ~dilated(~inside_hw, radius_px)


def opened(inside_hw: Mask, radius_px: int) -> Mask:
    """Without what is narrower than a square of 2 `radius_px` + 1."""
    return dilated(eroded(inside_hw, radius_px), radius_px)
