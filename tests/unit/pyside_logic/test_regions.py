"""`regions.py` against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pyside_logic.regions import label_regions, remove_specks

SIDES = st.integers(1, 40)
EIGHT = np.ones((3, 3))


@settings(max_examples=200, deadline=None)
@given(height=SIDES, width=SIDES, density=st.floats(0, 1), seed=st.integers(0, 99))
def test_labels_equal_scipys(height: int, width: int, density: float, seed: int) -> None:
    inside = np.random.default_rng(seed).random((height, width)) < density
    labels, areas = label_regions(inside)
    theirs, count = ndimage.label(inside, EIGHT)
    assert np.array_equal(labels, theirs)
    assert np.array_equal(areas, np.bincount(theirs.reshape(-1), minlength=count + 1))


def test_a_spiral_is_one_region() -> None:
    y, x = np.mgrid[-60:61, -60:61]
    turn = np.hypot(y, x) - 8 * np.arctan2(y, x) / (2 * np.pi)
    spiral = np.mod(turn, 8) < 3
    labels, _ = label_regions(spiral)
    theirs, _ = ndimage.label(spiral, EIGHT)
    assert np.bincount(theirs.reshape(-1))[1:].max() > 0.8 * spiral.sum()
    assert np.array_equal(labels, theirs)


def blurred_discs(*discs: tuple[int, int, int]) -> np.ndarray:
    """(centre row, centre column, radius) each, with soft edges, in 120 x 160."""
    y, x = np.mgrid[:120, :160]
    sharp = sum(np.hypot(y - row, x - column) <= radius for row, column, radius in discs) > 0
    return ndimage.gaussian_filter(sharp.astype(np.float32), 1.5)


def test_a_speck_goes_with_its_halo_and_the_subject_stays_exactly() -> None:
    subject = blurred_discs((60, 60, 40))
    cleaned = remove_specks(blurred_discs((60, 60, 40), (60, 130, 3)), 200)
    assert np.array_equal(cleaned[:, :110], subject[:, :110])
    assert cleaned[:, 112:].max() <= 1 / 128


def test_a_hole_is_filled() -> None:
    subject = blurred_discs((60, 60, 40))
    cleaned = remove_specks(np.minimum(subject, 1 - blurred_discs((60, 60, 3))), 200)
    assert cleaned[50:70, 50:70].min() >= 1 - 1 / 128


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, area=st.floats(0, 2000), value=st.sampled_from([0.0, 0.3, 1.0]))
def test_constants_and_small_areas_change_nothing(
    height: int, width: int, area: float, value: float
) -> None:
    even = np.full((height, width), value, np.float32)
    assert np.array_equal(remove_specks(even, area), even)
    noise = np.random.default_rng(3).random((height, width), np.float32)
    assert np.array_equal(remove_specks(noise, 1), noise)
    cleaned = remove_specks(noise, area)
    assert cleaned.min() >= 0
    assert cleaned.max() <= 1


@pytest.mark.parametrize("area", [5, 40])
def test_no_region_smaller_than_asked_is_left(area: int) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(1).random((90, 90)), 1.5)
    noise = ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)
    cleaned = remove_specks(noise, area)
    for level in np.arange(16) / 16:
        labels, count = ndimage.label(cleaned > level, EIGHT)
        if count:
            assert np.bincount(labels.reshape(-1))[1:].min() >= area
