"""`webp.py`, read back by Pillow and, chunk by chunk, by the format's own rules."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.icc import icc_profile
from pyside_logic.png import Ancillary
from pyside_logic.webp import encode_webp, label_webp

NOTHING = Ancillary()
EXIF = b"MM\0*\0\0\0\x08\0\0\0\0\0\0\0"  # of odd length: chunks are padded


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([None, 3, 4]),
    seed=st.integers(0, 99),
)
def test_pictures_of_any_size_come_back(
    height: int, width: int, channels: int | None, seed: int
) -> None:
    shape = (height, width) if channels is None else (height, width, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    picture = opened(encode_webp(pixels, 1.0, NOTHING))
    assert picture.size == (width, height)
    if channels == 4:
        read = np.asarray(picture.convert("RGBA"))
        assert np.array_equal(read[..., 3], pixels[..., 3])
        assert np.array_equal(read[pixels[..., 3] > 0], pixels[pixels[..., 3] > 0])
        lossy = opened(encode_webp(pixels, 0.5, NOTHING)).convert("RGBA")
        assert np.array_equal(np.asarray(lossy)[..., 3], pixels[..., 3])
    even = np.full(shape, 180, np.uint8)
    read = np.asarray(opened(encode_webp(even, 0.9, NOTHING)).convert("RGB")).astype(int)
    assert np.abs(read - 180).max() <= 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_labels_change_no_pixel(mode: str, lossless: bool) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (21, 33, len(mode)), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=lossless)
    plain = buffer.getvalue()
    labelled = label_webp(plain, 21, 33, Ancillary(None, icc_profile("srgb"), EXIF))
    before, after = opened(plain), opened(labelled)
    assert after.mode == before.mode
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert after.info["icc_profile"] == icc_profile("srgb")
    assert after.info["exif"] == EXIF
    assert int.from_bytes(labelled[4:8], "little") == len(labelled) - 8
    assert len(labelled) % 2 == 0
    # Once more: what is there stays, or is replaced.
    again = label_webp(labelled, 21, 33, Ancillary(None, icc_profile("display-p3"), EXIF[:14]))
    assert opened(again).info["icc_profile"] == icc_profile("srgb")
    assert opened(again).info["exif"] == EXIF[:14]
    assert label_webp(plain, 21, 33, NOTHING) == plain


def test_a_side_that_webp_cannot_have_is_refused() -> None:
    with pytest.raises(GossamerError, match="16383") as caught:
        encode_webp(np.zeros((1, 16384, 3), np.uint8), 0.9, NOTHING)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
