"""WebP files: by Pillow where no browser writes them, and what they say beside their pixels.

Pillow is no part of what starts with the page: `bridge.py` fetches it the first time it is needed.
Format: RFC 9649.
"""

import io
import struct

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.png import Ancillary, without_removed

__all__ = ["encode_webp", "label_webp"]

#: A side has 14 bits.
_GREATEST_SIDE_PX = 16_383
_HAS_PROFILE, _HAS_ALPHA, _HAS_EXIF = 0x20, 0x10, 0x08
#: Pillow's 0 to 6, from fast to small: 4 is libwebp's own default and what browsers take.
_METHOD = 4
#: 0 to 100, from fast to small.
_LOSSLESS_EFFORT = 50


def encode_webp(pixels: npt.NDArray[np.uint8], quality: float, ancillary: Ancillary) -> bytes:
    """`pixels` (h, w), (h, w, 3) or (h, w, 4) straight, with `quality` from 0 to 1; alpha without
    loss, and at 1 every colour that is seen, as browsers do; nothing of what is under alpha 0.
    Raises `invalid_argument` for a side that WebP cannot have."""
    from PIL import Image

    height, width = pixels.shape[:2]
    if max(height, width) > _GREATEST_SIDE_PX:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.ENCODE,
            f"A WebP has sides of at most {_GREATEST_SIDE_PX} px, this one would have"
            f" {width} x {height}. Choose PNG.",
        )
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        # libwebp keeps one such colour of every 8 x 8 pixels, a mosaic of what was cut away.
        pixels = without_removed(pixels)
    file = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if quality == 1:
        picture.save(file, "WEBP", lossless=True, quality=_LOSSLESS_EFFORT)
    else:
        picture.save(file, "WEBP", quality=round(100 * quality), method=_METHOD)
    return label_webp(file.getvalue(), height, width, ancillary)


def label_webp(webp: bytes, height: int, width: int, ancillary: Ancillary) -> bytes:
    """`webp`, a picture of (height, width), with the profile and the EXIF of `ancillary`. One that
    has a profile keeps its own."""
    chunks = _chunks(webp)
    kinds = [kind for kind, _ in chunks]
    profile = ancillary.profile if b"ICCP" not in kinds else None
    if profile is None and ancillary.exif is None:
        return webp
    if kinds[0] == b"VP8X":
        flags = chunks.pop(0)[1][0]
    else:
        # One bit of a lossless picture's head says whether its alpha counts.
        lossless = kinds[0] == b"VP8L" and chunks[0][1][4] & 0x10
        flags = _HAS_ALPHA if lossless else 0
    if profile is not None:
        flags |= _HAS_PROFILE
        chunks.insert(0, (b"ICCP", profile))
    if ancillary.exif is not None:
        flags |= _HAS_EXIF
        chunks = [chunk for chunk in chunks if chunk[0] != b"EXIF"]
        chunks.append((b"EXIF", ancillary.exif))
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    chunks.insert(0, (b"VP8X", bytes([flags, 0, 0, 0]) + size))
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(webp: bytes) -> list[tuple[bytes, bytes]]:
    chunks = []
    at = 12
    while at + 8 <= len(webp):
        kind, length = struct.unpack_from("<4sI", webp, at)
        chunks.append((kind, webp[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return chunks
