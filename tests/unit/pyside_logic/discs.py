"""A photo whose subject is known, and what becomes of it."""

import numpy as np

from pyside_logic.cutout import Cutout
from pyside_logic.refine import refine
from pyside_logic.refine_options import RefineOptions


def disc(height: int, width: int) -> np.ndarray:
    """A noisy photo with a bright disc in its middle, opaque."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(y - height / 2, x - width / 2) < height / 4
    rgba = np.random.default_rng(7).integers(0, 60, (height, width, 4)).astype(np.uint8)
    rgba[inside, :3] += 150
    rgba[..., 3] = 255
    return rgba


def matte_of(rgba_hwc: np.ndarray) -> np.ndarray:
    return (rgba_hwc[::4, ::4, 0] > 100).astype(np.float32)


def alpha(cutout: Cutout, **options: object) -> np.ndarray:
    refine(cutout, RefineOptions.from_dict(options), lambda _done, _total: None)
    return cutout.rgba_hwc[..., 3] / 255
