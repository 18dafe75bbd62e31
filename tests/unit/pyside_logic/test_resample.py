"""`resample.py` against Pillow, which the networks' reference implementations use."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.resample import resize_bilinear, upsample_strips

SIDES = st.integers(1, 60)


def random_matte(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).random((height, width), np.float32)


@settings(max_examples=200, deadline=None)
@given(h=SIDES, w=SIDES, height=SIDES, width=SIDES)
def test_equals_pillow_growing_and_shrinking(h: int, w: int, height: int, width: int) -> None:
    matte = random_matte(h, w)
    theirs = Image.fromarray(matte).resize((width, height), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize_bilinear(matte, height, width), np.asarray(theirs), atol=2e-6)


def test_equals_pillow_at_a_photos_size() -> None:
    matte = random_matte(320, 320)
    theirs = Image.fromarray(matte).resize((1999, 1501), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize_bilinear(matte, 1501, 1999), np.asarray(theirs), atol=2e-6)


@settings(max_examples=100, deadline=None)
@given(height=SIDES, width=SIDES, strip_rows=st.integers(1, 80))
def test_strips_of_any_height_give_identical_values(
    height: int, width: int, strip_rows: int
) -> None:
    matte = random_matte(17, 23)
    strips = list(upsample_strips(matte, height, width, strip_rows))
    assert [row for rows, _ in strips for row in range(height)[rows]] == list(range(height))
    joined = np.concatenate([values for _, values in strips])
    assert np.array_equal(joined, resize_bilinear(matte, height, width))


@settings(max_examples=50, deadline=None)
@given(value=st.sampled_from([0.0, 0.25, 1.0]), height=SIDES, width=SIDES)
def test_a_constant_stays_constant(value: float, height: int, width: int) -> None:
    matte = np.full((32, 32), value, np.float32)
    np.testing.assert_allclose(resize_bilinear(matte, height, width), value, atol=1e-6)


@pytest.mark.parametrize(
    "matte",
    [
        np.full((4, 4), np.nan, np.float32),
        np.full((4, 4), np.inf, np.float32),
        np.zeros((0, 4), np.float32),
        np.zeros((4, 4, 1), np.float32),
    ],
)
def test_a_matte_that_cannot_be_used_is_refused(matte: np.ndarray) -> None:
    with pytest.raises(GossamerError) as caught:
        resize_bilinear(matte, 8, 8)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


def test_values_out_of_range_are_clipped() -> None:
    resized = resize_bilinear(np.array([[-1.0, 2.0]], np.float32), 1, 2)
    assert resized.tolist() == [[0.0, 1.0]]
