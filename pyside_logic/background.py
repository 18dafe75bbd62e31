"""What a cut-out stands on."""

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour

__all__ = ["over_colour"]

UInt8 = npt.NDArray[np.uint8]

_STRIP_ROWS = 64


def over_colour(rgba_hwc: UInt8, colour: Colour) -> UInt8:
    """`rgba_hwc` (height, width, 4), straight, on `colour`: an opaque picture (height, width, 3).

    Mixes sRGB values as they are, as browsers and editors do, so that it looks as it did there.
    T. Porter and T. Duff, "Compositing digital images", SIGGRAPH 1984: A over B.
    """
    rgb_hwc = np.empty((*rgba_hwc.shape[:2], 3), np.uint8)
    behind = np.array(colour, np.uint16)
    for top in range(0, len(rgba_hwc), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        alpha = rgba_hwc[rows, :, 3:].astype(np.uint16)
        mixed = rgba_hwc[rows, :, :3] * alpha
        mixed += behind * (np.uint16(255) - alpha)
        # Divides by 255 with rounding, exactly, without a division (J. Blinn, 1994).
        mixed += np.uint16(128)
        mixed += mixed >> np.uint16(8)
        mixed >>= np.uint16(8)
        rgb_hwc[rows] = mixed
    return rgb_hwc
