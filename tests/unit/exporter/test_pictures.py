"""Pictures as browsers show them, whatever their EXIF, their profile, their depth and state."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from skimage import data

from exporter.errors import PictureError
from exporter.pictures import (
    PhotoFile,
    is_wide,
    photo_of_image,
    read_grey,
    read_photo,
    read_photo_bytes,
    read_size,
)
from pyside_logic.exif import carried_exif
from pyside_logic.icc import icc_profile

WIDE = icc_profile("display-p3")


def file_of(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read(contents: bytes) -> PhotoFile:
    return read_photo_bytes("photo", contents, WIDE)


# ---- EXIF ----------------------------------------------------------------------------------------

ASCII, SHORT, UNDEFINED = 2, 3, 7
ORIENTATION, X_RESOLUTION, COMPRESSION, ARTIST = 0x0112, 0x011A, 0x0103, 0x013B

#: What EXIF's orientations say, on rows and columns.
UPRIGHT: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored),
}


def exif_of(*entries: tuple[int, int, bytes]) -> bytes:
    """Of (tag, type, up to four bytes), in any order."""
    table = b"".join(
        struct.pack(">HHI4s", tag, kind, len(value) // (2 if kind == SHORT else 1), value)
        for tag, kind, value in sorted(entries)
    )
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries))
    return b"Exif\0\0" + head + table + bytes(4)


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    "other",
    [
        (X_RESOLUTION, UNDEFINED, b"wide"),
        (COMPRESSION, ASCII, b"six\0"),
        (COMPRESSION, SHORT, b"\0\6"),
    ],
    ids=["a number as bytes", "a number as text", "as it should be"],
)
def test_a_photo_is_turned_upright_whatever_else_its_exif_says(
    orientation: int, other: tuple[int, int, bytes]
) -> None:
    stored = data.coffee()[100:120, 200:230]
    exif = exif_of((ORIENTATION, SHORT, struct.pack(">H", orientation)), other)
    photo = read(file_of(Image.fromarray(stored), exif=exif))
    assert np.array_equal(photo.rgba_hwc[..., :3], UPRIGHT[orientation](stored))
    assert photo.exif == exif.removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0no TIFF", b"Exif\0\0MM\0*", exif_of((ORIENTATION, ASCII, b"six\0"))]
)
def test_a_photo_whose_exif_is_damaged_is_shown_as_it_lies(exif: bytes) -> None:
    stored = data.coffee()[100:120, 200:230]
    photo = read(file_of(Image.fromarray(stored), exif=exif))
    assert np.array_equal(photo.rgba_hwc[..., :3], stored)


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
TURNED = exif_of((ORIENTATION, SHORT, b"\0\6"))
SILENT = exif_of((COMPRESSION, SHORT, b"\0\6"))


def with_text(name: str, text: str, *, compressed: bool = False) -> dict[str, Any]:
    info = PngInfo()
    (info.add_text if compressed else info.add_itxt)(name, text, zip=compressed)
    return {"pnginfo": info}


@pytest.mark.parametrize(
    ("kind", "options", "lies"),
    [
        ("JPEG", {"exif": TURNED}, True),
        ("PNG", {"exif": TURNED}, True),
        ("AVIF", {"exif": TURNED}, True),
        ("WEBP", {"exif": TURNED}, False),
        ("JPEG", {"xmp": XMP}, False),
        ("JPEG", {"xmp": XMP, "exif": SILENT}, False),
        ("PNG", with_text("XML:com.adobe.xmp", XMP.decode()), False),
        (
            "PNG",
            with_text("Raw profile type exif", f"\nexif\n8\n{TURNED.hex()}\n", compressed=True),
            False,
        ),
        ("WEBP", {"xmp": XMP}, False),
    ],
)  # fmt: skip
def test_only_that_orientation_counts_which_browsers_know(
    tmp_path: Path, kind: str, options: dict[str, Any], lies: bool
) -> None:
    """`tests/e2e/test_cut_out.py` asks Chromium the same."""
    contents = file_of(Image.new("RGB", (30, 20)), kind, **options)
    (tmp_path / "photo").write_bytes(contents)
    expected = (30, 20) if lies else (20, 30)
    assert read(contents).rgba_hwc.shape[:2] == expected
    assert read_size(tmp_path / "photo") == expected


# ---- TIFF ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_tiff_gives_its_resolution_and_its_author_or_none(compression: str | None) -> None:
    exif = Image.Exif()
    exif[ARTIST], exif[ORIENTATION] = "somebody", 6
    options = {"exif": exif, "compression": compression}
    photo = read(file_of(Image.new("RGB", (30, 20)), "TIFF", dpi=(300, 150), **options))
    assert photo.rgba_hwc.shape[:2] == (30, 20)
    assert photo.density == (11811, 5906)
    written = Image.Exif()
    written.load(carried_exif(photo.exif, "keep", 30, 20, photo.density, "srgb") or b"")
    assert written[ARTIST] == "somebody"
    assert read(file_of(Image.new("RGB", (30, 20)), "TIFF")).density is None


def test_a_jpeg_with_exif_has_no_resolution_unless_it_says_so() -> None:
    photo = read(file_of(Image.new("RGB", (30, 20)), "JPEG", exif=SILENT))
    assert photo.density is None


# ---- damaged files -------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [b"iloc", b"mdat"])
def test_a_damaged_avif_is_told_like_any_other(tmp_path: Path, box: bytes) -> None:
    """Where its pictures are, and what is in them."""
    whole = file_of(Image.fromarray(data.coffee()[:64, :64]), "AVIF")
    start = whole.index(box) + 4
    damaged = whole[:start] + bytes(16) + whole[start + 16 :]
    (tmp_path / "photo.avif").write_bytes(damaged)
    with pytest.raises(PictureError, match=r"^photo: Expected a whole picture"):
        read(damaged)
    with pytest.raises(PictureError, match=r"photo\.avif: Expected a whole picture"):
        read_photo(tmp_path / "photo.avif")


@pytest.mark.parametrize("space", [b"RGB\x9d", b"\xff\xff\xff\xff", b"\x80GB "])
def test_a_profile_of_an_unknown_space_is_ignored(space: bytes) -> None:
    profile = WIDE[:16] + space + WIDE[20:]
    assert not is_wide(profile)
    photo = read(file_of(Image.new("RGB", (16, 16), (200, 60, 30)), icc_profile=profile))
    assert (photo.rgba_hwc == (200, 60, 30, 255)).all()
    assert not photo.is_wide


@pytest.mark.parametrize(
    ("kind", "kept", "told"),
    [
        ("JPEG", 0, r"the file is empty \(0 bytes\)"),
        ("AVIF", 200, "Expected a whole picture"),
        ("TIFF", 1000, "Expected a whole picture"),
        ("PNG", 1000, "Expected a whole picture"),
    ],
)
def test_a_file_that_is_cut_off_says_so(kind: str, kept: int, told: str) -> None:
    with pytest.raises(PictureError, match=told):
        read(file_of(Image.fromarray(data.coffee()[:64, :64]), kind)[:kept])


def test_a_folder_is_for_another_command(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"received a folder\. `gossamer batch`"):
        read_photo(tmp_path)


# ---- colours -------------------------------------------------------------------------------------


def grey_profile(gamma: float) -> bytes:
    """ICC.1:2010, a profile of one curve."""
    white = struct.pack(">3i", 63190, 65536, 54061)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + white,
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2),
    }
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4x", start + len(body)) + b"\x02\x40\0\0mntrGRAYXYZ "
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + body


LINEAR = grey_profile(1)
GREY, SEEN = (100, 168)  # of the linear profile, and in sRGB
RED, RED_SEEN = (200, 60, 30), (217, 42, 0)  # of Display P3, and in sRGB
DEEP = Image.fromarray(np.full((16, 16), GREY * 257, np.uint16))


@pytest.mark.parametrize(
    ("picture", "options", "seen"),
    [
        (Image.new("L", (16, 16), GREY), {"icc_profile": LINEAR}, (*[SEEN] * 3, 255)),
        (Image.new("LA", (16, 16), (GREY, 90)), {"icc_profile": LINEAR}, (*[SEEN] * 3, 90)),
        (DEEP, {"icc_profile": LINEAR}, (*[SEEN] * 3, 255)),
        (DEEP, {"transparency": GREY * 257}, (0, 0, 0, 0)),
        (DEEP, {"transparency": GREY * 257 + 1}, (*[GREY] * 3, 255)),
        (DEEP, {"icc_profile": LINEAR, "transparency": 7}, (*[SEEN] * 3, 255)),
        (
            Image.new("L", (16, 16), GREY),
            {"icc_profile": LINEAR, "transparency": GREY},
            (0, 0, 0, 0),
        ),
        (Image.new("RGB", (16, 16), RED), {"icc_profile": WIDE}, (*RED_SEEN, 255)),
        (
            Image.new("RGB", (16, 16), RED),
            {"icc_profile": WIDE, "transparency": RED},
            (0, 0, 0, 0),
        ),
        (Image.new("RGB", (16, 16), RED).quantize(4), {"icc_profile": WIDE}, (*RED_SEEN, 255)),
        (
            Image.new("RGB", (16, 16), RED).quantize(4),
            {"icc_profile": WIDE, "transparency": b"\x5a" * 4},
            (*RED_SEEN, 90),
        ),
        # Profiles of another kind of picture.
        (Image.new("RGB", (16, 16), RED), {"icc_profile": LINEAR}, (*RED, 255)),
        (Image.new("RGB", (16, 16), RED).quantize(4), {"icc_profile": LINEAR}, (*RED, 255)),
    ],
)  # fmt: skip
def test_colours_are_those_of_chromium(
    tmp_path: Path, picture: Image.Image, options: dict[str, Any], seen: tuple[int, ...]
) -> None:
    (tmp_path / "photo.png").write_bytes(file_of(picture, **options))
    assert np.abs(read_photo(tmp_path / "photo.png").astype(int) - seen).max() <= 1


def test_a_palette_keeps_its_wide_colours() -> None:
    photo = read(file_of(Image.new("RGB", (16, 16), RED).quantize(4), icc_profile=WIDE))
    assert photo.is_wide
    assert (photo.rgba_hwc == (*RED, 255)).all()


GREYS = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(GREYS / np.float32(255)),
        Image.fromarray(GREYS.astype(np.float32)),
        Image.fromarray(GREYS.astype(np.int32)),
        Image.fromarray(GREYS.astype(np.int32) * 257),
        Image.fromarray(GREYS).convert("LA").convert("La"),
    ],
    ids=["fractions", "floats", "integers", "sixteen bits", "premultiplied"],
)
def test_a_grey_is_read_in_whatever_numbers_it_comes(picture: Image.Image) -> None:
    for photo in [photo_of_image(picture, WIDE)] + (
        [] if picture.mode == "La" else [read(file_of(picture, "TIFF"))]
    ):
        assert np.array_equal(photo.rgba_hwc[..., 0], GREYS)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        (GREYS.astype(np.float32) * 257, "from 0 to 1 or 255, received numbers up to 65535"),
        (np.full((16, 16), np.nan, np.float32), "received numbers up to nan"),
        (GREYS.astype(np.int32) * 70_000, "from 0 to 255 or 65535, received numbers up to"),
    ],
)
def test_numbers_that_may_mean_anything_are_refused(numbers: npt.NDArray[Any], told: str) -> None:
    with pytest.raises(PictureError, match=f"photo: Expected greys.* {told}"):
        read(file_of(Image.fromarray(numbers), "TIFF"))


# ---- one meaning a pixel -------------------------------------------------------------------------


def test_a_truth_is_alpha_where_there_is_some_and_grey_elsewhere(tmp_path: Path) -> None:
    path, grey = tmp_path / "truth.png", Image.fromarray(GREYS)
    red = Image.new("RGB", grey.size, "red")
    opaque = Image.new("L", grey.size, 255)
    for truth in (
        grey,
        Image.merge("RGB", (grey, grey, grey)),
        Image.merge("LA", (grey, opaque)),
        Image.merge("LA", (opaque, grey)),
        Image.merge("RGBA", (*red.split(), grey)),
    ):
        truth.save(path)
        assert np.array_equal(read_grey(path), GREYS)
    for colours in (red, Image.merge("RGBA", (*red.split(), opaque)), red.quantize(4)):
        colours.save(path)
        with pytest.raises(PictureError, match=r"truth\.png: Expected a picture in grey, or a cut"):
            read_grey(path)
