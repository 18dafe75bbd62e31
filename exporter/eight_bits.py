"""Pictures of more than eight bits a channel, and of fractions, in eight."""

from pathlib import Path

import numpy as np
from PIL import Image

from exporter.errors import PictureError

__all__ = ["eight_bits", "straight"]

#: What may be white where a grey has more than eight bits, or fractions: that which is the least.
#: In 32 bits Pillow holds both what it has made of eight and what it has read of sixteen.
_WHITES = {
    **dict.fromkeys(("I;16", "I;16B", "I;16L", "I;16N"), (65535,)),
    "I": (255, 65535),
    "F": (1, 255),
}


def eight_bits(name: Path | str, picture: Image.Image) -> Image.Image:
    """Pillow would cut more bits off at 255, and fractions off to 0. Mode LA where one of the greys
    is transparent. Raises PictureError."""
    whites = _WHITES.get(picture.mode)
    if whites is None:
        return picture
    numbers = np.asarray(picture)
    white = next((white for white in whites if numbers.max() <= white), None)
    if white is None:  # NaN is below nothing
        raise PictureError(
            f"{name}: Expected greys from 0 to {' or '.join(map(str, whites))}, received numbers "
            f"up to {numbers.max():g}. Save it with 8 or 16 bits a pixel."
        )
    levels = np.round(numbers.clip(0, white) * (255 / white)).astype(np.uint8)
    grey = Image.fromarray(levels)
    transparent = picture.info.get("transparency")
    if transparent is not None:
        alpha = Image.fromarray(np.where(numbers == transparent, 0, 255).astype(np.uint8))
        grey = Image.merge("LA", (grey, alpha))
    if "icc_profile" in picture.info:
        grey.info["icc_profile"] = picture.info["icc_profile"]
    return grey


def straight(picture: Image.Image) -> Image.Image:
    """Pillow converts grey with premultiplied alpha to this alone."""
    return picture.convert("LA") if picture.mode == "La" else picture
