"""Levels become the numbers that a network was trained on, as in web/js/pipeline/normalise.js."""

import numpy as np
import numpy.typing as npt

from exporter.catalog import InputSpec

__all__ = ["normalise"]


def normalise(rgb_hwc: npt.NDArray[np.uint8], spec: InputSpec) -> npt.NDArray[np.float32]:
    """float32 (1, 3, h, w) of a picture (h, w, 3) at the network's size."""
    picture = rgb_hwc.astype(np.float64)
    picture /= max(picture.max(), 1e-6) if spec.scale == "max" else 255
    picture = (picture - np.array(spec.mean)) / np.array(spec.std)
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32))
