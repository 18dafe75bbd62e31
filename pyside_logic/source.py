"""What a photo's file says beside its pixels."""

from dataclasses import dataclass
from typing import Literal

from pyside_logic.png import Density

__all__ = ["ColourSpace", "Source"]

ColourSpace = Literal["srgb", "display-p3"]


@dataclass(frozen=True)
class Source:
    """`density`: what the file says outside of its EXIF. `exif`: the TIFF structure in the file, as
    it was. `has_profile`: whether an ICC profile was in it. `colour_space`: that of the pixels as
    they were decoded.
    """

    density: Density | None = None
    exif: bytes | None = None
    has_profile: bool = False
    colour_space: ColourSpace = "srgb"
