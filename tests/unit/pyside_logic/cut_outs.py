"""Cut-outs whose alpha is given, as if `refine` had found it."""

import numpy as np

from pyside_logic.cutout import Cutout


def cut_out_of(rgba_hwc: np.ndarray, source_alpha_hw: np.ndarray | None = None) -> Cutout:
    """The cut-out `rgba_hwc`, (height, width, 4), of an opaque photo, or of one that came with
    `source_alpha_hw`."""
    photo_hwc = rgba_hwc.copy()
    photo_hwc[..., 3] = 255 if source_alpha_hw is None else source_alpha_hw
    cutout = Cutout(photo_hwc)
    cutout.rgba_hwc[..., 3] = rgba_hwc[..., 3]
    return cutout
