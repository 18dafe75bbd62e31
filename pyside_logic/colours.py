"""Colours as people write them."""

import re

from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = ["COLOUR_NAMES", "Colour", "parse_colour"]

#: Red, green and blue, sRGB, 0 to 255.
Colour = tuple[int, int, int]

#: The sixteen that HTML 4.01 names, and CSS since.
COLOUR_NAMES: dict[str, Colour] = {
    "black": (0, 0, 0),
    "silver": (192, 192, 192),
    "gray": (128, 128, 128),
    "white": (255, 255, 255),
    "maroon": (128, 0, 0),
    "red": (255, 0, 0),
    "purple": (128, 0, 128),
    "fuchsia": (255, 0, 255),
    "green": (0, 128, 0),
    "lime": (0, 255, 0),
    "olive": (128, 128, 0),
    "yellow": (255, 255, 0),
    "navy": (0, 0, 128),
    "blue": (0, 0, 255),
    "teal": (0, 128, 128),
    "aqua": (0, 255, 255),
}

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def parse_colour(text: object, what: str) -> Colour:
    """The colour that `text` writes as '#rrggbb', '#rgb' or one of COLOUR_NAMES.

    `what` is its name in the `invalid_argument` that anything else raises.
    """
    if isinstance(text, str):
        if text.lower() in COLOUR_NAMES:
            return COLOUR_NAMES[text.lower()]
        if _HEX.fullmatch(text):
            step = (len(text) - 1) // 3
            red, green, blue = (text[1 + step * i : 1 + step * (i + 1)] for i in range(3))
            repeat = 3 - step  # '#f80' stands for '#ff8800'
            return int(red * repeat, 16), int(green * repeat, 16), int(blue * repeat, 16)
    raise GossamerError(
        ErrorCode.INVALID_ARGUMENT,
        Stage.ENCODE,
        f"Expected '#rrggbb', '#rgb' or one of {', '.join(COLOUR_NAMES)} for {what},"
        f" received {text!r}.",
    )
