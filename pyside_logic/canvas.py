"""A picture of a given size for the subject to stand on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pyside_logic.option_values import expect_keys, expect_number, expect_one_of, invalid

__all__ = ["Canvas"]

_GREATEST_SIDE_PX = 16_384
#: As of a photo: more fills the memory.
_MOST_PX = 100_000_000
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Canvas:
    """`fill`: how much of the canvas the subject takes, or of its height the head (crown to chin).
    `align`: 'centre' puts the subject in the middle, 'head' the head where an ID photo has it, with
    `head_room` of the height above the hair, if there is a head. `dpi`: how large it is meant to be
    printed; None: the canvas does not say. Raises `invalid_argument`."""

    height_px: int
    width_px: int
    fill: float = 0.85
    align: str = "centre"
    head_room: float = 0.1
    dpi: float | None = None

    def __post_init__(self) -> None:
        expect_number("height of canvas in px", self.height_px, 1, _GREATEST_SIDE_PX, whole=True)
        expect_number("width of canvas in px", self.width_px, 1, _GREATEST_SIDE_PX, whole=True)
        if self.height_px * self.width_px > _MOST_PX:
            size = f"{self.width_px} x {self.height_px} px"
            raise invalid("canvas", f"at most {_MOST_PX // 10**6} megapixels", size)
        expect_number("fill of canvas", self.fill, 0.05, 1)
        expect_number("head_room of canvas", self.head_room, 0, 0.5)
        expect_one_of("align of canvas", self.align, ("centre", "head"))

    def scaled(self, scale: float) -> Self:
        """Smaller, with the subject as large in it as before."""
        height, width = (max(1, round(px * scale)) for px in (self.height_px, self.width_px))
        return replace(self, height_px=height, width_px=width)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From {height_px, width_px} or {height_mm, width_mm, dpi}, and the other fields."""
        known = {"height_px", "width_px", "height_mm", "width_mm", "dpi", "fill", "align"}
        expect_keys("canvas options", known | {"head_room"}, values)
        given = dict(values)
        in_mm = {key: given.pop(key) for key in ("height_mm", "width_mm") if key in given}
        if in_mm:
            if len(in_mm) == 1 or {"height_px", "width_px"} & set(given):
                raise invalid("canvas", "height and width, both in px or both in mm", dict(values))
            dpi = given.setdefault("dpi", 300)
            expect_number("dpi of canvas", dpi, 10, 10_000)
            for key, length_mm in in_mm.items():
                expect_number(f"{key} of canvas", length_mm, 1, 10_000)
                given[key.replace("mm", "px")] = max(1, round(length_mm / _MM_PER_INCH * dpi))
        elif "dpi" in given:
            expect_number("dpi of canvas", given["dpi"], 10, 10_000)
        if not {"height_px", "width_px"} <= set(given):
            raise invalid("canvas", "height_px and width_px, or height_mm and width_mm", given)
        return cls(**given)
