"""What can be asked of `encode.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from pyside_logic.blurred_background import Blur
from pyside_logic.canvas import Canvas
from pyside_logic.colours import Colour, parse_colour
from pyside_logic.gradient import Gradient
from pyside_logic.option_values import expect_keys, expect_number, expect_one_of, invalid
from pyside_logic.outline import Outline
from pyside_logic.presets import with_preset
from pyside_logic.shadow import Shadow

__all__ = ["METADATA", "OUTPUT_TYPES", "Background", "OutputOptions"]

#: MIME types of the files.
OUTPUT_TYPES = ("image/png", "image/webp", "image/svg+xml")
#: What of the photo's own metadata goes into the file; `exif.py` says what each means.
METADATA = ("keep", "all", "none")

#: "picture" is another one, which comes beside the options.
Background = Colour | Gradient | Blur | Literal["picture"]

_GREATEST_MARGIN_PX = 100_000


@dataclass(frozen=True)
class OutputOptions:
    """The file that is made. Raises `invalid_argument` for what is not written here.

    `type`: one of OUTPUT_TYPES.
    `quality`: of lossy files, 0 to 1; a PNG has none to lose.
    `depth`: bits of alpha in a PNG of it, 8 or 16.
    `margin_px`: what is left around the subject when the picture is cropped to it; None: it is not.
    `canvas`: a picture of another size, in which the subject is placed; None: the photo's, cropped
    or not.
    `background`: what is behind the subject, which makes the picture opaque; None: nothing.
    `shadow`, `outline`: what lies between the two; None: nothing.
    `metadata`: one of METADATA.
    `embed`: whether an SVG holds the photo, clipped to the outline, or the outline alone.
    """

    type: str = "image/png"
    quality: float = 0.9
    depth: int = 8
    margin_px: int | None = None
    canvas: Canvas | None = None
    background: Background | None = None
    shadow: Shadow | None = None
    outline: Outline | None = None
    metadata: str = "keep"
    embed: bool = True

    def __post_init__(self) -> None:
        expect_one_of("output type", self.type, OUTPUT_TYPES)
        expect_number("quality", self.quality, 0, 1)
        expect_one_of("depth", self.depth, (8, 16))
        expect_one_of("metadata", self.metadata, METADATA)
        if not isinstance(self.embed, bool):
            raise invalid("embed", "true or false", self.embed)
        if self.margin_px is not None:
            expect_number("margin_px of crop", self.margin_px, 0, _GREATEST_MARGIN_PX, whole=True)
        if self.canvas is not None and self.margin_px is not None:
            raise invalid("crop and canvas", "one of the two", "both")
        if self.depth == 16 and (self.type != "image/png" or self.canvas is not None):
            raise invalid("depth", "8 unless it is a PNG without a canvas", 16)
        if self.type == "image/svg+xml":
            self._check_drawing()

    def _check_drawing(self) -> None:
        if self.background is not None and not isinstance(self.background, tuple):
            raise invalid("background of an SVG", "a colour", "a picture: choose image/png")
        for name in ("shadow", "outline", "canvas"):
            if getattr(self, name) is not None:
                raise invalid(f"{name} of an SVG", "none", "one: choose image/png")

    def recoloured(self, convert: Callable[[Colour], Colour]) -> Self:
        """The same with every colour converted."""
        background = self.background
        if isinstance(background, tuple):
            background = convert(background)
        elif isinstance(background, Gradient):
            stops = tuple((place, convert(colour)) for place, colour in background.stops)
            background = replace(background, stops=stops)
        shadow, outline = self.shadow, self.outline
        return replace(
            self,
            background=background,
            shadow=shadow and replace(shadow, colour=convert(shadow.colour)),
            outline=outline and replace(outline, colour=convert(outline.colour)),
        )

    def scaled(self, lengths: float, photo: float) -> Self:
        """The same for a smaller picture: `lengths` of it, and `photo` of the photo, are what is
        left of a px."""
        canvas, shadow, outline = self.canvas, self.shadow, self.outline
        return replace(
            self,
            margin_px=None if self.margin_px is None else round(self.margin_px * lengths),
            canvas=canvas and canvas.scaled(lengths),
            background=(
                self.background.scaled(photo)
                if isinstance(self.background, Blur)
                else self.background
            ),
            shadow=shadow and shadow.scaled(lengths),
            outline=outline and outline.scaled(lengths),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From the public API's `output`. Raises `invalid_argument`, for unknown keys too."""
        known = {"type", "quality", "depth", "crop", "canvas", "background", "shadow", "outline"}
        expect_keys("output options", known | {"metadata", "embed", "preset"}, values)
        given = with_preset(values)
        margin_px = _margin_of(given.pop("crop", False))
        canvas = given.pop("canvas", None)
        if canvas is not None and not isinstance(canvas, Mapping):
            raise invalid("canvas", "{height_px, width_px} or {height_mm, width_mm, dpi}", canvas)
        return cls(
            margin_px=margin_px,
            canvas=None if canvas is None else Canvas.from_dict(canvas),
            background=_background_of(given.pop("background", None)),
            shadow=Shadow.from_value(given.pop("shadow", False)),
            outline=Outline.from_value(given.pop("outline", False)),
            **given,
        )


def _background_of(value: object) -> Background | None:
    if value is None or value == "transparent":
        return None
    if value == "blur":
        return Blur()
    if value == "picture":
        return "picture"
    if isinstance(value, Mapping):
        if "gradient" in value:
            return Gradient.from_dict(value)
        if set(value) == {"blur_px"}:
            return Blur(value["blur_px"])
        raise invalid("background", "{gradient, angle} or {blur_px}", dict(value))
    return parse_colour(value, "background")


def _margin_of(crop: object) -> int | None:
    if isinstance(crop, bool):
        return 0 if crop else None
    if not isinstance(crop, Mapping):
        raise invalid("crop", "true, false or {margin_px}", crop)
    expect_keys("crop options", {"margin_px"}, crop)
    margin_px: int = crop.get("margin_px", 0)
    expect_number("margin_px of crop", margin_px, 0, _GREATEST_MARGIN_PX, whole=True)
    return margin_px
