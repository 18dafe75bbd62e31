"""`exif.py` and `tiff.py`: what goes with a cut-out, as Pillow reads it; no file breaks them."""

import io
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from pyside_logic.encode import encode
from pyside_logic.exif import carried_exif, exif_density
from pyside_logic.output_options import OutputOptions
from pyside_logic.source import Source
from pyside_logic.tiff import Entry, Tiff, read_tiff, write_tiff
from tests.unit.pyside_logic.cut_outs import cut_out_of

DESCRIPTION, MODEL, ORIENTATION, ARTIST = 0x010E, 0x0110, 0x0112, 0x013B
HOST, EXIF, GPS, XP_TITLE = 0x013C, 0x8769, 0x8825, 0x9C9B
EXPOSED, MAKER_NOTE, COMMENT, SERIAL, LENS = 0x9003, 0x927C, 0x9286, 0xA431, 0xA434

#: What is harmless, by the names that Exif 2.32 gives it.
KEPT = "ImageDescription Make Model Software DateTime Artist Copyright"
KEPT_DETAILS = """
    ExposureTime FNumber ExposureProgram ExposureMode ExposureBiasValue MeteringMode
    ISOSpeedRatings SensitivityType StandardOutputSensitivity RecommendedExposureIndex
    ShutterSpeedValue ApertureValue MaxApertureValue BrightnessValue LightSource Flash
    WhiteBalance GainControl Contrast Saturation Sharpness SceneCaptureType DigitalZoomRatio
    FocalLength FocalLengthIn35mmFilm LensSpecification LensMake LensModel ExifVersion
    DateTimeOriginal DateTimeDigitized OffsetTime OffsetTimeOriginal OffsetTimeDigitized
    SubsecTime SubsecTimeOriginal SubsecTimeDigitized ColorSpace ExifImageWidth ExifImageHeight
"""
MAY_HOLD_A_PREVIEW = "JpegIFOffset SubIFDs XMLPacket IPTCNAA ImageResources PrintImageMatching"
ABOUT_OTHER_PIXELS = "ImageWidth Orientation StripOffsets TileOffsets InterColorProfile"


def camera(orientation: int = 1, byte_order: str = "<") -> bytes:
    """As a camera writes it, thumbnail and maker's notes included."""
    exif = Image.Exif()
    exif.endian = byte_order
    exif[DESCRIPTION], exif[MODEL], exif[ARTIST] = "a cat", "Shutter 3000", "somebody"
    exif[ORIENTATION] = orientation
    exif[HOST] = "somebody's telephone"
    exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 150.0, 2
    exif.get_ifd(EXIF).update(
        {EXPOSED: "2026:01:02 03:04:05", SERIAL: "12345", LENS: "50 mm", 0x829A: 0.01}
    )
    exif.get_ifd(EXIF).update({MAKER_NOTE: b"secret" * 50, COMMENT: b"ASCII\0\0\0at home"})
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 29.0)})
    exif.get_ifd(0x8769)[0xA002] = 4000
    return exif.tobytes().removeprefix(b"Exif\0\0")


def carried(exif: bytes, metadata: str = "keep", **changes: Any) -> Image.Exif:
    given: dict[str, Any] = {"density": None, "colour_space": "srgb", **changes}
    data = carried_exif(exif, metadata, 30, 40, **given)
    read = Image.Exif()
    if data is not None:
        read.load(data)
    return read


def names(table: Mapping[int, Any]) -> set[str]:
    return {ExifTags.TAGS[tag] for tag in table if tag != EXIF}


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_by_default_who_when_and_with_what_but_not_where(byte_order: str) -> None:
    read = carried(camera(6, byte_order))
    assert dict(read) == {
        DESCRIPTION: "a cat",
        MODEL: "Shutter 3000",
        ARTIST: "somebody",
        EXIF: read[EXIF],
    }
    details = read.get_ifd(EXIF)
    assert details[EXPOSED] == "2026:01:02 03:04:05"
    assert details[LENS] == "50 mm"
    assert float(details[0x829A]) == pytest.approx(0.01)
    assert not {SERIAL, MAKER_NOTE, COMMENT} & set(details)
    assert (details[0xA001], details[0xA002], details[0xA003]) == (1, 40, 30)
    assert not read.get_ifd(GPS)


def test_nothing_personal_is_anywhere_in_the_bytes() -> None:
    data = carried_exif(camera(), "keep", 30, 40, None, "srgb")
    assert data is not None
    for secret in (b"12345", b"telephone", b"at home", b"secret"):
        assert secret in camera()
        assert secret not in data


def test_asked_for_all_of_it() -> None:
    read = carried(camera(6), "all")
    assert read[HOST] == "somebody's telephone"
    assert ORIENTATION not in read
    assert tuple(map(float, read.get_ifd(GPS)[2])) == (48, 51, 29)
    details = read.get_ifd(EXIF)
    assert details[SERIAL] == "12345"
    assert details[COMMENT].endswith(b"at home")
    assert MAKER_NOTE not in details


def test_what_goes_along_of_all_that_has_a_name() -> None:
    """The tables of a file have every tag that Pillow knows."""
    tags = {tag: Entry(2, 6, b"known\0") for tag in ExifTags.TAGS if tag not in (EXIF, GPS)}
    whole = write_tiff(Tiff("<", main=tags, exif=tags))
    read = carried(whole)
    main, details = names(read), names(read.get_ifd(EXIF))
    assert main == set(KEPT.split())
    assert details == set(KEPT_DETAILS.split())
    read = carried(whole, "all")
    assert {HOST, XP_TITLE} <= set(read)
    assert not names(read) & {*MAY_HOLD_A_PREVIEW.split(), *ABOUT_OTHER_PIXELS.split()}
    assert not {0x9101, 0x9102, MAKER_NOTE, 0xA000, 0xA005} & set(read.get_ifd(EXIF))


def test_the_thumbnail_with_the_background_never_goes_along() -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(thumbnail, "JPEG")
    jpeg = thumbnail.getvalue()
    main = Tiff("<", main={DESCRIPTION: Entry(2, 6, b"a cat\0")})
    first = write_tiff(main)
    at = len(first) + 2 + 2 * 12 + 4
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, at, 0x0202, 4, 1, len(jpeg), 0)
    with_it = bytearray(first + second + jpeg)
    struct.pack_into("<I", with_it, 8 + 2 + 12, len(first))  # where the next table is
    assert with_it.endswith(jpeg)
    for metadata in ("keep", "all"):
        data = carried_exif(bytes(with_it), metadata, 3, 4, None, "srgb")
        assert data is not None
        assert jpeg[:20] not in data
        assert not carried(bytes(with_it), metadata).get_ifd(1)


@pytest.mark.parametrize(
    ("orientation", "expected"), [(1, (5906, 11811)), (3, (5906, 11811)), (6, (11811, 5906))]
)
def test_resolution_is_upright(orientation: int, expected: tuple[int, int]) -> None:
    assert exif_density(camera(orientation)) == expected


@pytest.mark.parametrize(("unit", "expected"), [(None, 11811), (2, 11811), (3, 30_000), (1, None)])
def test_resolution_is_in_inches_or_centimetres(unit: int | None, expected: int | None) -> None:
    """Or in no unit at all: then it is only a ratio."""
    exif = Image.Exif()
    exif[0x011A] = exif[0x011B] = 300.0
    if unit is not None:
        exif[0x0128] = unit
    density = exif_density(exif.tobytes().removeprefix(b"Exif\0\0"))
    assert density == (expected and (expected, expected))


def test_the_new_file_tells_its_own_resolution_and_colours() -> None:
    read = carried(camera(), density=(3937, 11811), colour_space="display-p3")
    assert float(read[0x011A]) == pytest.approx(300, abs=0.01)
    assert float(read[0x011B]) == pytest.approx(100, abs=0.01)
    assert read[0x0128] == 2
    assert read.get_ifd(EXIF)[0xA001] == 0xFFFF


@pytest.mark.parametrize(
    "exif", [None, b"", b"II", b"MM\0*\0\0\0\x08", b"no TIFF at all", bytes(99)]
)
def test_what_is_no_exif_is_nothing(exif: bytes | None) -> None:
    assert carried_exif(exif, "all", 3, 4, (1, 1), "srgb") is None
    assert exif_density(exif) is None


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e9])
def test_absurd_resolutions_are_none(value: float) -> None:
    exif = Image.Exif()
    exif[0x011A] = exif[0x011B] = value
    assert exif_density(exif.tobytes().removeprefix(b"Exif\0\0")) is None


@pytest.mark.parametrize("density", [(0, 3937), (3937, 0), (2_000_000_000, 2_000_000_000)])
def test_an_absurd_resolution_beside_the_exif_is_none(density: tuple[int, int]) -> None:
    pixels = np.full((3, 4, 4), 255, np.uint8)
    source = Source(density, camera())
    picture = Image.open(
        io.BytesIO(encode(cut_out_of(pixels), OutputOptions(), "cutout", source).data)
    )
    assert picture.info["dpi"] == pytest.approx((300, 150), abs=0.02)  # the EXIF's
    bare = encode(cut_out_of(pixels), OutputOptions(), "cutout", Source(density))
    assert "dpi" not in Image.open(io.BytesIO(bare.data)).info


def test_many_entries_of_the_same_bytes_are_no_more_than_a_jpeg_holds() -> None:
    """508 entries in either table, and all of them are the same 32 KB."""

    def table(first_tag: int, pointer: int = 0) -> bytes:
        entries = [(tag, 7, 32_768, 8) for tag in range(first_tag, first_tag + 508)]
        if pointer:
            entries = [(tag, *rest) for tag, *rest in entries if tag not in (EXIF, GPS)]
            entries.append((EXIF, 4, 1, pointer))
        packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return struct.pack("<H", len(entries)) + packed + bytes(4)

    main = table(0x8800, 1)
    data = b"II*\0" + struct.pack("<I", 8) + table(0x8800, 8 + len(main)) + table(0xA430)
    written = carried_exif(data.ljust(65_000, b"x"), "all", 3, 4, None, "srgb")
    assert written is not None
    assert 32_768 < len(written) < 70_000


def test_a_fraction_of_nothing_is_none() -> None:
    entry = Entry(5, 1, struct.pack("<II", 300, 0))
    assert exif_density(write_tiff(Tiff("<", main={0x011A: entry, 0x011B: entry}))) is None


ENTRIES = st.dictionaries(
    st.integers(1, 0xFFFE).filter(lambda tag: tag not in (EXIF, GPS)),
    st.binary(min_size=1, max_size=40).map(lambda data: Entry(7, len(data), data)),
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(main=ENTRIES, exif=ENTRIES, gps=ENTRIES, order=st.sampled_from("<>"))
def test_what_is_written_is_read_again(
    main: dict[int, Entry], exif: dict[int, Entry], gps: dict[int, Entry], order: str
) -> None:
    tiff = Tiff(order, main, exif, gps)
    assert read_tiff(write_tiff(tiff)) == tiff


@settings(max_examples=400, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(2, 800), st.integers(0, 255)), max_size=30),
    length=st.integers(0, 900),
    metadata=st.sampled_from(["keep", "all"]),
)
def test_damaged_exif_never_raises(
    edits: list[tuple[int, int]], length: int, metadata: str
) -> None:
    damaged = bytearray(camera())
    for at, value in edits:
        if at < len(damaged):
            damaged[at] = value
    data = bytes(damaged[:length])
    exif_density(data)
    written = carried_exif(data, metadata, 3, 4, (3937, 3937), "srgb")
    if written is not None:
        assert len(written) < 300_000
        read = read_tiff(written)
        assert read is not None
        assert not {ORIENTATION, 0x0201, 0x014A} & set(read.main)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), order=st.sampled_from([b"II*\0", b"MM\0*"]))
def test_noise_never_raises(data: bytes, order: bytes) -> None:
    exif_density(order + data)
    carried_exif(order + data, "all", 3, 4, None, "srgb")


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
def test_it_is_in_the_file_where_pillow_finds_it(kind: str) -> None:
    source = Source(exif=camera(6), has_profile=True)
    pixels = np.random.default_rng(1).integers(0, 256, (30, 40, 4), np.uint8)
    file = encode(cut_out_of(pixels), OutputOptions(type=kind), "cutout", source)
    picture = Image.open(io.BytesIO(file.data))
    assert picture.getexif()[ARTIST] == "somebody"
    assert picture.getexif().get_ifd(EXIF)[0xA002] == 40
    if kind == "image/png":
        assert picture.info["dpi"] == pytest.approx((150, 300), abs=0.02)  # turned
    assert float(picture.getexif()[0x011A]) == pytest.approx(150, abs=0.01)
    for other in ("none", "all"):
        file = encode(
            cut_out_of(pixels), OutputOptions(type=kind, metadata=other), "cutout", source
        )
        found = Image.open(io.BytesIO(file.data)).getexif()
        assert bool(found.get_ifd(GPS)) == (other == "all")
        assert (ARTIST in found) == (other == "all")


@pytest.mark.parametrize("metadata", ["keep", "none"])
def test_a_webp_without_exif_tells_how_large_it_is_printed(metadata: str) -> None:
    pixels = np.full((90, 70, 4), 255, np.uint8)
    output = OutputOptions.from_dict(
        {"preset": "id-photo", "type": "image/webp", "metadata": metadata}
    )
    written = Image.open(io.BytesIO(encode(cut_out_of(pixels), output, "cutout").data)).getexif()
    assert (float(written[0x011A]), float(written[0x011B]), written[0x0128]) == (300, 300, 2)
    photos = encode(
        cut_out_of(pixels), OutputOptions(type="image/webp"), "cutout", Source(density=(3937, 5906))
    )
    found = Image.open(io.BytesIO(photos.data)).getexif()
    assert float(found[0x011A]) == pytest.approx(150, abs=0.02)
    assert float(found[0x011B]) == pytest.approx(100, abs=0.02)
    unknown = encode(cut_out_of(pixels), OutputOptions(type="image/webp"), "cutout")
    assert not Image.open(io.BytesIO(unknown.data)).getexif()
