"""What names and messages may do to a terminal: nothing."""

import re

__all__ = ["shown", "shown_line"]

# C0 but for tabs and newlines, DEL, C1, what turns the direction of writing, and bytes of names
# that are no UTF-8.
_DRIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str) -> str:
    """As escapes what would move the cursor, colour, hide or turn round what stands beside it."""
    return _DRIVING.sub(lambda found: ascii(found[0])[1:-1], text)


def shown_line(text: str) -> str:
    """One line, whatever the names in it hold."""
    return shown(text).replace("\n", r"\n")
