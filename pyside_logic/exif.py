"""What of a photo's EXIF goes with its cut-out.

By default what says who made it, when, with what and of what: fields that are known to be harmless,
and no others. Asked for all, places, serial numbers and names too. Never the thumbnail, which shows
the background that was taken out, a maker's own notes, which nobody can read and move, nor the
orientation, because the pixels are upright.
"""

import struct

from pyside_logic.png import Density
from pyside_logic.source import ColourSpace
from pyside_logic.tiff import Entry, Tiff, read_tiff, write_tiff

__all__ = ["carried_exif", "credible_density", "exif_density", "exif_of_density"]

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_COLOUR_SPACE, _WIDTH, _HEIGHT = 0xA001, 0xA002, 0xA003

#: ImageDescription, Make, Model, Software, DateTime, Artist, Copyright.
_KEPT = {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298}
#: How it was exposed, when, and through which kind of lens.
_KEPT_EXIF = {
    *(0x829A, 0x829D, 0x8822, 0x8827, 0x8830, 0x8831, 0x8832, 0x9000, 0x9003, 0x9004),
    *(0x9010, 0x9011, 0x9012, 0x9201, 0x9202, 0x9203, 0x9204, 0x9205, 0x9207, 0x9208),
    *(0x9209, 0x920A, 0x9290, 0x9291, 0x9292, 0xA402, 0xA403, 0xA404, 0xA405, 0xA406),
    *(0xA407, 0xA408, 0xA409, 0xA40A, 0xA432, 0xA433, 0xA434),
}
#: About the stored pixels, not about the photo: wrong for any other file.
_OF_THE_FILE = {
    *range(0x00FE, 0x010A),
    *(0x0111, _ORIENTATION, 0x0115, 0x0116, 0x0117, _X_RESOLUTION, _Y_RESOLUTION, 0x011C),
    *(_RESOLUTION_UNIT, 0x012D, 0x013D, 0x013E, 0x013F, 0x0140, 0x0142, 0x0143, 0x0144, 0x0145),
    *(0x014A, 0x0152, 0x0153, 0x015B, 0x0200, 0x0201, 0x0202, 0x0211, 0x0212, 0x0213, 0x0214),
    *(0x02BC, 0x83BB, 0x8649, 0x8773, 0xC4A5),
}
#: MakerNote, FlashPix, and the interoperability pointer.
_NEVER_EXIF = {0x927C, 0xA000, _COLOUR_SPACE, _WIDTH, _HEIGHT, 0xA005, 0x9101, 0x9102}

_SHORT, _LONG, _RATIONAL = 3, 4, 5
_INCH, _CENTIMETRE = 2, 3
_SRGB, _UNCALIBRATED = 1, 0xFFFF
_MOST_PER_METRE = 10_000_000


def credible_density(density: Density | None) -> Density | None:
    """The same, or None where nothing is so coarse or so fine."""
    if density is None or not all(1 <= value <= _MOST_PER_METRE for value in density):
        return None
    return density


def exif_density(exif: bytes | None) -> Density | None:
    """The resolution that `exif` gives, of the upright picture; None where it gives none."""
    tiff = read_tiff(exif) if exif else None
    if tiff is None:
        return None
    unit = _first(tiff, _RESOLUTION_UNIT) or _INCH
    per_metre = {_INCH: 1 / 0.0254, _CENTIMETRE: 100.0}.get(int(unit))
    horizontal, vertical = _first(tiff, _X_RESOLUTION), _first(tiff, _Y_RESOLUTION)
    if per_metre is None or horizontal is None or vertical is None:
        return None
    density = credible_density((round(vertical * per_metre), round(horizontal * per_metre)))
    if density is None:
        return None
    lies = 5 <= (_first(tiff, _ORIENTATION) or 1) <= 8
    return (density[1], density[0]) if lies else density


def _first(tiff: Tiff, tag: int) -> float | None:
    entry = tiff.main.get(tag)
    numbers = tiff.numbers(entry) if entry else ()
    return numbers[0] if numbers else None


def carried_exif(
    exif: bytes | None,
    metadata: str,
    height: int,
    width: int,
    density: Density | None,
    colour_space: ColourSpace,
) -> bytes | None:
    """The TIFF structure for a file of (height, width) px: what `metadata` ('keep' or 'all') lets
    through of `exif`, and what is true of the new file. None where nothing is left."""
    tiff = read_tiff(exif) if exif else None
    if tiff is None:
        return None
    order = tiff.byte_order
    carried = Tiff(order)
    if metadata == "all":
        carried.main = {tag: e for tag, e in tiff.main.items() if tag not in _OF_THE_FILE}
        carried.exif = {tag: e for tag, e in tiff.exif.items() if tag not in _NEVER_EXIF}
        carried.gps = tiff.gps
    else:
        carried.main = {tag: e for tag, e in tiff.main.items() if tag in _KEPT}
        carried.exif = {tag: e for tag, e in tiff.exif.items() if tag in _KEPT_EXIF}
    if not (carried.main or carried.exif or carried.gps):
        return None
    if density is not None:
        carried.main.update(_resolution(order, density))
    carried.exif[_COLOUR_SPACE] = _short(order, _SRGB if colour_space == "srgb" else _UNCALIBRATED)
    for tag, length in ((_WIDTH, width), (_HEIGHT, height)):
        carried.exif[tag] = Entry(_LONG, 1, struct.pack(f"{order}I", length))
    return write_tiff(carried)


def exif_of_density(density: Density) -> bytes:
    """A TIFF structure that says nothing else, for formats that have no other place for it."""
    return write_tiff(Tiff("<", _resolution("<", density)))


def _resolution(order: str, density: Density) -> dict[int, Entry]:
    entries = {_RESOLUTION_UNIT: _short(order, _INCH)}
    for tag, per_metre in ((_X_RESOLUTION, density[1]), (_Y_RESOLUTION, density[0])):
        # To a hundredth of a pixel per inch, and whole where it was whole.
        per_inch = round(per_metre * 2.54)
        entries[tag] = Entry(_RATIONAL, 1, struct.pack(f"{order}II", per_inch, 100))
    return entries


def _short(order: str, value: int) -> Entry:
    return Entry(_SHORT, 1, struct.pack(f"{order}H", value))
