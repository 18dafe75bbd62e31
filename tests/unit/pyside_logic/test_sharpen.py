"""`sharpen.py` against scipy, and against what it is for."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from pyside_logic.resample import resize_bilinear
from pyside_logic.sharpen import SIGMA_PX, unsharp


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 50), width=st.integers(1, 50), amount=st.floats(0, 4))
def test_equals_scipy_for_any_size(height: int, width: int, amount: float) -> None:
    matte = np.random.default_rng(height * 64 + width).random((height, width), np.float32)
    blurred = gaussian_filter(matte, SIGMA_PX, mode="reflect", truncate=3.0)
    expected = np.clip(matte + amount * (matte - blurred), 0, 1)
    np.testing.assert_allclose(unsharp(matte, amount), expected, atol=1e-5)


def test_nothing_is_asked_nothing_is_changed() -> None:
    matte = np.random.default_rng(0).random((20, 20), np.float32)
    assert np.array_equal(unsharp(matte, 0.0), matte)


def test_a_blurred_disc_comes_closer_to_the_disc() -> None:
    y, x = np.mgrid[-1:1:640j, -1:1:640j]
    disc = (x * x + y * y < 0.4).astype(np.float32)
    matte = gaussian_filter(resize_bilinear(disc, 320, 320), SIGMA_PX)
    error = [
        np.abs(resize_bilinear(unsharp(matte, amount), 640, 640) - disc).mean()
        for amount in (0.0, 1.0)
    ]
    assert error[1] < 0.75 * error[0]
