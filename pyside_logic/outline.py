"""The rim of a sticker: all that is nearer to the subject than the rim is wide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour, parse_colour
from pyside_logic.distances import distances
from pyside_logic.gaussian import gaussian_blur
from pyside_logic.layout import Layout
from pyside_logic.option_values import expect_keys, expect_number, invalid
from pyside_logic.regions import label_regions
from pyside_logic.sampled import Sampled
from pyside_logic.small_alpha import small_alpha

__all__ = ["Outline", "OutlineRows"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]

_WORKING_PX = 1024
#: Of the subject's longer side.
_WIDTH = 0.025
#: A part that is smaller than this share of the largest is no part of a sticker.
_LEAST_PART = 0.01
#: What is soft or stands off may cover so much of the rim, and no more.
_COVERED = 0.5
#: How round the rim's corners are, as a part of its width.
_ROUNDNESS = 0.3


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

    def fitted_width_px(self, height: int, width: int) -> float:
        """For a subject of (height, width)."""
        return _WIDTH * max(height, width) if self.width_px is None else self.width_px


class OutlineRows:
    """Where on the picture the rim `width_px` wide, and the subject in it, lie: `alpha_hw` is uint8
    at the picture's scale."""

    def __init__(self, width_px: float, alpha_hw: UInt8, layout: Layout) -> None:
        small, step = small_alpha(alpha_hw, layout, _WORKING_PX)
        reach = int(np.ceil(width_px / step)) + 2
        away = distances(_without_crumbs(small >= 0.5), reach)
        # Whole pixels are steps, which a blur as wide as a pixel takes away.
        away = gaussian_blur(away, max(0.7, _ROUNDNESS * width_px / step))
        middle = (1 / step - 1) / 2
        self._beyond = np.float32(width_px / step)
        self._step = np.float32(step)
        self._sampled = Sampled(
            away, layout.height, layout.width, step=(1 / step, 1 / step), offset=(middle, middle)
        )

    def rows(self, rows: slice) -> UInt8:
        """uint8 (rows, width), 255 inside, with an edge of one pixel."""
        return self._within(self._beyond, rows)

    def cover_rows(self, rows: slice) -> UInt8:
        """Likewise, of where the subject may be seen: some of the rim shows all around."""
        return self._within(self._beyond * np.float32(_COVERED), rows)

    def _within(self, distance: np.float32, rows: slice) -> UInt8:
        inside = (distance - self._sampled.rows(rows)) * self._step + np.float32(0.5)
        return (np.clip(inside, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)


def _without_crumbs(inside_hw: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    labels, areas = label_regions(inside_hw)
    if len(areas) < 2:
        return inside_hw
    large = areas >= _LEAST_PART * areas[1:].max()
    large[0] = False
    kept: npt.NDArray[np.bool_] = large[labels]
    return kept
