"""Cut-outs whose alpha is given, as if `refine` had found it, and the files made of them."""

import io
from typing import Any

import numpy as np
from PIL import Image

from pyside_logic.cutout import Cutout
from pyside_logic.encode import encode
from pyside_logic.output_options import OutputOptions


def cut_out_of(rgba_hwc: np.ndarray, source_alpha_hw: np.ndarray | None = None) -> Cutout:
    """The cut-out `rgba_hwc`, (height, width, 4), of an opaque photo, or of one that came with
    `source_alpha_hw`."""
    photo_hwc = rgba_hwc.copy()
    photo_hwc[..., 3] = 255 if source_alpha_hw is None else source_alpha_hw
    cutout = Cutout(photo_hwc)
    cutout.rgba_hwc[..., 3] = rgba_hwc[..., 3]
    return cutout


def disc(height: int = 200, width: int = 260, radius: float = 60) -> np.ndarray:
    """A red disc in the middle of a green photo, with a soft edge; RGB is there everywhere."""
    y, x = np.mgrid[:height, :width] + 0.5
    away = np.hypot(y - height / 2, x - width / 2)
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = np.where((away < radius)[..., None], (220, 30, 20), (20, 120, 30))
    rgba[..., 3] = np.round(255 * np.clip(radius - away + 0.5, 0, 1))
    return rgba


def drawn(
    rgba: np.ndarray,
    values: dict[str, Any],
    *,
    source_alpha: np.ndarray | None = None,
    backdrop: np.ndarray | None = None,
) -> np.ndarray:
    """The PNG that `values` make of it, as Pillow reads it."""
    output = OutputOptions.from_dict(values)
    file = encode(cut_out_of(rgba, source_alpha), output, "cutout", backdrop_hwc=backdrop)
    picture = np.asarray(Image.open(io.BytesIO(file.data)))
    assert picture.shape[:2] == (file.height, file.width)
    return picture
