"""What is known of the photo that a cut-out was made from."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from pyside_logic.png import Density

__all__ = ["ColourSpace", "Source"]

ColourSpace = Literal["srgb", "display-p3"]


@dataclass(frozen=True, eq=False)
class Source:
    """`density`: what the file says outside of its EXIF. `exif`: the TIFF structure in the file, as
    it was. `has_profile`: whether an ICC profile was in it. `colour_space`: that of the pixels as
    they were decoded.

    `alpha_hw`: the alpha that the photo came with, None for an opaque one. `precise_alpha_hw`: the
    cut-out's in 16 bits, where it was asked for.
    """

    density: Density | None = None
    exif: bytes | None = None
    has_profile: bool = False
    colour_space: ColourSpace = "srgb"
    alpha_hw: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    precise_alpha_hw: npt.NDArray[np.uint16] | None = field(default=None, repr=False)
