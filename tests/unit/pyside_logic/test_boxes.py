"""`boxes.py` against the mean of every window, taken one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyside_logic.boxes import box_mean

SIDES = st.integers(1, 20)


def slow_mean(values: np.ndarray, radius: int) -> np.ndarray:
    means = np.empty(values.shape, np.float64)
    for y, x in np.ndindex(values.shape[-2:]):
        rows, columns = (slice(max(0, at - radius), at + radius + 1) for at in (y, x))
        window = values[..., rows, columns]
        means[..., y, x] = window.astype(np.float64).mean(axis=(-2, -1))
    return means


@settings(max_examples=80, deadline=None)
@given(
    height=SIDES,
    width=SIDES,
    radius=st.integers(0, 25),
    channels=st.sampled_from([None, 1, 4]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_equals_every_window_taken_by_itself(
    height: int, width: int, radius: int, channels: int | None, kind: type
) -> None:
    shape = (height, width) if channels is None else (channels, height, width)
    values = np.random.default_rng(height * 20 + width).random(shape).astype(kind)
    means = box_mean(values, radius)
    assert means.dtype == kind
    np.testing.assert_allclose(
        means, slow_mean(values, radius), atol=1e-6 if kind == np.float32 else 1e-12
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_a_constant_stays_exactly_constant(value: float) -> None:
    values = np.full((300, 400), value, np.float32)
    assert np.array_equal(box_mean(values, 7), values)


def test_small_variances_survive_a_large_picture() -> None:
    noise = np.random.default_rng(0).normal(0, 1e-3, (1500, 1500)).astype(np.float32)
    bright = np.float32(0.9) + noise
    mean = box_mean(bright, 10)[700:800, 700:800]
    exact = slow_mean(bright[690:810, 690:810], 10)[10:-10, 10:-10]
    assert np.abs(mean - exact).max() < 1e-7
