"""A PNG writer that keeps straight alpha.

A canvas stores premultiplied colours, so that what it exports has lost the RGB values under partial
alpha; this writes every one of them as it is. Format: W3C PNG specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops

__all__ = [
    "Ancillary",
    "Density",
    "scan_lines",
    "strip_rows",
    "without_removed",
    "write_png",
]

UInt8 = npt.NDArray[np.uint8]
#: 8 or 16 bits.
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
#: Vertical and horizontal resolution in pixels per metre.
Density = tuple[int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: By channels.
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
_SUB_FILTER = 1
_PERCEPTUAL_INTENT = 0
_PER_METRE = 1
_ZLIB_HEADER = b"\x78\x01"
_LAST_BLOCK = b"\x03\x00"
#: Of deflate.c.
_BLOCK_BYTES = 1 << 18
#: Filtered bytes held at a time.
_STRIP_BYTES = 4 << 20


@dataclass(frozen=True)
class Ancillary:
    """What a file says beside its pixels. `density`: how large it is meant to be printed.
    `profile`: the ICC profile of its colours; None: they are sRGB. `exif`: a TIFF structure."""

    density: Density | None = None
    profile: bytes | None = None
    exif: bytes | None = None


def strip_rows(row_bytes: int) -> int:
    """How many rows are best written at a time."""
    return max(1, _STRIP_BYTES // row_bytes)


def write_png(
    strips: Iterable[Pixels],
    height: int,
    width: int,
    channels: int,
    depth: int,
    ancillary: Ancillary,
) -> bytes:
    """The bytes of a file of a picture that comes in strips from top to bottom.

    Strips are uint8: (rows, width) grey, (rows, width, 3) RGB or (rows, width, 4) RGBA with
    straight alpha; or uint16 grey, with a `depth` of 16. RGB under alpha 0 becomes black, which
    nobody sees and which makes the typical cut-out a third of its size.
    """
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    pixels = (_chunk(b"IDAT", data) for data in _compressed(strips))
    chunks = [_chunk(b"IHDR", header), *_ancillary_chunks(ancillary), *pixels]
    return b"".join([_SIGNATURE, *chunks, _chunk(b"IEND", b"")])


def _ancillary_chunks(ancillary: Ancillary) -> Iterator[bytes]:
    if ancillary.profile is None:
        yield _chunk(b"sRGB", bytes([_PERCEPTUAL_INTENT]))
    else:
        yield _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(ancillary.profile, 9))
    if ancillary.density is not None:
        vertical, horizontal = ancillary.density
        yield _chunk(b"pHYs", struct.pack(">IIB", horizontal, vertical, _PER_METRE))
    if ancillary.exif is not None:
        yield _chunk(b"eXIf", ancillary.exif)


def _compressed(strips: Iterable[Pixels]) -> Iterator[bytes]:
    lines = (scan_lines(rows) for rows in strips)
    return _by_loops(lines) if loops else _by_zlib(lines)


def _by_zlib(lines: Iterable[UInt8]) -> Iterator[bytes]:
    # Run lengths of the filtered bytes are nearly as small as matches for photographs, and on
    # transparency the same, in two thirds of the time.
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    for some in lines:
        data = deflate.compress(some.data)
        if data:
            yield data
    yield deflate.flush()


def _by_loops(lines: Iterable[UInt8]) -> Iterator[bytes]:
    """The same, a few per cent larger and many times as fast: deflate.c."""
    assert loops
    yield _ZLIB_HEADER
    checksum = zlib.adler32(b"")
    for some in lines:
        checksum = zlib.adler32(some.data, checksum)
        blocks = some.size // _BLOCK_BYTES + 3
        data = np.empty(some.size + some.size // 2 + 512 * blocks, np.uint8)
        yield data[: loops.deflate(some, some.size, data)].tobytes()
    yield _LAST_BLOCK + struct.pack(">I", checksum)


def scan_lines(rows: Pixels) -> UInt8:
    """`rows` as a PNG has them before compression: a filter byte, then the differences to the pixel
    on the left, uint8 (rows, bytes)."""
    channels = 1 if rows.ndim == 2 else rows.shape[2]
    step = channels * rows.itemsize
    if channels == 4 and loops:
        height, width = rows.shape[:2]
        lines = np.empty((height, 1 + 4 * width), np.uint8)
        room = np.empty(4 * width, np.uint8)
        loops.scan_lines(np.ascontiguousarray(rows), height, width, lines, room)
        return lines
    if channels == 4:
        rows = without_removed(rows.astype(np.uint8, copy=False))
    if rows.itemsize == 2:
        rows = rows.astype(">u2")  # the order of every number in a PNG
    flat = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    lines = np.empty((len(rows), 1 + flat.shape[1]), np.uint8)
    lines[:, 0] = _SUB_FILTER
    lines[:, 1 : 1 + step] = flat[:, :step]
    np.subtract(flat[:, step:], flat[:, :-step], out=lines[:, 1 + step :])
    return lines


def without_removed(rgba_hwc: UInt8) -> UInt8:
    """A copy of `rgba_hwc` (height, width, 4), straight, with black under alpha 0, where the photo
    still has what was cut away."""
    # As one integer a pixel, alpha on top: many times as fast as a boolean index.
    whole = np.ascontiguousarray(rgba_hwc).view("<u4")
    return (whole * (whole > 0x00FFFFFF)).view(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
