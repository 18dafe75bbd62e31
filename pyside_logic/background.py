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

#: So few that what is computed stays in the cache.
_STRIP_ROWS = 32


def over_colour(rgba_hwc: UInt8, colour: Colour) -> UInt8:
    """`rgba_hwc` (height, width, 4), straight, on `colour`: opaque (height, width, 3)."""
    return mix(np.array(colour, np.uint8), rgba_hwc[..., :3], rgba_hwc[..., 3:])


def mix(behind: UInt8, front: UInt8, alpha: UInt8) -> UInt8:
    """`front` over the opaque `behind`, exactly and rounded, as (rows, width, 3). Either may be one
    colour (3,); `alpha` is (rows, width, 1)."""
    shape = (*alpha.shape[:2], 3)
    behind, front = np.broadcast_to(behind, shape), np.broadcast_to(front, shape)
    mixed = np.array(behind)
    for rows in strips_of(len(alpha), _STRIP_ROWS):
        seen = np.flatnonzero(alpha[rows].any(axis=(0, 2)))
        if seen.size:
            part = rows, slice(int(seen[0]), int(seen[-1]) + 1)
            mixed[part] = _mixed(behind[part], front[part], alpha[part])
    return mixed


def _mixed(behind: UInt8, front: UInt8, alpha: UInt8) -> npt.NDArray[np.uint16]:
    # NumPy is many times slower where it has to repeat a value for each pixel's three.
    weights = np.repeat(alpha.astype(np.uint16), 3, axis=2)
    mixed = front * weights
    np.subtract(np.uint16(255), weights, out=weights)
    mixed += behind * weights
    # Divides by 255 with rounding, exactly, without a division (J. Blinn, 1994).
    mixed += np.uint16(128)
    mixed += mixed >> np.uint16(8)
    mixed >>= np.uint16(8)
    return mixed


def over(front_hwc: UInt8, behind_hwc: UInt8) -> UInt8:
    """Both (rows, width, 4) and straight, and so is what comes back. Where nothing is in front or
    nothing behind, the other's pixels are exactly as they were."""
    mixed = behind_hwc.copy()
    for rows in strips_of(len(front_hwc), _STRIP_ROWS):
        seen = np.flatnonzero(front_hwc[rows, :, 3].any(axis=0))
        if seen.size:
            part = rows, slice(int(seen[0]), int(seen[-1]) + 1)
            mixed[part] = _over(front_hwc[part], behind_hwc[part])
    return mixed


def _over(front: UInt8, behind: UInt8) -> npt.NDArray[np.float32]:
    front_alpha = front[..., 3].astype(np.float32)
    shining = behind[..., 3] * (1 - front_alpha * np.float32(1 / 255))
    alpha = front_alpha + shining
    share = shining / np.maximum(alpha, np.float32(1e-6))
    mixed = behind.astype(np.float32)
    mixed -= front
    mixed *= np.repeat(share[..., None], 4, axis=2)
    mixed += front
    mixed[..., 3] = alpha
    mixed += 0.5
    return mixed
