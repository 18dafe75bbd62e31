"""Reads and writes the TIFF structure that EXIF is.

Nothing in such a file can be trusted: whatever does not fit is left out, entry by entry. Values are
carried as they are, in their own byte order. Format: TIFF 6.0, section 2; CIPA DC-008 (Exif 2.32).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Entry", "Tiff", "read_tiff", "write_tiff"]

#: Bytes of one value, by type: the twelve of TIFF 6.0, and Exif 3.0's UTF-8 as 129.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 129: 1}
_MAGIC = 42
EXIF_POINTER, GPS_POINTER = 0x8769, 0x8825
#: More entries than any camera writes; a longer table is a wrong offset.
_MOST_ENTRIES = 512
#: A field of text or numbers is smaller; what is larger is a picture or a maker's own.
_MOST_BYTES = 32_768
#: What a JPEG's segment holds. Entries of a few bytes may all point at the same large value.
_MOST_BYTES_IN_ALL = 65_536
_LONG = 4


class Entry(NamedTuple):
    """`data`: `values` of the TIFF type `type`, in the byte order of the file."""

    type: int
    values: int
    data: bytes


@dataclass
class Tiff:
    """`byte_order` is '<' or '>'. The three tables hold entries by tag, without pointers."""

    byte_order: str
    main: dict[int, Entry] = field(default_factory=dict)
    exif: dict[int, Entry] = field(default_factory=dict)
    gps: dict[int, Entry] = field(default_factory=dict)

    def numbers(self, entry: Entry) -> tuple[float, ...]:
        """The values of whole numbers and fractions; of other types, and of fractions of nothing,
        none."""
        letter = {1: "B", 3: "H", 4: "I", 9: "i"}.get(entry.type)
        if letter:
            return struct.unpack(f"{self.byte_order}{entry.values}{letter}", entry.data)
        if entry.type not in (5, 10):
            return ()
        letter = "I" if entry.type == 5 else "i"
        parts = struct.unpack(f"{self.byte_order}{2 * entry.values}{letter}", entry.data)
        pairs = list(zip(parts[::2], parts[1::2], strict=True))
        return tuple(a / b for a, b in pairs) if all(b for _, b in pairs) else ()


def read_tiff(data: bytes) -> Tiff | None:
    """None for what is no TIFF structure at all. Entries beyond _MOST_BYTES_IN_ALL are left out."""
    byte_order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if byte_order is None or len(data) < 8:
        return None
    magic, first = struct.unpack_from(f"{byte_order}HI", data, 2)
    if magic != _MAGIC:
        return None
    tiff = Tiff(byte_order)
    room = _MOST_BYTES_IN_ALL
    tiff.main, pointers = _read_table(data, byte_order, first, room)
    if EXIF_POINTER in pointers:
        room -= _value_bytes(tiff.main)
        tiff.exif, _ = _read_table(data, byte_order, pointers[EXIF_POINTER], room)
    if GPS_POINTER in pointers:
        room -= _value_bytes(tiff.exif)
        tiff.gps, _ = _read_table(data, byte_order, pointers[GPS_POINTER], room)
    return tiff


def _read_table(
    data: bytes, order: str, at: int, room: int
) -> tuple[dict[int, Entry], dict[int, int]]:
    """The entries at the offset `at`, of which no more than `room` bytes, and where the pointers
    among them lead."""
    entries: dict[int, Entry] = {}
    pointers: dict[int, int] = {}
    if at + 2 > len(data):
        return entries, pointers
    (count,) = struct.unpack_from(f"{order}H", data, at)
    if count > _MOST_ENTRIES:
        return entries, pointers
    for index in range(count):
        start = at + 2 + 12 * index
        if start + 12 > len(data):
            break
        tag, kind, values, offset = struct.unpack_from(f"{order}HHII", data, start)
        size = _SIZES.get(kind, 0) * values
        if not 0 < size <= _MOST_BYTES:
            continue
        if tag in (EXIF_POINTER, GPS_POINTER):
            pointers[tag] = offset
            continue
        first = start + 8 if size <= 4 else offset
        if first + size <= len(data) and tag not in entries and size <= room:
            entries[tag] = Entry(kind, values, data[first : first + size])
            room -= size
    return entries, pointers


def _value_bytes(table: Mapping[int, Entry]) -> int:
    return sum(len(entry.data) for entry in table.values())


def write_tiff(tiff: Tiff) -> bytes:
    """The same structure with nothing else in it. Empty tables are left out."""
    order = tiff.byte_order
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", _MAGIC, 8)
    pointers = {tag: Entry(_LONG, 1, bytes(4)) for tag, table in _subtables(tiff) if table}
    at = 8 + _table_bytes({**tiff.main, **pointers})
    for tag, table in _subtables(tiff):
        if table:
            pointers[tag] = Entry(_LONG, 1, struct.pack(f"{order}I", at))
            at += _table_bytes(table)
    tables = [{**tiff.main, **pointers}, *(table for _, table in _subtables(tiff) if table)]
    written, at = [head], len(head)
    for table in tables:
        written.append(_write_table(table, order, at))
        at += len(written[-1])
    return b"".join(written)


def _subtables(tiff: Tiff) -> tuple[tuple[int, dict[int, Entry]], ...]:
    return (EXIF_POINTER, tiff.exif), (GPS_POINTER, tiff.gps)


def _table_bytes(table: Mapping[int, Entry]) -> int:
    outside = sum(_even(len(entry.data)) for entry in table.values() if len(entry.data) > 4)
    return 2 + 12 * len(table) + 4 + outside


def _even(length: int) -> int:
    return length + length % 2


def _write_table(table: Mapping[int, Entry], order: str, start: int) -> bytes:
    fixed = [struct.pack(f"{order}H", len(table))]
    outside: list[bytes] = []
    value_at = start + 2 + 12 * len(table) + 4
    for tag, entry in sorted(table.items()):
        fixed.append(struct.pack(f"{order}HHI", tag, entry.type, entry.values))
        if len(entry.data) <= 4:
            fixed.append(entry.data.ljust(4, b"\0"))
        else:
            fixed.append(struct.pack(f"{order}I", value_at))
            outside.append(entry.data + bytes(len(entry.data) % 2))
            value_at += len(outside[-1])
    fixed.append(struct.pack(f"{order}I", 0))  # no further table: no thumbnail
    return b"".join(fixed + outside)
