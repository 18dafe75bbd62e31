"""The two colour profiles that Gossamer writes.

A browser decodes a photo into sRGB or Display P3, whatever its file had: the file's own profile
would then be wrong. Format: ICC.1:2010 (version 4.3), a matrix and one curve.
"""

import struct
from functools import cache

from pyside_logic.source import ColourSpace

__all__ = ["icc_profile"]

#: Red, green and blue under D50, as IEC 61966-2-1 (sRGB) and Apple's Display P3 have them.
_PRIMARIES = {
    "srgb": ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)),
    "display-p3": (
        (0.51512, 0.24120, -0.00105),
        (0.29198, 0.69225, 0.04189),
        (0.15710, 0.06657, 0.78407),
    ),
}
_NAMES = {"srgb": "sRGB", "display-p3": "Display P3"}
_D50 = (0.9642, 1.0, 0.82491)
#: From D65 to D50, by Bradford's matrix.
_ADAPTATION = (
    *(1.04788, 0.02292, -0.05022),
    *(0.02959, 0.99048, -0.01707),
    *(-0.00925, 0.01508, 0.75168),
)
#: IEC 61966-2-1: y = (a x + b)^g from d on, c x below.
_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_HEADER_BYTES = 128
_DATE = (2024, 1, 1, 0, 0, 0)


@cache
def icc_profile(colour_space: ColourSpace) -> bytes:
    """The profile of RGB colours in `colour_space`, about half a kilobyte."""
    red, green, blue = (_xyz(primary) for primary in _PRIMARIES[colour_space])
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(_CURVE)
    tags = {
        b"desc": _text(_NAMES[colour_space]),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(_ADAPTATION),
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table = struct.pack(">I", len(tags))
    body = b""
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    at: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in at:  # the three curves are one
            at[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at[data], len(data))
    return _header(start + len(body)) + table + body


def _header(size: int) -> bytes:
    header = struct.pack(">I4x", size) + b"\x04\x30\x00\x00" + b"mntrRGB XYZ "
    header += struct.pack(">6H", *_DATE) + b"acsp" + bytes(28) + _fixed(_D50)
    return header.ljust(_HEADER_BYTES, b"\0")


def _fixed(values: tuple[float, ...]) -> bytes:
    """s15Fixed16Numbers."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return (
        b"mluc"
        + bytes(4)
        + struct.pack(">II", 1, 12)
        + b"enUS"
        + struct.pack(">II", len(encoded), 28)
        + encoded
    )
