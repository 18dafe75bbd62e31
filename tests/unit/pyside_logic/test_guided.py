"""`guided.py`, `local_colours.py` and `shrink.py` against the formulas, window by window."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data

from pyside_logic.guided import Guide, guided_coefficients, guided_strips
from pyside_logic.local_colours import LocalColours
from pyside_logic.shrink import shrink_photo

SIDES = st.integers(1, 24)
BILINEAR = Image.Resampling.BILINEAR


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(height * 100 + width)
    return rng.integers(0, 256, (height, width, channels), np.uint8)


def matte_of(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height + 100 * width).random((height, width), np.float32)


def slow_models(guide: np.ndarray, matte: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """(a, b) of every window by a solver of linear systems, (4, h, w)."""
    models = np.empty((4, *matte.shape))
    for y, x in np.ndindex(matte.shape):
        rows, columns = (slice(max(0, at - radius), at + radius + 1) for at in (y, x))
        colours = guide[rows, columns].reshape(-1, 3).astype(np.float64)
        values = matte[rows, columns].reshape(-1).astype(np.float64)
        covariance = np.cov(colours.T, bias=True) if len(colours) > 1 else np.zeros((3, 3))
        cross = (colours * values[:, None]).mean(axis=0) - colours.mean(axis=0) * values.mean()
        a = np.linalg.solve(covariance + epsilon * np.eye(3), cross)
        models[:, y, x] = [*a, values.mean() - a @ colours.mean(axis=0)]
    return models


@settings(max_examples=30, deadline=None)
@given(height=SIDES, width=SIDES, radius=st.integers(1, 4), epsilon=st.sampled_from([1e-4, 1e-2]))
def test_models_equal_those_of_every_window(
    height: int, width: int, radius: int, epsilon: float
) -> None:
    guide = picture(height, width) / 255
    matte = matte_of(height, width)
    models = LocalColours(guide, radius, epsilon).fit(matte)
    np.testing.assert_allclose(models, slow_models(guide, matte, radius, epsilon), atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(height=SIDES, width=SIDES, radius=st.integers(1, 4), epsilon=st.sampled_from([1e-4, 1e-2]))
def test_the_share_is_what_every_window_says_of_its_own_fit(
    height: int, width: int, radius: int, epsilon: float
) -> None:
    """The covariance of fitted and given matte, over the variance of the given one."""
    guide = picture(height, width) / 255
    matte = matte_of(height, width)
    models, share, variance = LocalColours(guide, radius, epsilon).fit_and_share(matte)
    np.testing.assert_array_equal(models, LocalColours(guide, radius, epsilon).fit(matte))
    for y, x in np.ndindex(matte.shape):
        rows, columns = (slice(max(0, at - radius), at + radius + 1) for at in (y, x))
        given = matte[rows, columns].astype(np.float64)
        fitted = guide[rows, columns] @ models[:3, y, x] + models[3, y, x]
        covariance = (fitted * given).mean() - fitted.mean() * given.mean()
        expected = covariance / given.var() if given.var() >= 1e-4 else 0
        assert share[y, x] == pytest.approx(np.clip(expected, 0, 1), abs=1e-6)
        assert variance[y, x] == pytest.approx(given.var(), abs=1e-9)


def test_windows_count_where_colours_tell_the_subject() -> None:
    """Left a red subject before green, right both of the same noise."""
    rng = np.random.default_rng(0)
    guide = np.clip(rng.normal(0.5, 0.02, (60, 160, 3)), 0, 1)
    guide[:30, :80] += [0.3, -0.3, 0]
    matte = np.zeros((60, 160))
    matte[:30] = 1
    matte = gaussian_filter(matte, 2.5)
    found, narrow, wide = (
        np.einsum("chw,hwc->hw", coefficients[:3], guide) + coefficients[3]
        for coefficients in (
            Guide(guide, 1, 6, 1e-4).coefficients(matte),
            guided_coefficients(guide, matte, 1, 1e-4),
            guided_coefficients(guide, matte, 6, 1e-4),
        )
    )
    left, right = np.s_[28:32, 10:60], np.s_[28:32, 100:150]
    assert np.abs(found - wide)[left].mean() < 0.4 * np.abs(narrow - wide)[left].mean()
    assert np.abs(found - matte)[right].mean() < 0.4 * np.abs(narrow - matte)[right].mean()


def joined(coefficients: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    return np.concatenate([alpha for _, alpha in guided_strips(coefficients, rgba)])


def met_everywhere(coefficients: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """The same in one piece, with the coefficients enlarged by Pillow."""
    size = rgba.shape[1], rgba.shape[0]
    planes = [Image.fromarray(plane).resize(size, BILINEAR) for plane in coefficients]
    *slopes, constant = (np.asarray(plane) for plane in planes)
    colours = np.moveaxis(rgba[..., :3] / 255, -1, 0)
    return np.clip(constant + sum(np.multiply(slopes, colours)), 0, 1)


def test_at_the_working_size_it_is_the_guided_filter() -> None:
    rgba = np.dstack([data.chelsea(), np.full((300, 451), 255, np.uint8)])[:80, :90]
    guide = rgba[..., :3] / 255
    matte = matte_of(80, 90)
    coefficients = guided_coefficients(guide, matte, 3, 1e-3)
    exact = LocalColours(guide, 3, 1e-3).filtered(matte)
    np.testing.assert_allclose(joined(coefficients, rgba), np.clip(exact, 0, 1), atol=2e-6)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(20, 600),
    width=st.integers(30, 700),
    first=st.integers(0, 20),
    rows=st.integers(0, 8),
    contrast=st.sampled_from([1.0, 1.45, 30.0]),
)
def test_what_is_settled_without_the_photo_is_what_the_photo_would_have_said(
    height: int, width: int, first: int, rows: int, contrast: float
) -> None:
    matte = np.zeros((20, 30), np.float32)
    matte[first : first + rows] = matte_of(20, 30)[first : first + rows]
    coefficients = guided_coefficients(picture(20, 30) / 255, matte, 1, 1e-4)
    coefficients *= np.float32(contrast)
    coefficients[3] += np.float32((1 - contrast) / 2)
    rgba = picture(height, width, 4)
    alpha = joined(coefficients, rgba)
    np.testing.assert_allclose(alpha, met_everywhere(coefficients, rgba), atol=5e-5)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_constant_matte_stays_constant(value: float) -> None:
    matte = np.full((20, 30), value, np.float32)
    coefficients = guided_coefficients(picture(20, 30) / 255, matte, 2, 1e-4)
    np.testing.assert_allclose(joined(coefficients, picture(67, 101)), value, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), longest=st.integers(1, 70))
def test_shrinking_takes_the_mean_of_every_block(height: int, width: int, longest: int) -> None:
    photo = picture(height, width, 4)
    small = shrink_photo(photo, longest)
    assert max(small.shape[:2]) == min(longest, max(height, width))
    h, w = small.shape[:2]
    down = [math.floor(y * height / h + 0.5) for y in range(h + 1)]
    across = [math.floor(x * width / w + 0.5) for x in range(w + 1)]
    means = np.empty_like(small)
    for y, x in np.ndindex(h, w):
        block = photo[down[y] : down[y + 1], across[x] : across[x + 1]]
        means[y, x] = block.mean(axis=(0, 1)) / 255
    np.testing.assert_allclose(small, means, atol=1e-6)


@pytest.mark.parametrize("longest_px", [301, 512, 700])
def test_a_mirrored_photo_shrinks_to_the_mirror_image(longest_px: int) -> None:
    """Blocks that all begin too early would move it up and to the left."""
    photo = picture(600, 800, 4)
    mirrored = shrink_photo(photo[::-1, ::-1], longest_px)[::-1, ::-1]
    # Where two pixels are equally near to where a block begins, it is one of them.
    assert np.isclose(shrink_photo(photo, longest_px), mirrored).mean() > 0.7


def test_shrinking_by_a_whole_number_is_pillows() -> None:
    photo = data.astronaut()
    theirs = np.asarray(Image.fromarray(photo).reduce(4)) / 255
    np.testing.assert_allclose(shrink_photo(photo, 128), theirs, atol=0.51 / 255)
