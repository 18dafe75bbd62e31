"""What a cut-out stands on.

T. Porter and T. Duff, "Compositing digital images", SIGGRAPH 1984: A over B. Mixes values as they
are, as browsers and editors do, so that a cut-out looks as it did there.
"""

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour
from pyside_logic.resample import strips_of

__all__ = ["mix", "over", "over_colour"]

UInt8 = npt.NDArray[np.uint8]

_STRIP_ROWS = 64


def over_colour(rgba_hwc: UInt8, colour: Colour) -> UInt8:
    """`rgba_hwc` (height, width, 4), straight, on `colour`: opaque (height, width, 3)."""
    rgb_hwc = np.empty((*rgba_hwc.shape[:2], 3), np.uint8)
    behind = np.array(colour, np.uint8)
    for rows in strips_of(len(rgba_hwc), _STRIP_ROWS):
        rgb_hwc[rows] = mix(behind, rgba_hwc[rows, :, :3], rgba_hwc[rows, :, 3:])
    return rgb_hwc


def mix(behind: UInt8, front: UInt8, alpha: UInt8) -> UInt8:
    """`front` over the opaque `behind`, exactly and rounded. The three broadcast."""
    mixed = front * alpha.astype(np.uint16)
    mixed += behind * (np.uint16(255) - alpha)
    # Divides by 255 with rounding, exactly, without a division (J. Blinn, 1994).
    mixed += np.uint16(128)
    mixed += mixed >> np.uint16(8)
    mixed >>= np.uint16(8)
    return mixed.astype(np.uint8)


def over(front_hwc: UInt8, behind_hwc: UInt8) -> UInt8:
    """Both (rows, width, 4) and straight, and so is what comes back. Where nothing is in front or
    nothing behind, the other's pixels are exactly as they were."""
    front_alpha = front_hwc[..., 3].astype(np.float32)
    shining = behind_hwc[..., 3] * (1 - front_alpha / 255)
    alpha = front_alpha + shining
    share = (shining / np.maximum(alpha, 1e-6))[..., None]
    mixed = np.empty(front_hwc.shape, np.float32)
    mixed[..., :3] = front_hwc[..., :3] + share * (
        behind_hwc[..., :3].astype(np.float32) - front_hwc[..., :3]
    )
    mixed[..., 3] = alpha
    mixed += 0.5
    return mixed.astype(np.uint8)
