"""A PNG writer that keeps straight alpha.

A canvas stores premultiplied colours, so that what it exports has lost the RGB values under partial
alpha; this writes every one of them as it is. The browser has decoded the photo into sRGB already,
so that its own ICC profile would be wrong here: the file says sRGB and carries none. Format: W3C
PNG specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = ["Density", "encode_png"]

UInt8 = npt.NDArray[np.uint8]
#: Vertical and horizontal resolution in pixels per metre.
Density = tuple[int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _RGBA = 0, 2, 6
_SUB_FILTER = 1
_PERCEPTUAL_INTENT = 0
_PER_METRE = 1
#: Filtered bytes held at a time.
_STRIP_BYTES = 4 << 20


def encode_png(pixels: npt.NDArray[np.uint8], density: Density | None = None) -> bytes:
    """`pixels` as the bytes of an 8-bit sRGB file.

    `pixels` is uint8: (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA with
    straight alpha. RGB under alpha 0 becomes black, which nobody sees and which makes the typical
    cut-out a third of its size. `density` tells how large it is meant to be printed. Raises
    `invalid_argument` for other pixels.
    """
    colour_type = _colour_type(pixels)
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"sRGB", bytes([_PERCEPTUAL_INTENT])),
            b"" if density is None else _chunk(b"pHYs", _physical_size(density)),
            *(_chunk(b"IDAT", data) for data in _compressed(pixels)),
            _chunk(b"IEND", b""),
        ]
    )


def _physical_size(density: Density) -> bytes:
    vertical, horizontal = density
    return struct.pack(">IIB", horizontal, vertical, _PER_METRE)


def _colour_type(pixels: npt.NDArray[np.uint8]) -> int:
    found = {2: _GREY}.get(pixels.ndim)
    if pixels.ndim == 3:
        found = {3: _RGB, 4: _RGBA}.get(pixels.shape[2])
    if found is None or pixels.dtype != np.uint8 or pixels.size == 0:
        raise GossamerError(
            ErrorCode.INVALID_ARGUMENT,
            Stage.ENCODE,
            "Expected uint8 pixels of shape (height, width), (height, width, 3) or"
            f" (height, width, 4), received {pixels.dtype} {pixels.shape}.",
        )
    return found


def _compressed(pixels: UInt8) -> Iterator[bytes]:
    # Run lengths of the filtered bytes are nearly as small as matches for photographs, and on
    # transparency the same, in two thirds of the time.
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    rows_bytes = pixels[0].nbytes
    strip_rows = max(1, _STRIP_BYTES // rows_bytes)
    for top in range(0, len(pixels), strip_rows):
        data = deflate.compress(_filtered(pixels[top : top + strip_rows]).data)
        if data:
            yield data
    yield deflate.flush()


def _filtered(rows: UInt8) -> UInt8:
    """Scan lines of `rows`: a filter byte, then the difference to the pixel on the left."""
    channels = 1 if rows.ndim == 2 else rows.shape[2]
    if channels == 4:
        # As one integer a pixel, alpha on top: many times as fast as a boolean index.
        whole = np.ascontiguousarray(rows).view("<u4")
        rows = (whole * (whole > 0x00FFFFFF)).view(np.uint8)
    flat = rows.reshape(len(rows), -1)
    lines = np.empty((len(rows), 1 + flat.shape[1]), np.uint8)
    lines[:, 0] = _SUB_FILTER
    lines[:, 1 : 1 + channels] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=lines[:, 1 + channels :])
    return lines


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
