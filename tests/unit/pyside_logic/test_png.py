"""`png.py`, read back by Pillow."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from pyside_logic.encode import encode
from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.output_options import OutputOptions
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.resample import resize_bilinear
from tests.unit.pyside_logic.cut_outs import cut_out_of
from tests.unit.pyside_logic.png_files import encode_png


def read_back(content: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return np.asarray(picture)


@settings(max_examples=150, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([None, 3, 4]),
    seed=st.integers(0, 1000),
)
def test_every_pixel_comes_back(height: int, width: int, channels: int | None, seed: int) -> None:
    shape = (height, width) if channels is None else (height, width, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    expected = pixels.copy()
    if channels == 4:
        expected[expected[..., 3] == 0] = 0
    assert np.array_equal(read_back(encode_png(pixels)), expected)


def test_colours_under_faint_alpha_survive() -> None:
    pixels = np.zeros((1, 256, 4), np.uint8)
    pixels[0, :, 0] = np.arange(256)
    pixels[0, :, 3] = 1  # a canvas would give back 0 or 255 here
    assert np.array_equal(read_back(encode_png(pixels)), pixels)


def test_many_strips_and_views_that_are_not_contiguous() -> None:
    photo = np.tile(data.astronaut(), (4, 3, 1))
    assert np.array_equal(read_back(encode_png(photo)), photo)
    assert np.array_equal(read_back(encode_png(photo[::-2, ::3])), photo[::-2, ::3])


def test_resolution_is_written_where_it_is_known() -> None:
    pixels = np.zeros((3, 4), np.uint8)
    with_it = Image.open(io.BytesIO(encode_png(pixels, (5906, 11811))))
    assert with_it.info["dpi"] == pytest.approx((300, 150), abs=0.02)
    assert "dpi" not in Image.open(io.BytesIO(encode_png(pixels))).info


def test_the_source_is_not_written_to() -> None:
    pixels = np.full((3, 3, 4), 7, np.uint8)
    pixels[1, 1, 3] = 0
    before = pixels.copy()
    encode_png(pixels)
    assert np.array_equal(pixels, before)


def test_every_chunk_has_its_checksum_and_the_file_ends_with_iend() -> None:
    content = encode_png(np.zeros((9, 9, 4), np.uint8))
    at, kinds = 8, []
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        assert checksum == zlib.crc32(body)
        kinds.append(body[:4])
        at += 12 + length
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert b"sRGB" in kinds


def test_encode_writes_the_cut_out_or_its_alpha() -> None:
    pixels = np.random.default_rng(3).integers(1, 256, (5, 7, 4), np.uint8)
    assert np.array_equal(
        read_back(encode(cut_out_of(pixels), OutputOptions(), "cutout").data), pixels
    )
    assert np.array_equal(
        read_back(encode(cut_out_of(pixels), OutputOptions(), "alpha").data), pixels[..., 3]
    )


def test_encode_names_what_it_knows() -> None:
    with pytest.raises(GossamerError, match="Expected alpha or cutout") as caught:
        encode(cut_out_of(np.zeros((2, 2, 4), np.uint8)), OutputOptions(), "shadow")
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 1000))
def test_sixteen_bits_come_back(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 65536, (height, width), np.uint16)
    assert np.array_equal(read_back(encode_png(pixels)), pixels)


def test_alpha_in_sixteen_bits_is_more_than_eight_stretched() -> None:
    photo = np.full((60, 80, 4), 255, np.uint8)
    photo[:30, :, 3] = 128
    matte = np.linspace(0, 1, 5, dtype=np.float32)[None].repeat(3, axis=0)
    cutout = Cutout(photo, matte)
    cutout.ask_for_precision()
    plain = RefineOptions(sharpen=0, detail="none", decontaminate=False)
    refine(cutout, plain, lambda _done, _total: None)
    output = OutputOptions(depth=16)
    read = read_back(encode(cutout, output, "alpha").data)
    exact = resize_bilinear(matte, 60, 80) * 65535.0
    exact[:30] = np.minimum(exact[:30], 128 * 257)
    assert np.abs(read - exact).max() <= 0.51
    assert len(np.unique(read % 257)) > 50
    assert np.abs(read / 257 - cutout.rgba_hwc[..., 3]).max() <= 0.51
    cropped = encode(cutout, OutputOptions(depth=16, margin_px=0), "alpha")
    assert np.array_equal(read_back(cropped.data), read[:, 80 - cropped.width :])
    with pytest.raises(GossamerError, match="no 16 bits"):
        encode(cut_out_of(cutout.rgba_hwc), output, "alpha")
