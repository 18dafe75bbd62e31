"""A linear gradient, as CSS Images Module Level 3 draws it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour, parse_colour
from pyside_logic.option_values import expect_keys, expect_number, invalid

__all__ = ["Gradient", "GradientRows"]

_STEPS = 8192


@dataclass(frozen=True)
class Gradient:
    """`stops`: at least two (place from 0 to 1, colour), in ascending order. `angle`: where it
    leads, in degrees clockwise from upwards. Raises `invalid_argument`."""

    stops: tuple[tuple[float, Colour], ...]
    angle: float = 180.0

    def __post_init__(self) -> None:
        expect_number("angle of a gradient", self.angle, -360, 360)
        places = [place for place, _ in self.stops]
        if len(places) < 2 or places != sorted(places):
            expected = "two or more, in ascending order,"
            raise invalid("the stops of a gradient", expected, places)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From {gradient, angle}: `gradient` lists colours, evenly spread, or pairs of a colour and
        its place."""
        expect_keys("options of a gradient", {"gradient", "angle"}, values)
        given = values["gradient"]
        if not isinstance(given, list) or len(given) < 2:
            raise invalid("gradient", "a list of two or more colours", given)
        stops = tuple(_stop(stop, at / (len(given) - 1)) for at, stop in enumerate(given))
        return cls(stops, values.get("angle", 180.0))


def _stop(given: object, place: float) -> tuple[float, Colour]:
    colour = given
    if isinstance(given, list):
        if len(given) != 2:
            raise invalid("a stop of a gradient", "a colour, or [colour, place]", given)
        colour, place = given
        expect_number("the place of a gradient's stop", place, 0, 1)
    return float(place), parse_colour(colour, "a gradient's colour")


class GradientRows:
    """The gradient on a picture of (height, width). Its line is so long that the corners have the
    outer colours."""

    def __init__(self, gradient: Gradient, height: int, width: int) -> None:
        angle = math.radians(gradient.angle)
        across, down = math.sin(angle), -math.cos(angle)
        length = abs(width * across) + abs(height * down)
        along_x = (np.arange(width) + 0.5 - width / 2) * across / length
        along_y = (np.arange(height) + 0.5 - height / 2) * down / length + 0.5
        # In steps of the table, which is so fine that none of its steps is seen.
        self._along_x = (along_x * _STEPS).astype(np.float32)
        self._along_y = (along_y * _STEPS).astype(np.float32)
        places, colours = zip(*gradient.stops, strict=True)
        at = np.linspace(0, 1, _STEPS + 1)
        channels = [np.interp(at, places, channel) for channel in np.transpose(colours)]
        self._table = (np.stack(channels, axis=-1) + 0.5).astype(np.uint8)

    def rows(self, rows: slice) -> npt.NDArray[np.uint8]:
        """uint8 (rows, width, 3)"""
        at = self._along_y[rows, None] + self._along_x
        return self._table[np.clip(at, 0, _STEPS).astype(np.intp)]
