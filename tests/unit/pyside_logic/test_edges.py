"""`edges.py` and `strips.py` against scipy, and against what they promise to spare."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import disk

from pyside_logic import edges
from pyside_logic.edges import contract, feather

SIDES = st.integers(1, 70)
STRIP_ROWS = st.integers(1, 90)


def in_strips(alpha: np.ndarray, strip_rows: int) -> Iterator[tuple[slice, np.ndarray]]:
    for top in range(0, len(alpha), strip_rows):
        rows = slice(top, min(top + strip_rows, len(alpha)))
        yield rows, alpha[rows]


def joined(strips: Iterator[tuple[slice, np.ndarray]], height: int) -> np.ndarray:
    strips = list(strips)
    assert [row for rows, _ in strips for row in range(height)[rows]] == list(range(height))
    return np.concatenate([values for _, values in strips])


def feathered(alpha: np.ndarray, sigma_px: float, strip_rows: int = 256) -> np.ndarray:
    height, width = alpha.shape
    return joined(feather(in_strips(alpha, strip_rows), height, width, sigma_px), height)


def contracted(alpha: np.ndarray, distance_px: int, strip_rows: int = 256) -> np.ndarray:
    return joined(contract(in_strips(alpha, strip_rows), distance_px), len(alpha))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 100 + width).random((height, width), np.float32)


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, sigma=st.floats(0.3, 3.9))
def test_feather_is_scipys_gaussian(height: int, width: int, sigma: float) -> None:
    alpha = noise(height, width)
    reach = int(np.ceil(3 * sigma))
    theirs = ndimage.gaussian_filter(alpha, sigma, mode="nearest", radius=reach)
    np.testing.assert_allclose(feathered(alpha, sigma), theirs, atol=2e-6)


@pytest.mark.parametrize("sigma", [4.0, 7.3, 20.0])
def test_a_wide_feather_is_nearly_scipys_gaussian(sigma: float) -> None:
    y, x = np.mgrid[:301, :407]
    alpha = (np.hypot(y - 150, x - 180) < 90).astype(np.float32)
    theirs = ndimage.gaussian_filter(alpha, sigma, mode="nearest", truncate=5)
    assert np.abs(feathered(alpha, sigma) - theirs).max() < 0.01


@settings(max_examples=60, deadline=None)
@given(
    height=SIDES, width=SIDES, strip_rows=STRIP_ROWS, sigma=st.sampled_from([0.0, 0.5, 3.0, 9.0])
)
def test_feathered_strips_of_any_height_are_identical(
    height: int, width: int, strip_rows: int, sigma: float
) -> None:
    alpha = noise(height, width)
    assert np.array_equal(feathered(alpha, sigma, strip_rows), feathered(alpha, sigma))


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, strip_rows=STRIP_ROWS, distance=st.integers(-6, 6))
def test_contracted_strips_of_any_height_are_identical(
    height: int, width: int, strip_rows: int, distance: int
) -> None:
    alpha = noise(height, width)
    assert np.array_equal(contracted(alpha, distance, strip_rows), contracted(alpha, distance))


@settings(max_examples=40, deadline=None)
@given(height=SIDES, width=SIDES, radius=st.integers(0, 9))
def test_the_disc_minimum_is_scipys_erosion(height: int, width: int, radius: int) -> None:
    alpha = noise(height, width)
    padded = np.pad(alpha, radius, mode="edge")
    theirs = ndimage.grey_erosion(alpha, footprint=disk(radius), mode="nearest")
    assert np.array_equal(edges._disc_minimum(padded, radius), theirs)


@settings(max_examples=40, deadline=None)
@given(height=SIDES, width=SIDES, value=st.sampled_from([0.0, 0.3, 1.0]))
def test_a_constant_stays_exactly_constant(height: int, width: int, value: float) -> None:
    alpha = np.full((height, width), value, np.float32)
    for distance in (-3, 3):
        assert np.array_equal(contracted(alpha, distance), alpha)
    assert np.array_equal(feathered(alpha, 2.0), alpha)
    np.testing.assert_allclose(feathered(alpha, 8.0), alpha, atol=1e-6)


def test_a_body_shrinks_and_its_hair_stays_joined_to_it() -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:60, 20:80] = 1
    alpha[60:90, 50] = 1  # the hair
    result = contracted(alpha, 3)
    assert np.array_equal(result[23:57, 23], np.ones(34))
    assert result[30:50, 20:23].max() == 0
    assert result[57:90, 50].min() == 1
    labels, count = ndimage.label(result > 0.5)
    assert count == 1
    assert labels[30, 30] == labels[85, 50]


def test_a_body_grows_its_hair_does_not_and_its_gaps_stay_open() -> None:
    alpha = np.zeros((100, 100), np.float32)
    alpha[20:60, 20:80] = 1
    alpha[60:95, 50] = 1  # the hair
    alpha[20:40, 35:38] = 0  # a gap from above
    result = contracted(alpha, -3)
    assert result[40, 17:83].min() == 1
    assert result[40, :17].max() == 0
    assert result[70:90, 49].max() == 0
    assert result[70:90, 50].min() == 1
    assert result[22:36, 36].max() == 0


@settings(max_examples=40, deadline=None)
@given(height=SIDES, width=SIDES, distance=st.integers(1, 6))
def test_contraction_only_takes_and_expansion_only_gives(
    height: int, width: int, distance: int
) -> None:
    alpha = noise(height, width)
    assert (contracted(alpha, distance) <= alpha).all()
    assert (contracted(alpha, -distance) >= alpha).all()
