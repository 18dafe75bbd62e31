"""Picture files that lie, break, or want more than there is; all made here."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image
from skimage import data


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_file(
    width: int, height: int, depth: int, colour_type: int, rows: bytes, *extra: bytes
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", zlib.compress(rows, 9)),
            chunk(b"IEND", b""),
        ]
    )


def blank_png(width: int, height: int, *extra: bytes) -> bytes:
    """Whole and valid, black, one bit a pixel: hardly any bytes for any size."""
    return png_file(width, height, 1, 0, bytes((1 + (width + 7) // 8) * height), *extra)


def png_16_bit(rgb_hwc: np.ndarray) -> bytes:
    """The same colours in 16 bits."""
    height, width = rgb_hwc.shape[:2]
    rows = (rgb_hwc.astype(">u2") * 257).reshape(height, -1).view(np.uint8).reshape(height, -1)
    return png_file(width, height, 16, 2, b"".join(b"\0" + row.tobytes() for row in rows))


def saved(picture: Image.Image, format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_name, **options)
    return buffer.getvalue()


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    """`jpeg` with an EXIF segment of these bytes, whatever they are."""
    body = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def tiff(*entries: tuple[int, int, int, int], next_offset: int = 0, first: int = 8) -> bytes:
    """A big-endian EXIF block with (tag, type, count, value) entries."""
    block = b"MM\0*" + struct.pack(">I", first) + struct.pack(">H", len(entries))
    for tag, kind, count, value in entries:
        packed = struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value)
        block += struct.pack(">HHI", tag, kind, count) + packed
    return block + struct.pack(">I", next_offset)


CAT = Image.fromarray(data.chelsea()).resize((96, 64))
RGB = np.asarray(CAT)
JPEG = saved(CAT, "JPEG", quality=95)
PNG = saved(CAT, "PNG")
_OTHERS = [Image.new("RGB", CAT.size, colour) for colour in ("red", "lime", "blue")]
_ANIMATED = {"save_all": True, "append_images": _OTHERS, "duration": 40}
_PALETTE = CAT.quantize(64)
_HUGE = 0x7FFFFFFF

#: Name -> (file, largest mean difference from RGB in levels).
USABLE: dict[str, tuple[bytes, float]] = {
    "16 bit.png": (png_16_bit(RGB), 0.5),
    "palette with transparency.png": (saved(_PALETTE, "PNG", transparency=63), 12),
    "palette.png": (saved(_PALETTE, "PNG", optimize=True), 12),
    "animated.gif": (saved(CAT, "GIF", **_ANIMATED), 12),
    "animated.webp": (saved(CAT, "WEBP", lossless=True, **_ANIMATED), 0.5),
    "animated.png": (saved(CAT, "PNG", **_ANIMATED), 0.5),
    "four inks.jpg": (saved(CAT.convert("CMYK"), "JPEG", quality=95), 12),
    "broken profile.jpg": (saved(CAT, "JPEG", quality=95, icc_profile=b"no profile" * 40), 4),
    "broken profile.png": (saved(CAT, "PNG", icc_profile=b"\0" * 400), 0.5),
    "orientation 9999.jpg": (with_exif(JPEG, tiff((0x112, 3, 1, 9999))), 4),
    "no resolution.jpg": (with_exif(JPEG, tiff((0x11A, 5, 1, 8), (0x11B, 5, 1, _HUGE))), 4),
    "endless directories.jpg": (with_exif(JPEG, tiff((0x112, 3, 1, 1), next_offset=8)), 4),
    "directory nowhere.jpg": (with_exif(JPEG, tiff(first=_HUGE)), 4),
    "a billion values.jpg": (with_exif(JPEG, tiff((0x10F, 2, _HUGE, 8))), 4),
    "exif cut off.jpg": (with_exif(JPEG, b"MM\0*\0"), 4),
    "really a jpeg.png": (JPEG, 4),
    "really a png.txt": (PNG, 0.5),
    "text that inflates to 20 MB.png": (
        PNG[:33] + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000), 9)) + PNG[33:],
        0.5,
    ),
}

USABLE["profile that inflates to 100 MB.png"] = (
    PNG[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100_000_000), 9)) + PNG[33:],
    0.5,
)
USABLE["the oldest head.bmp"] = (
    b"BM"
    + struct.pack("<IHHI", 26 + RGB.size, 0, 0, 26)
    + struct.pack("<IHHHH", 12, *CAT.size, 1, 24)
    + RGB[::-1, :, ::-1].tobytes(),
    0.5,
)

_JPEG_SIZE = JPEG.index(b"\xff\xc0") + 5
_SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink'"
    b" width='96' height='64'><script>fetch('http://localhost:9/script')</script>"
    b"<image x:href='http://localhost:9/image' width='9' height='9'/>"
    b"<foreignObject><img src='http://localhost:9/img'/></foreignObject></svg>"
)


def _with_size(content: bytes, at: int, layout: str, *sides: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, *sides)
    return bytes(changed)


_WEBP = saved(CAT.convert("RGBA"), "WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
_GIF = saved(CAT, "GIF")
_BMP = saved(CAT, "BMP")
_AVIF = saved(CAT, "AVIF")
_PICTURE = _GIF.index(b"\x2c", 13 + 3 * 256)
_FRAME = JPEG[
    _JPEG_SIZE - 5 : _JPEG_SIZE - 3 + int.from_bytes(JPEG[_JPEG_SIZE - 3 : _JPEG_SIZE - 1])
]
_LATE_SIZE = _AVIF[:32] + struct.pack(">I", 70_000) + b"free" + bytes(69_992) + _AVIF[32:]

#: Name -> (file, the error's code).
REFUSED: dict[str, tuple[bytes, str]] = {
    "bomb of 18 kB.png": (blank_png(12_000, 12_000), "image_too_large"),
    "long side.png": (blank_png(40_000, 9), "image_too_large"),
    "30000 squared.png": (_with_size(PNG, 16, ">II", 30_000, 30_000), "image_too_large"),
    "four gigapixels.jpg": (_with_size(JPEG, _JPEG_SIZE, ">HH", 65_500, 65_500), "image_too_large"),
    "large screen.gif": (_with_size(_GIF, 6, "<HH", 65_535, 65_535), "image_too_large"),
    "large first picture.gif": (
        _with_size(_GIF, _PICTURE + 5, "<HH", 12_000, 12_000),
        "image_too_large",
    ),
    "large first frame.jpg": (
        _with_size(JPEG, _JPEG_SIZE, ">HH", 12_000, 12_000)[:-2] + _FRAME + JPEG[-2:],
        "image_too_large",
    ),
    "large picture on a small canvas.webp": (
        _with_size(_WEBP, _WEBP.index(b"VP8L") + 9, "<I", 0x1FFFFFFF),
        "image_too_large",
    ),
    "large far behind.avif": (
        _with_size(_LATE_SIZE, _LATE_SIZE.index(b"ispe") + 8, ">II", 16_000, 15_000),
        "image_too_large",
    ),
    "without a size.avif": (_AVIF.replace(b"ispe", b"ispx"), "corrupt_image"),
    "large canvas.webp": (
        _WEBP[:24] + b"\xff\x3f\0\xff\x3f\0" + _WEBP[30:],
        "image_too_large",
    ),
    "two gigapixels high.bmp": (_with_size(_BMP, 18, "<ii", 96, -_HUGE), "image_too_large"),
    "script.svg": (_SVG, "unsupported_format"),
    "script.png": (b"\xef\xbb\xbf<?xml version='1.0'?>" + _SVG, "unsupported_format"),
    "page.jpg": (b"<!doctype html><script>fetch('//x')</script>" * 9, "unsupported_format"),
    "tagged.tif": (saved(CAT, "TIFF"), "unsupported_format"),
    "cut in its data.png": (PNG[: len(PNG) // 2], "truncated_image"),
    "cut in its header.png": (PNG[:20], "truncated_image"),
    "cut.jpg": (JPEG[:-40], "truncated_image"),
    "cut in its tables.jpg": (JPEG[:100], "truncated_image"),
    "cut.webp": (_WEBP[:-200], "truncated_image"),
    "cut.bmp": (_BMP[:-1], "truncated_image"),
    "no rows.png": (png_file(96, 64, 8, 2, b""), "corrupt_image"),
    "no such depth.png": (png_file(96, 64, 5, 2, bytes(9999)), "corrupt_image"),
    "a line.png": (blank_png(3000, 7), "image_too_small"),
    "nothing.png": (b"", "empty_file"),
}  # fmt: skip
