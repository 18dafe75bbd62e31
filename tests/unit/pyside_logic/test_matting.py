"""`closed_form.py`, `knn.py`, `solver.py` and `trimap.py` against dense systems, pymatting and
pictures whose alpha is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pymatting import estimate_alpha_cf
from scipy.ndimage import gaussian_filter
from skimage import data

from pyside_logic.closed_form import closed_form_alpha
from pyside_logic.knn import knn_alpha, nearest_neighbours
from pyside_logic.solver import Limits, conjugate_gradients
from pyside_logic.trimap import BACKGROUND, FOREGROUND, UNKNOWN, automatic_trimap

SIDE = 128
EXACT = Limits(iterations=5000, seconds=60, tolerance=1e-9)
ENOUGH = Limits(iterations=150, seconds=60, tolerance=1e-4)
MATTINGS = [closed_form_alpha, knn_alpha]
SIDES = st.integers(1, 24)


def silent(_done: int, _total: int) -> None:
    pass


def small(name: str) -> np.ndarray:
    picture = Image.fromarray(getattr(data, name)())
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)) / 255


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A composite, its alpha, and a trimap of it."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    distance = np.hypot(y, x)
    alpha = np.clip((42 - distance) / 14 + 0.5, 0, 1)[..., None]
    picture = alpha * small("chelsea") + (1 - alpha) * small("rocket")
    trimap = np.where(distance < 32, FOREGROUND, np.where(distance > 52, BACKGROUND, UNKNOWN))
    return picture, alpha[..., 0], trimap.astype(np.uint8)


def noise(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(height * 30 + width)
    trimap = rng.choice(np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8), (height, width))
    return rng.random((height, width, 3)), rng.random((height, width)), trimap


def dense_laplacian(guide: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """Levin's matrix, equation 12, window by window; windows are cut off at the borders."""
    height, width = guide.shape[:2]
    flat = np.arange(height * width).reshape(height, width)
    laplacian = np.zeros((height * width,) * 2)
    for y, x in np.ndindex(height, width):
        rows, columns = (slice(max(0, at - radius), at + radius + 1) for at in (y, x))
        at = flat[rows, columns].reshape(-1)
        centred = guide.reshape(-1, 3)[at]
        centred = centred - centred.mean(axis=0)
        covariance = centred.T @ centred / len(at) + epsilon * np.eye(3)
        explained = (1 + centred @ np.linalg.solve(covariance, centred.T)) / len(at)
        laplacian[np.ix_(at, at)] += np.eye(len(at)) - explained
    return laplacian


def solved_densely(
    laplacian: np.ndarray, matte: np.ndarray, trimap: np.ndarray, trust: float
) -> np.ndarray:
    unknown = (trimap == UNKNOWN).reshape(-1)
    alpha = np.where(unknown, 0, trimap.reshape(-1) / 255)
    right = trust * matte.reshape(-1)[unknown] - laplacian[unknown] @ alpha
    matrix = laplacian[np.ix_(unknown, unknown)] + trust * np.eye(unknown.sum())
    alpha[unknown] = np.linalg.solve(matrix, right)
    return np.clip(alpha, 0, 1).reshape(trimap.shape)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(2, 16),
    width=st.integers(2, 16),
    radius=st.integers(1, 3),
    trust=st.sampled_from([0.05, 1.0]),
)
def test_closed_form_solves_levins_system(
    height: int, width: int, radius: int, trust: float
) -> None:
    guide, matte, trimap = noise(height, width)
    dense = solved_densely(dense_laplacian(guide, radius, 1e-4), matte, trimap, trust)
    options = {"trust": trust, "radius_px": radius, "epsilon": 1e-4, "limits": EXACT}
    ours = closed_form_alpha(guide, matte, trimap, silent, **options)
    np.testing.assert_allclose(ours, dense, atol=1e-5)


def dense_ties(guide: np.ndarray, trimap: np.ndarray, count: int) -> np.ndarray:
    """KNN's Laplacian by looking at every pair of pixels."""
    height, width = trimap.shape
    y, x = np.mgrid[:height, :width] * 0.01
    features = np.dstack([guide / np.sqrt(3), y, x]).reshape(-1, 5)
    laplacian = np.zeros((len(features),) * 2)
    for here in np.flatnonzero(trimap.reshape(-1) == UNKNOWN):
        distances = np.linalg.norm(features - features[here], axis=1)
        distances[here] = np.inf
        for there in np.argsort(distances)[:count]:
            weight = max(1 - distances[there], 1e-3)
            for row, column, sign in (
                (here, here, 1),
                (there, there, 1),
                (here, there, -1),
                (there, here, -1),
            ):
                laplacian[row, column] += sign * weight
    return laplacian


@settings(max_examples=25, deadline=None)
@given(height=st.integers(2, 16), width=st.integers(2, 16), trust=st.sampled_from([0.05, 1.0]))
def test_knn_solves_the_system_of_all_pairs(height: int, width: int, trust: float) -> None:
    guide, matte, trimap = noise(height, width)
    dense = solved_densely(dense_ties(guide, trimap, 5), matte, trimap, trust)
    ours = knn_alpha(guide, matte, trimap, silent, trust=trust, neighbours=5, limits=EXACT)
    np.testing.assert_allclose(ours, dense, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 30), width=st.integers(2, 30), tile_px=st.integers(1, 9))
def test_neighbours_in_tiles_are_the_nearest_of_their_tile_and_around(
    height: int, width: int, tile_px: int
) -> None:
    features, _, trimap = noise(height, width)
    wanted = trimap == UNKNOWN
    seen = []
    for pixels, near, distances in nearest_neighbours(features, wanted, 3, tile_px, around_px=2):
        for pixel, others, far in zip(pixels, near, distances, strict=True):
            y, x = divmod(pixel, width)
            top, left = y // tile_px * tile_px, x // tile_px * tile_px
            rows = slice(max(0, top - 2), top + tile_px + 2)
            columns = slice(max(0, left - 2), left + tile_px + 2)
            around = np.linalg.norm(features[rows, columns] - features[y, x], axis=-1)
            expected = np.sort(around.reshape(-1))[1:4]
            np.testing.assert_allclose(np.sort(far), expected, atol=1e-6)
            flat = np.linalg.norm(features.reshape(-1, 3)[others] - features[y, x], axis=-1)
            np.testing.assert_allclose(flat, far, atol=1e-6)
            assert pixel not in others
            seen.append(pixel)
    assert sorted(seen) == np.flatnonzero(wanted).tolist()


def test_closed_form_is_as_good_as_pymattings(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    picture, alpha, trimap = scene
    start = np.full(alpha.shape, 0.5)
    limits = Limits(iterations=2000, seconds=60, tolerance=1e-6)
    ours = closed_form_alpha(picture, start, trimap, silent, limits=limits)
    theirs = estimate_alpha_cf(picture, trimap / 255)
    assert np.abs(ours - alpha).mean() < np.abs(theirs - alpha).mean() * 1.05
    assert np.abs(ours - theirs).mean() < 0.01  # their windows end before the borders


@pytest.mark.parametrize("matting", MATTINGS)
def test_a_blurred_matte_comes_closer_to_the_truth(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], matting: Callable[..., np.ndarray]
) -> None:
    picture, alpha, trimap = scene
    matte = gaussian_filter(alpha, 6)
    solved = matting(picture, matte, trimap, silent, trust=0.01, limits=ENOUGH)
    assert np.abs(solved - alpha).mean() < 0.85 * np.abs(matte - alpha).mean()


@pytest.mark.parametrize("matting", MATTINGS)
@settings(max_examples=25, deadline=None)
@given(height=SIDES, width=SIDES, known=st.sampled_from([None, BACKGROUND, UNKNOWN, FOREGROUND]))
def test_any_size_and_trimap(
    matting: Callable[..., np.ndarray], height: int, width: int, known: int | None
) -> None:
    guide, matte, trimap = noise(height, width)
    if known is not None:
        trimap[:] = known
    alpha = matting(guide, matte, trimap, silent, limits=Limits(20, 60, 1e-4))
    assert alpha.shape == (height, width)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    sure = trimap != UNKNOWN
    assert np.array_equal(alpha[sure], trimap[sure] / 255)


@pytest.mark.parametrize("matting", MATTINGS)
def test_progress_can_cancel(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], matting: Callable[..., np.ndarray]
) -> None:
    picture, alpha, trimap = scene
    seen = []

    def cancel_at_third(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matting(picture, gaussian_filter(alpha, 6), trimap, cancel_at_third, limits=Limits(50))
    assert [step for step in seen if step[0]] == [(1, 50), (2, 50), (3, 50)]


def test_looking_for_neighbours_can_be_cancelled(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    picture, alpha, trimap = scene
    seen = []

    def cancel(done: int, total: int) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        knn_alpha(picture, alpha, trimap, cancel)
    assert seen == [0]


@pytest.mark.parametrize("matting", MATTINGS)
def test_out_of_time_what_has_been_reached_is_the_answer(
    scene: tuple[np.ndarray, np.ndarray, np.ndarray], matting: Callable[..., np.ndarray]
) -> None:
    picture, alpha, trimap = scene
    matte = gaussian_filter(alpha, 6)
    stopped = matting(picture, matte, trimap, silent, limits=Limits(seconds=0))
    unknown = trimap == UNKNOWN
    np.testing.assert_allclose(stopped[unknown], matte[unknown])


def test_conjugate_gradients_solve_a_system() -> None:
    rng = np.random.default_rng(0)
    root = rng.random((30, 30))
    matrix = root @ root.T + np.eye(30)
    right = rng.random(30)
    solved = conjugate_gradients(lambda x: matrix @ x, right, np.zeros(30), EXACT, silent)
    np.testing.assert_allclose(solved, np.linalg.solve(matrix, right), atol=1e-7)


def edge_of(blur_px: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:320, :320] - 160
    disc = (np.hypot(y, x) < radius).astype(np.float32)
    return gaussian_filter(disc, blur_px)


def band_px(matte: np.ndarray) -> float:
    """The width of the trimap's band, by its area and the length of the edge."""
    edge = 2 * np.sqrt(np.pi * matte.sum())
    return (automatic_trimap(matte) == UNKNOWN).sum() / edge


def test_the_band_follows_doubt_and_scale() -> None:
    crisp, soft, small_one = edge_of(0.7, 100), edge_of(6, 100), edge_of(0.7, 30)
    assert band_px(soft) > 2 * band_px(crisp) > 0
    assert band_px(crisp) > 1.3 * band_px(small_one)


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, value=st.sampled_from([0.0, 0.5, 1.0, None]))
def test_a_trimap_of_anything(height: int, width: int, value: float | None) -> None:
    matte = np.random.default_rng(height * 30 + width).random((height, width), np.float32)
    if value is not None:
        matte[:] = value
        expected = {0.0: BACKGROUND, 0.5: UNKNOWN, 1.0: FOREGROUND}[value]
        assert (automatic_trimap(matte) == expected).all()
    trimap = automatic_trimap(matte)
    assert (trimap[(matte > 0.05) & (matte < 0.95)] == UNKNOWN).all()
    assert set(np.unique(trimap)) <= {BACKGROUND, UNKNOWN, FOREGROUND}
