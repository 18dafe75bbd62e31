"""The shadow that a subject casts: on a wall behind it, or on the ground that it stands on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour, parse_colour
from pyside_logic.gaussian import gaussian_blur
from pyside_logic.layout import Layout
from pyside_logic.option_values import expect_keys, expect_number, expect_one_of, invalid
from pyside_logic.outline import OutlineRows
from pyside_logic.regions import without_crumbs
from pyside_logic.sampled import Sampled
from pyside_logic.small_alpha import small_alpha

__all__ = ["Shadow", "ShadowRows"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]

_WORKING_PX = 512
_FAINTEST = 0.05
#: Of the subject's longer side: where the light comes from, and how large it is, by default.
_DOWN, _ACROSS, _BLUR = 0.03, 0.015, 0.025
_CONTACT_BLUR = 0.02
#: Of the subject's height: how far above the ground it still darkens it, and how deep the dark is.
_FOOT, _FLATNESS = 0.25, 0.09
#: Of the shadow's depth, what lies in front of the subject's lowest row.
_IN_FRONT = 0.4


@dataclass(frozen=True)
class Shadow:
    """`kind`: 'drop' is the subject's shape on a wall, 'contact' what it darkens of the ground
    at its foot. `x_px` and `y_px` move it, `blur_px` is the sigma of its edge; None fits the
    subject. `opacity` is from 0 to 1. Raises `invalid_argument`."""

    kind: str = "drop"
    x_px: float | None = None
    y_px: float | None = None
    blur_px: float | None = None
    opacity: float = 0.4
    colour: Colour = (0, 0, 0)

    def __post_init__(self) -> None:
        expect_one_of("kind of shadow", self.kind, ("drop", "contact"))
        for name, least in (("x_px", -10_000), ("y_px", -10_000), ("blur_px", 0)):
            if getattr(self, name) is not None:
                expect_number(f"{name} of shadow", getattr(self, name), least, 10_000)
        expect_number("opacity of shadow", self.opacity, 0, 1)

    def scaled(self, scale: float) -> Self:
        """The same shadow in a picture of so many times the size."""
        lengths = (self.x_px, self.y_px, self.blur_px)
        x_px, y_px, blur_px = (None if px is None else px * scale for px in lengths)
        return replace(self, x_px=x_px, y_px=y_px, blur_px=blur_px)

    @classmethod
    def from_value(cls, value: object) -> Self | None:
        """From true, false, a kind, or an object of the fields."""
        if isinstance(value, bool):
            return cls() if value else None
        if isinstance(value, str):
            return cls(kind=value)
        if not isinstance(value, Mapping):
            raise invalid("shadow", "true, false, 'drop', 'contact' or an object", value)
        return cls._from_dict(value)

    @classmethod
    def _from_dict(cls, values: Mapping[str, Any]) -> Self:
        known = {"kind", "x_px", "y_px", "blur_px", "opacity", "colour"}
        expect_keys("shadow options", known, values)
        given = dict(values)
        if "colour" in given:
            given["colour"] = parse_colour(given["colour"], "colour of shadow")
        return cls(**given)

    def fitted(self, height: int, width: int) -> "Shadow":
        """Every length in px, for a subject of (height, width)."""
        size = max(height, width)
        drop = self.kind == "drop"
        x = (_ACROSS * size if drop else 0) if self.x_px is None else self.x_px
        y = (_DOWN * size if drop else 0) if self.y_px is None else self.y_px
        blur = (_BLUR if drop else _CONTACT_BLUR) * size if self.blur_px is None else self.blur_px
        return Shadow(self.kind, x, y, blur, self.opacity, self.colour)

    def growth(self, height: int, width: int) -> tuple[int, int, int, int]:
        """How far the shadow of a subject of (height, width) reaches beyond it, in px: above,
        below, left, right."""
        fitted = self.fitted(height, width)
        assert fitted.x_px is not None
        assert fitted.y_px is not None
        assert fitted.blur_px is not None
        reach = 2.5 * fitted.blur_px
        below = reach + fitted.y_px
        above = reach - fitted.y_px
        if self.kind == "contact":
            below, above = below + _IN_FRONT * _FLATNESS * height, 0
        lengths = (above, below, reach - fitted.x_px, reach + fitted.x_px)
        return tuple(max(0, math.ceil(length)) for length in lengths)  # type: ignore[return-value]


class ShadowRows:
    """How dark the shadow of `alpha_hw`, uint8 at the picture's scale, is on the picture; of a
    sticker, of what its rim `outline` leaves of it."""

    def __init__(
        self, shadow: Shadow, alpha_hw: UInt8, layout: Layout, outline: OutlineRows | None = None
    ) -> None:
        small, step = small_alpha(alpha_hw, layout, _WORKING_PX)
        if outline is not None:
            small = outline.covered(small, step)
        subject = without_crumbs(small >= _FAINTEST, small)
        height, width = _extent(subject)
        fitted = shadow.fitted(height * step, width * step)
        assert fitted.x_px is not None
        assert fitted.y_px is not None
        assert fitted.blur_px is not None
        if fitted.kind == "contact":
            small = _lying(subject)
        small = gaussian_blur(small, fitted.blur_px / step) * np.float32(255 * fitted.opacity)
        middle = (1 / step - 1) / 2  # of the picture's first pixel, in small ones
        self._sampled = Sampled(
            small,
            layout.height,
            layout.width,
            step=(1 / step, 1 / step),
            offset=(middle - fitted.y_px / step, middle - fitted.x_px / step),
        )

    def rows(self, rows: slice) -> UInt8:
        """uint8 (rows, width), 255 where nothing shines through."""
        return (self._sampled.rows(rows) + np.float32(0.5)).astype(np.uint8)


def _extent(subject: Bool) -> tuple[int, int]:
    """Height and width of the subject; the whole picture's where there is none."""
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if rows.size == 0:
        return subject.shape
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


def _lying(subject: Bool) -> Float32:
    """What the subject darkens of the ground at its lowest row: the less, the higher a column of it
    ends."""
    lying = np.zeros(subject.shape, np.float32)
    rows, columns = np.flatnonzero(subject.any(axis=1)), np.flatnonzero(subject.any(axis=0))
    if rows.size == 0:
        return lying
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    ends = len(subject) - subject[::-1, columns].argmax(axis=0)
    lifted = (bottom - ends) / max(1.0, _FOOT * (bottom - top))
    depth = max(2, round(_FLATNESS * (bottom - top)))
    first = bottom - round((1 - _IN_FRONT) * depth)
    lying[max(0, first) : first + depth, columns] = np.clip(1 - lifted, 0, 1)
    return lying
