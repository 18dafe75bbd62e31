"""Photos of a size that is asked for, as a camera would write them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from exporter.errors import BenchError

__all__ = ["MEGAPIXELS", "photo_of"]

#: Sides in px, 3:2 as cameras have them.
MEGAPIXELS = {1: (1224, 816), 6: (3000, 2000), 12: (4242, 2828), 24: (6000, 4000)}

#: Of 255: enlarged pictures are smoother than what a sensor sees, and their PNGs smaller.
_NOISE = 2.0


def photo_of(picture: Path, megapixels: int) -> bytes:
    """`picture`, cropped to 3:2 and enlarged or reduced, with a sensor's noise, as a JPEG of
    quality 92. The same bytes for the same picture. Raises BenchError."""
    width, height = MEGAPIXELS[megapixels]
    try:
        with Image.open(picture) as opened:
            whole = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise BenchError(f"{picture}: Expected a picture to measure with: {error}") from error
    scale = min(whole.width / width, whole.height / height)
    left, top = (whole.width - width * scale) / 2, (whole.height - height * scale) / 2
    box = (left, top, left + width * scale, top + height * scale)
    sized = np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC, box), np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE, sized.shape[:2]).astype(np.float32)
    noisy = np.clip(sized + noise[..., None], 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
