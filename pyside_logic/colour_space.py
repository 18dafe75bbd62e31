"""The same colour in another RGB space.

Display P3 has sRGB's curve and white and wider primaries: IEC 61966-2-1 and SMPTE RP 431-2.
"""

import numpy as np

from pyside_logic.colours import Colour
from pyside_logic.source import ColourSpace

__all__ = ["in_space"]

#: Linear sRGB to linear Display P3 (both D65), as CSS Color Module Level 4 derives it.
_SRGB_TO_P3 = np.array(
    [[0.8224621, 0.1775380, 0.0], [0.0331941, 0.9668058, 0.0], [0.0170827, 0.0723974, 0.9105199]]
)


def in_space(colour: Colour, space: ColourSpace) -> Colour:
    """`colour`, which people write in sRGB, as pixels of `space` have it."""
    if space == "srgb":
        return colour
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    wide = np.clip(_SRGB_TO_P3 @ linear, 0, 1)
    curved = np.where(wide <= 0.0031308, 12.92 * wide, 1.055 * wide ** (1 / 2.4) - 0.055)
    red, green, blue = (int(value) for value in np.round(255 * curved))
    return red, green, blue
