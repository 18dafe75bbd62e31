"""Whole arrays as PNG files, which the pages' own code writes in strips."""

import numpy as np
import numpy.typing as npt

from pyside_logic.png import Ancillary, Density, strip_rows, write_png
from pyside_logic.resample import strips_of


def encode_png(
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], density: Density | None = None
) -> bytes:
    """As many strips as the encoder would make of them."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = strip_rows(width * channels * pixels.itemsize)
    strips = (pixels[some] for some in strips_of(height, rows))
    return write_png(strips, height, width, channels, 8 * pixels.itemsize, Ancillary(density))
