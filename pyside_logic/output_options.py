"""What can be asked of `encode.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from pyside_logic.colours import Colour, parse_colour
from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = ["OUTPUT_TYPES", "OutputOptions"]

#: MIME types of the files; WebP is written by the browser.
OUTPUT_TYPES = ("image/png", "image/webp", "image/svg+xml")

_GREATEST_MARGIN_PX = 100_000


@dataclass(frozen=True)
class OutputOptions:
    """The file that is made. Raises `invalid_argument` for what is not written here.

    `type`: one of OUTPUT_TYPES.
    `quality`: of lossy files, 0 to 1; a PNG has none to lose.
    `margin_px`: what is left around the subject when the picture is cropped to it; None: it is not.
    `background`: the colour behind the subject, which makes the picture opaque; None: nothing.
    `embed`: whether an SVG holds the photo, clipped to the outline, or the outline alone.
    """

    type: str = "image/png"
    quality: float = 0.9
    margin_px: int | None = None
    background: Colour | None = None
    embed: bool = True

    def __post_init__(self) -> None:
        if self.type not in OUTPUT_TYPES:
            raise _invalid("output type", " or ".join(OUTPUT_TYPES), self.type)
        if not _is_number(self.quality) or not 0 <= self.quality <= 1:
            raise _invalid("quality", "a number from 0 to 1", self.quality)
        if not isinstance(self.embed, bool):
            raise _invalid("embed", "true or false", self.embed)
        margin = self.margin_px
        if margin is not None and not (
            isinstance(margin, int) and _is_number(margin) and 0 <= margin <= _GREATEST_MARGIN_PX
        ):
            expected = f"a whole number from 0 to {_GREATEST_MARGIN_PX}"
            raise _invalid("margin_px of crop", expected, margin)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From the public API's `output`: `crop` is true, false or {margin_px}, `background` a
        colour's name or 'transparent'. Raises `invalid_argument`, for unknown keys too."""
        known = ({field.name for field in fields(cls)} - {"margin_px"}) | {"crop"}
        _expect_keys("output options", known, values)
        given = dict(values)
        margin_px = _margin_of(given.pop("crop", False))
        background = given.pop("background", "transparent")
        if background == "transparent":
            return cls(**given, margin_px=margin_px)
        colour = parse_colour(background, "background")
        return cls(**given, margin_px=margin_px, background=colour)


def _margin_of(crop: object) -> int | None:
    if isinstance(crop, bool):
        return 0 if crop else None
    if not isinstance(crop, Mapping):
        raise _invalid("crop", "true, false or {margin_px}", crop)
    _expect_keys("crop options", {"margin_px"}, crop)
    margin_px: int = crop.get("margin_px", 0)
    return margin_px


def _expect_keys(what: str, known: set[str], values: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.ENCODE,
            f"Expected {what} among {sorted(known)}, received {unknown}.",
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(name: str, expected: str, received: object) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT,
        Stage.ENCODE,
        f"Expected {expected} for {name}, received {received!r}.",
    )
