"""`trust.py`: the bounds that it names, for anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyside_logic.trust import share_by_mean, share_by_outline

SIDES = st.integers(1, 40)


@settings(max_examples=100, deadline=None)
@given(height=SIDES, width=SIDES, strength=st.sampled_from([0.0, 0.01, 0.1, 1.0]))
def test_what_is_shared_keeps_to_the_bounds(height: int, width: int, strength: float) -> None:
    rng = np.random.default_rng(height * 41 + width)
    matte = rng.random((height, width))
    alpha = np.clip(matte + strength * rng.normal(size=(height, width)), 0, 1)
    by_mean, by_outline = share_by_mean(alpha, matte), share_by_outline(alpha, matte)
    assert 0 <= min(by_mean, by_outline) <= max(by_mean, by_outline) <= 1
    moved = matte + by_mean * (alpha - matte)
    assert np.abs(moved - matte).mean() <= 4 / 255
    inside, before = matte + by_outline * (alpha - matte) >= 0.5, matte >= 0.5
    assert (inside & before).sum() >= 0.98 * (inside | before).sum()
    if strength == 0:
        assert by_mean == by_outline == 1


def test_it_goes_as_far_as_it_may() -> None:
    matte = np.zeros((100, 100))
    matte[:50] = 1
    alpha = matte.copy()
    alpha[50] = 1  # a row more: 1 of 51 would be too much
    assert share_by_outline(alpha, matte) == pytest.approx(0.5, abs=0.1)
    assert share_by_mean(alpha, matte) == 1
    assert share_by_mean(1 - matte, matte) == pytest.approx(3.6 / 255)
