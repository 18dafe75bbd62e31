"""Another picture behind the subject."""

import numpy as np
import numpy.typing as npt

from pyside_logic.background import over_colour
from pyside_logic.scale import resize_picture

__all__ = ["backdrop_picture"]

UInt8 = npt.NDArray[np.uint8]

_WHITE = (255, 255, 255)


def backdrop_picture(rgba_hwc: UInt8, height: int, width: int) -> UInt8:
    """uint8 (height, width, 3): the middle of `rgba_hwc`, (h, w, 4) straight, as much of it as
    there is of this shape (what CSS calls `cover`). What is transparent in it is on white."""
    h, w = rgba_hwc.shape[:2]
    scale = max(height / h, width / w)
    kept_h, kept_w = min(h, max(1, round(height / scale))), min(w, max(1, round(width / scale)))
    top, left = (h - kept_h) // 2, (w - kept_w) // 2
    covering = rgba_hwc[top : top + kept_h, left : left + kept_w]
    if (kept_h, kept_w) != (height, width):
        covering = resize_picture(covering, height, width)
    if (covering[..., 3] == 255).all():
        return np.ascontiguousarray(covering[..., :3])
    return over_colour(covering, _WHITE)
