"""The rim of a sticker: all that is nearer to the subject than the rim is wide."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean
from pyside_logic.colours import Colour, parse_colour
from pyside_logic.distances import distances
from pyside_logic.gaussian import gaussian_blur
from pyside_logic.layout import Layout
from pyside_logic.option_values import expect_keys, expect_number, invalid
from pyside_logic.regions import without_crumbs
from pyside_logic.sampled import Sampled
from pyside_logic.small_alpha import small_alpha

__all__ = ["LEAST_WORKING_PX", "Outline", "OutlineRows"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

#: Of the longer side: no layer sees the picture at fewer.
LEAST_WORKING_PX, _MOST_WORKING_PX = 256, 1024
#: At the working size a rim need not be wider.
_FINE_WIDTH = 26
#: Of the subject's longer side.
_WIDTH = 0.025
#: What is soft or stands off may cover so much of the rim, and no more.
_COVERED = 0.5
#: How round the rim's corners are, as a part of its width.
_ROUNDNESS = 0.3
#: Of a blur's sigma: what is farther away counts for nothing.
_BLUR_REACH = 2


@dataclass(frozen=True)
class Outline:
    """`width_px`: None fits the subject. Raises `invalid_argument`."""

    width_px: float | None = None
    colour: Colour = (255, 255, 255)

    def __post_init__(self) -> None:
        if self.width_px is not None:
            expect_number("width_px of outline", self.width_px, 0.5, 2000)

    def scaled(self, scale: float) -> Self:
        """The same rim around a subject of so many times the size."""
        if self.width_px is None:
            return self
        return replace(self, width_px=max(0.5, self.width_px * scale))

    @classmethod
    def from_value(cls, value: object) -> Self | None:
        """From true, false, or an object of the fields."""
        if isinstance(value, bool):
            return cls() if value else None
        if not isinstance(value, Mapping):
            raise invalid("outline", "true, false or {width_px, colour}", value)
        expect_keys("outline options", {"width_px", "colour"}, value)
        given: dict[str, Any] = dict(value)
        if "colour" in given:
            given["colour"] = parse_colour(given["colour"], "colour of outline")
        return cls(**given)

    def fitted_width_px(self, height: float, width: float) -> float:
        """For a subject of (height, width)."""
        return _WIDTH * max(height, width) if self.width_px is None else self.width_px

    def room_px(self, height: int, width: int) -> int:
        """What it needs around a subject of (height, width): it is laid to a hundredth of its
        width, and its edge is soft."""
        return round(1.01 * self.fitted_width_px(height, width)) + 2


class OutlineRows:
    """Where on the picture the rim `width_px` wide, and the subject in it, lie: `alpha_hw` is uint8
    at the picture's scale."""

    def __init__(self, width_px: float, alpha_hw: UInt8, layout: Layout) -> None:
        small, step = small_alpha(alpha_hw, layout, _working_px(width_px, layout))
        # What is wider than the picture fills it, too.
        width = min(width_px / step, math.hypot(*small.shape) + 2)
        sigma = max(0.7, _ROUNDNESS * width)
        # A blur sees no farther than its reach, in front of the picture's borders too.
        reach = math.ceil(_BLUR_REACH * sigma)
        away = _beyond_edge(np.pad(small, reach, mode="edge"), width, reach)
        # Whole pixels are steps, which a blur as wide as a pixel takes away.
        self._away = gaussian_blur(away, sigma)
        self._margin = reach
        self._width = np.float32(width)
        # The edge is known to a part of a pixel, which must cost the subject nothing.
        self._cover = np.float32(max(_COVERED * width, 0.5))
        self._step = step
        self._sampled = self._at_scale(1, layout.height, layout.width)

    def rows(self, rows: slice) -> UInt8:
        """uint8 (rows, width), 255 inside, with an edge of one pixel."""
        return self._within(self._width, rows)

    def cover_rows(self, rows: slice) -> UInt8:
        """Likewise, of where the subject may be seen: some of the rim shows all around."""
        return self._within(self._cover, rows)

    def covered(self, small: Float32, step: int) -> Float32:
        """Of the picture's alpha, each pixel of `small` (h, w) `step` x `step` of its pixels, what
        may be seen."""
        away = self._at_scale(step, *small.shape).rows(slice(0, len(small)))
        return np.where(away <= self._cover, small, np.float32(0))

    def _at_scale(self, step: int, height: int, width: int) -> Sampled:
        """The distance where each of (height, width) pixels is, `step` of the picture's wide."""
        scale = step / self._step
        middle = self._margin + (scale - 1) / 2
        return Sampled(self._away, height, width, step=(scale, scale), offset=(middle, middle))

    def _within(self, distance: np.float32, rows: slice) -> UInt8:
        inside = (distance - self._sampled.rows(rows)) * np.float32(self._step) + np.float32(0.5)
        return (np.clip(inside, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)


def _working_px(width_px: float, layout: Layout) -> int:
    """The longer side at which the rim is laid: the wider it is, the fewer pixels tell its edge."""
    fitting = _FINE_WIDTH * max(layout.height, layout.width) / width_px
    return int(np.clip(fitting, LEAST_WORKING_PX, _MOST_WORKING_PX))


def _beyond_edge(small: Float32, width: float, reach: int) -> Float32:
    """How far outside of the subject in `small`, alpha (h, w), each pixel is, in pixels; within it
    negative. As far as a blur of that `reach` sees from a rim `width` wide and from its middle."""
    inside = without_crumbs(small >= 0.5, small)
    outer, inner = math.ceil(width) + reach, max(1, math.ceil(reach - _COVERED * width))
    away = distances(inside, outer) - distances(~inside, inner)
    away += inside - np.float32(0.5)  # from centre to centre, the edge is half way
    # Pixels that the edge divides tell where in them it is.
    excess = np.where(np.abs(away) < 1, small - inside, np.float32(0))
    return away - _moved_edge(excess, inside, math.ceil(width + 0.5))


def _moved_edge(excess: Float32, inside: Bool, reach: int) -> Float32:
    """How much farther out than the pixels of `inside` (h, w) its edge is within `reach` of each:
    what those have too much or too little, `excess`, by the length of the edge."""
    length = np.hypot(*np.gradient(inside.astype(np.float32)))
    moved = box_mean(excess, reach) / np.maximum(box_mean(length, reach), 1e-6)
    clipped: Float32 = np.clip(moved, -0.5, 0.5).astype(np.float32)
    return clipped
