"""`image-header.js` on real files of every format, whole and cut off."""

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from pyside_logic.icc import icc_profile

from .conftest import RunJs

READ = """
const header = module.readImageHeader(new Uint8Array(readFileSync(given.path)))
for (const name of ['exif', 'profile']) {
  if (header?.[name]) header[name] = Buffer.from(header[name]).toString('base64')
}
return header
"""


def encoded(format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(data.chelsea()).save(buffer, format_name, **options)
    return buffer.getvalue()


def read(run_js: RunJs, tmp_path: Path, content: bytes) -> Any:
    path = tmp_path / "picture"
    path.write_bytes(content)
    return run_js("pipeline/image-header.js", READ, path=str(path))


FILES = {
    "jpeg": encoded("JPEG", exif=Image.Exif()),
    "jpeg progressive": encoded("JPEG", progressive=True, quality=95),
    "jpeg restart": encoded("JPEG", restart_marker_blocks=4),
    "png": encoded("PNG"),
    "gif": encoded("GIF"),
    "webp": encoded("WEBP"),
    "webp lossless": encoded("WEBP", lossless=True),
    "webp extended": encoded("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "bmp": encoded("BMP"),
    "avif": encoded("AVIF"),
}
EMPTY_TIFF = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
HAVE_EXIF = ("jpeg", "webp extended")
HAVE_NO_END = ("gif", "avif")


@pytest.mark.parametrize("name", FILES)
def test_whole_files(run_js: RunJs, tmp_path: Path, name: str) -> None:
    assert read(run_js, tmp_path, FILES[name]) == {
        "format": name.split()[0],
        "height": 300,
        "width": 451,
        "density": {"vertical": 3780, "horizontal": 3780} if name == "bmp" else None,
        "exif": base64.b64encode(EMPTY_TIFF).decode() if name in HAVE_EXIF else None,
        "profile": None,
        "complete": True,
    }


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "BMP"])
def test_resolution(run_js: RunJs, tmp_path: Path, format_name: str) -> None:
    found = read(run_js, tmp_path, encoded(format_name, dpi=(300, 150)))
    assert found["density"] == {"vertical": 5906, "horizontal": 11811}


def test_resolution_in_centimetres_and_the_shape_of_a_pixel(run_js: RunJs, tmp_path: Path) -> None:
    jfif = bytearray(encoded("JPEG", dpi=(60, 50)))
    at = jfif.index(b"JFIF\0") + 7
    assert jfif[at] == 1
    jfif[at] = 2
    assert read(run_js, tmp_path, bytes(jfif))["density"] == {"vertical": 5000, "horizontal": 6000}
    jfif[at] = 0
    assert read(run_js, tmp_path, bytes(jfif))["density"] is None


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_exif_and_profile_are_found(run_js: RunJs, tmp_path: Path, format_name: str) -> None:
    """A profile of 100 kB comes in two segments of a JPEG."""
    profile = icc_profile("display-p3") + bytes(100_000)
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    found = read(run_js, tmp_path, encoded(format_name, exif=exif, icc_profile=profile))
    assert base64.b64decode(found["exif"]) == exif.tobytes().removeprefix(b"Exif\0\0")
    received = base64.b64decode(found["profile"])
    assert (zlib.decompress(received) if format_name == "PNG" else received) == profile
    assert found["complete"]


def heic(picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=80, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format_name", ["AVIF", "HEIC"])
def test_exif_and_profile_are_found_among_items(
    run_js: RunJs, tmp_path: Path, format_name: str
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    said = {"exif": exif.tobytes(), "icc_profile": icc_profile("display-p3")}
    photo = Image.fromarray(data.chelsea())
    content = heic(photo, **said) if format_name == "HEIC" else encoded("AVIF", **said)
    found = read(run_js, tmp_path, content)
    assert base64.b64decode(found["exif"]) == exif.tobytes().removeprefix(b"Exif\0\0")
    assert base64.b64decode(found["profile"]) == said["icc_profile"]
    at = content.index(exif.tobytes().removeprefix(b"Exif\0\0"))
    assert read(run_js, tmp_path, content[: at + 9])["exif"] is None


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def test_items_of_a_great_many_pieces_of_no_size_cost_no_time(
    run_js: RunJs, tmp_path: Path
) -> None:
    """2 MB that tell of 13,000,000,000 pieces: the page reads this before anything decodes."""
    exif = box(b"infe", bytes([2, 0, 0, 0, 0, 9, 0, 0]) + b"Exif")
    items = box(b"iinf", bytes([0, 0, 0, 0, 0, 1]) + exif)
    others = struct.pack(">IHHH", 1, 0, 0, 0xFFFF) * 200_000
    places = box(b"iloc", bytes([2, 0, 0, 0, 0, 0]) + struct.pack(">I", 200_000) + others)
    size = box(b"ispe", bytes(4) + struct.pack(">II", 64, 48))
    head = box(b"ftyp", b"heic" + bytes(4) + b"heic")
    content = head + box(b"meta", bytes(4) + items + places + size)
    found = read(run_js, tmp_path, content)
    assert (found["height"], found["width"], found["exif"]) == (48, 64, None)


@pytest.mark.parametrize("name", [name for name in FILES if name not in HAVE_NO_END])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.999])
def test_cut_off_files(run_js: RunJs, tmp_path: Path, name: str, kept: float) -> None:
    content = FILES[name][: int(kept * len(FILES[name]))]
    assert not read(run_js, tmp_path, content)["complete"]


def test_the_end_of_an_embedded_thumbnail_is_not_the_end(run_js: RunJs, tmp_path: Path) -> None:
    thumbnail = FILES["jpeg"][:60000]
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    cut_off = FILES["jpeg"][:2] + segment + FILES["jpeg"][2:-100]
    assert not read(run_js, tmp_path, cut_off)["complete"]


def test_bytes_after_the_end_do_no_harm(run_js: RunJs, tmp_path: Path) -> None:
    assert read(run_js, tmp_path, FILES["jpeg"] + bytes(5000))["complete"]


def test_heif_whole_and_cut_off(run_js: RunJs, tmp_path: Path) -> None:
    content = heic(Image.fromarray(data.chelsea()[:, :450]))
    found = read(run_js, tmp_path, content)
    assert (found["format"], found["height"], found["width"]) == ("heif", 300, 450)
    assert found["complete"]
    for length in (len(content) - 1, len(content) // 2, 40):
        assert not read(run_js, tmp_path, content[:length])["complete"]


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, I am text", b"%PDF-1.7", bytes(100), b"\0\0\0\x14ftypqt  \0\0\0\0qt  "],
)
def test_other_files(run_js: RunJs, tmp_path: Path, content: bytes) -> None:
    assert read(run_js, tmp_path, content) is None


def test_a_box_without_a_length_ends_nothing(run_js: RunJs, tmp_path: Path) -> None:
    """Eight bytes of length that say 0: whoever went on by that would stay there."""
    brands = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    header = read(run_js, tmp_path, brands + b"\0\0\0\x01mdat" + bytes(32))
    assert header["format"] == "heif"


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**31))
def test_damaged_files_never_throw(run_js: RunJs, tmp_path: Path, seed: int) -> None:
    sources = [list(content[:3000]) for content in FILES.values()]
    body = """
    let state = given.seed + 1
    const random = (n) => (state = (state * 48271) % 2147483647) % n
    let tried = 0
    for (const source of given.sources) for (let round = 0; round < 60; round++) {
      const bytes = Uint8Array.from(source).slice(0, 8 + random(source.length))
      for (let k = 0; k < 12; k++) bytes[8 + random(Math.max(1, bytes.length - 8))] = random(256)
      const header = module.readImageHeader(bytes)
      if (header && !Number.isInteger(header.height * header.width)) return header
      tried++
    }
    return tried
    """
    assert run_js("pipeline/image-header.js", body, seed=seed, sources=sources) == 60 * len(sources)


# ---- what says less than a decoder takes ---------------------------------------------------------


def size(found: Any) -> tuple[int, int]:
    return found["height"], found["width"]


def test_a_gif_is_as_large_as_its_first_picture_needs(run_js: RunJs, tmp_path: Path) -> None:
    """Chromium and Firefox make the screen larger for it."""
    content = bytearray(encoded("GIF", comment=b"behind a comment"))
    at = content.index(b"\x2c", content.index(b"behind a comment"))
    struct.pack_into("<HH", content, 6, 64, 400)
    assert size(read(run_js, tmp_path, bytes(content))) == (400, 451)
    struct.pack_into("<HHHH", content, at + 1, 7, 9, 12_000, 11_000)
    assert size(read(run_js, tmp_path, bytes(content))) == (11_009, 12_007)
    assert not read(run_js, tmp_path, bytes(content[: at + 5]))["complete"]


def boxed(content: bytes, before_meta: bytes) -> bytes:
    """An AVIF or HEIC file with more between its first box and the others."""
    first = int.from_bytes(content[:4], "big")
    return content[:first] + before_meta + content[first:]


def test_an_avif_whose_size_comes_late_has_one(run_js: RunJs, tmp_path: Path) -> None:
    free = struct.pack(">I", 70_000) + b"free" + bytes(69_992)
    late = boxed(FILES["avif"], free)
    assert size(read(run_js, tmp_path, late)) == (300, 451)
    wide = struct.pack(">I4sQ", 1, b"free", 70_000) + bytes(69_984)
    assert size(read(run_js, tmp_path, boxed(FILES["avif"], wide))) == (300, 451)
    # What is not there yet is no size: a thumbnail's may come first.
    cut = read(run_js, tmp_path, late[: late.index(b"ispe") + 20])
    assert (size(cut), cut["complete"]) == ((0, 0), False)
    # And what stands elsewhere is none either.
    lie = b"\0\0\0\x1cfree" + FILES["avif"][FILES["avif"].index(b"ispe") :][:20]
    without = boxed(FILES["avif"].replace(b"ispe", b"ispx"), lie)
    assert size(read(run_js, tmp_path, without)) == (0, 0)


def test_of_several_frames_of_a_jpeg_the_largest_counts(run_js: RunJs, tmp_path: Path) -> None:
    """Decoders take the first one, and make room for it before they come to the next."""
    at = FILES["jpeg"].index(b"\xff\xc0")
    frame = bytearray(FILES["jpeg"][at : at + 2 + int.from_bytes(FILES["jpeg"][at + 2 : at + 4])])
    struct.pack_into(">HH", frame, 5, 64, 96)
    found = read(run_js, tmp_path, FILES["jpeg"][:-2] + bytes(frame) + b"\xff\xd9")
    assert (size(found), found["complete"]) == ((300, 451), True)


@pytest.mark.parametrize("name", ["webp", "webp lossless"])
def test_the_picture_of_a_webp_counts_with_its_canvas(
    run_js: RunJs, tmp_path: Path, name: str
) -> None:
    canvas = b"VP8X\x0a\0\0\0\0\0\0\0" + struct.pack("<I", 95)[:3] + struct.pack("<I", 63)[:3]
    between = b"ICCP" + struct.pack("<I", 200_000) + bytes(200_000)
    body = b"WEBP" + canvas + between + FILES[name][12:]
    content = b"RIFF" + struct.pack("<I", len(body)) + body
    assert size(read(run_js, tmp_path, content)) == (300, 451)
    assert size(read(run_js, tmp_path, content[:100_000])) == (0, 0)  # not known yet


def test_the_oldest_head_of_a_bmp(run_js: RunJs, tmp_path: Path) -> None:
    head = struct.pack("<IHHHH", 12, 96, 64, 1, 24)
    content = b"BM" + struct.pack("<IHHI", 26 + 3 * 96 * 64, 0, 0, 26) + head + bytes(3 * 96 * 64)
    assert size(read(run_js, tmp_path, content)) == (64, 96)


@pytest.mark.parametrize("size_mb", [0.07, 3])
def test_a_size_is_found_wherever_it_stands(run_js: RunJs, tmp_path: Path, size_mb: float) -> None:
    """By the beginning of the file where that is enough; nothing shows what has none."""
    body = """
      const file = new File([readFileSync(given.path)], 'photo.avif')
      return module.inspect(file, file.name).catch(({ code, message }) => ({ code, message }))
    """
    path = tmp_path / "picture"
    free = struct.pack(">I", int(size_mb * 1e6)) + b"free" + bytes(int(size_mb * 1e6) - 8)
    content = bytearray(boxed(FILES["avif"], free))
    path.write_bytes(content)
    found = run_js("pipeline/inspect.js", body, path=str(path))
    assert (found["format"], size(found)) == ("avif", (300, 451))
    struct.pack_into(">II", content, content.index(b"ispe") + 8, 16_000, 15_000)
    path.write_bytes(content)
    assert run_js("pipeline/inspect.js", body, path=str(path))["code"] == "image_too_large"
    path.write_bytes(content.replace(b"ispe", b"ispx"))
    assert run_js("pipeline/inspect.js", body, path=str(path))["code"] == "corrupt_image"
