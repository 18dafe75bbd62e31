"""The app's icon as PNG, for systems that install it: what web/icon.svg draws, at any size."""

import io

from PIL import Image, ImageDraw

__all__ = ["ICONS", "draw_icon"]

#: File name -> (size in px, whether the system cuts its own shape out of it).
ICONS = {
    "icon-192.png": (192, False),
    "icon-512.png": (512, False),
    "icon-maskable-512.png": (512, True),
    "icon-touch-180.png": (180, True),
}

_GREEN = (0, 0x69, 0x5C)
_SQUARE = (89, 155, 148)  # white at 35 % on the green
_OVERSAMPLED = 4


def draw_icon(size: int, *, filled: bool) -> bytes:
    """A PNG of `size` px a side. `filled`: no rounded corners, and all that matters within the
    middle four fifths, which is what masks leave."""
    scale = size * _OVERSAMPLED
    icon = Image.new("RGBA", (scale, scale))
    draw = ImageDraw.Draw(icon)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
        return tuple(side * scale / 16 for side in (left, top, right, bottom))

    draw.rounded_rectangle(box(0, 0, 16, 16), 0 if filled else 3 * scale / 16, _GREEN)
    shape = icon.getchannel("A")
    for left, top in ((8, 0), (12, 4), (8, 8), (12, 12)):
        draw.rectangle(box(left, top, left + 4, top + 4), _SQUARE)
    draw.ellipse(box(3.5, 3.5, 12.5, 12.5), "white")
    icon.putalpha(shape)
    data = io.BytesIO()
    icon.reduce(_OVERSAMPLED).save(data, "PNG", optimize=True)
    return data.getvalue()
