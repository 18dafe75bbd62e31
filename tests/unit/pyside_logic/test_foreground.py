"""`foreground.py` on composites whose foreground is known, against leaving the colours as they are
and against pymatting's implementation of the same paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pymatting import estimate_foreground_ml
from scipy.ndimage import gaussian_filter
from skimage import data

from pyside_logic.foreground import estimate_layers, foreground_strips
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.shrink import shrink_photo

HEIGHT, WIDTH = 240, 320
BACKDROPS = {"white": (1, 1, 1), "black": (0, 0, 0), "green": (0, 1, 0)}


def photo(name: str) -> np.ndarray:
    picture = Image.fromarray(getattr(data, name)())
    return np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)) / 255


def soft_alpha(kind: str) -> np.ndarray:
    """8 bits' worth of alpha: a defocused edge, an edge of a few pixels, or tufts of hair."""
    y, x = np.mgrid[-0.5 : 0.5 : HEIGHT * 1j, -0.5 : 0.5 : WIDTH * 1j]
    distance = 0.33 - np.hypot(y, x)
    if kind == "sharp":
        alpha = gaussian_filter((distance > 0).astype(float), 1.5)
    elif kind == "defocused":
        alpha = distance / 0.06 + 0.5
    else:
        tufts = gaussian_filter(np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)), 2)
        alpha = (
            distance / 0.12 + 0.5 + 0.3 * tufts / tufts.std() * np.exp(-((distance / 0.08) ** 2))
        )
    return np.round(255 * np.clip(alpha, 0, 1)) / 255


def composite(alpha: np.ndarray, front: np.ndarray, behind: np.ndarray) -> np.ndarray:
    return alpha[..., None] * front + (1 - alpha[..., None]) * behind


def cut_out(front: str, behind: str, kind: str) -> np.ndarray:
    """uint8 (HEIGHT, WIDTH, 4): the composite under its true alpha."""
    alpha = soft_alpha(kind)
    mixed = composite(alpha, photo(front), photo(behind))
    return np.round(255 * np.dstack([mixed, alpha])).astype(np.uint8)


def decontaminated(rgba: np.ndarray, longest_px: int, strip_rows: int = 256) -> np.ndarray:
    result = rgba.copy()
    layers = estimate_layers(shrink_photo(rgba, longest_px))
    for rows, at, colours in foreground_strips(rgba, layers, strip_rows=strip_rows):
        result[rows].reshape(-1, 4)[at, :3] = colours
    return result


@pytest.mark.parametrize("kind", ["sharp", "defocused", "tufts"])
@pytest.mark.parametrize("longest_px", [HEIGHT // 3, WIDTH])
@pytest.mark.parametrize(
    ("front", "behind"), [("chelsea", "coffee"), ("astronaut", "rocket"), ("coffee", "chelsea")]
)
def test_recompositing_errs_less_by_a_third_at_least(
    front: str, behind: str, kind: str, longest_px: int
) -> None:
    rgba = cut_out(front, behind, kind)
    alpha = rgba[..., 3] / 255
    cleaned = decontaminated(rgba, longest_px)
    assert np.array_equal(cleaned[..., 3], rgba[..., 3])
    soft = (alpha > 0) & (alpha < 1)
    for name, colour in BACKDROPS.items():
        truth = composite(alpha, photo(front), np.array(colour))[soft]
        errors = [
            np.abs(composite(alpha, picture[..., :3] / 255, np.array(colour))[soft] - truth).mean()
            for picture in (rgba, cleaned)
        ]
        assert errors[1] < 2 / 3 * errors[0], name


@pytest.mark.parametrize("kind", ["sharp", "defocused", "tufts"])
@pytest.mark.parametrize(
    ("front", "behind"),
    [
        ("chelsea", "coffee"),
        ("astronaut", "rocket"),
        ("coffee", "chelsea"),
        ("rocket", "astronaut"),
    ],
)
def test_the_default_refinement_errs_less_in_colour_by_a_third_at_least(
    front: str, behind: str, kind: str
) -> None:
    """All of `refine`, from a matte of a quarter of the pixels, under the alpha that it finds."""
    rgba = cut_out(front, behind, kind)
    small = Image.fromarray(rgba[..., 3] / np.float32(255)).resize((160, 120), Image.Resampling.BOX)
    results = []
    for decontaminate in (False, True):
        cutout = Cutout(
            np.dstack([rgba[..., :3], np.full_like(rgba[..., 3], 255)]), np.array(small)
        )
        refine(cutout, RefineOptions(decontaminate=decontaminate), lambda _done, _total: None)
        results.append(cutout.rgba_hwc / 255)
    alpha = results[0][..., 3]
    assert np.array_equal(results[1][..., 3], alpha)
    soft = (alpha > 0) & (alpha < 1)
    for name, colour in BACKDROPS.items():
        truth = composite(alpha, photo(front), np.array(colour))[soft]
        errors = [
            np.abs(composite(alpha, result[..., :3], np.array(colour))[soft] - truth).mean()
            for result in results
        ]
        assert errors[1] < 2 / 3 * errors[0], name


@pytest.mark.parametrize("kind", ["sharp", "defocused", "tufts"])
def test_no_worse_than_pymattings(kind: str) -> None:
    rgba = cut_out("astronaut", "rocket", kind)
    alpha = rgba[..., 3] / 255
    theirs = estimate_foreground_ml(rgba[..., :3] / 255, alpha)
    ours = decontaminated(rgba, WIDTH)[..., :3] / 255
    weighted = [np.abs(alpha[..., None] * (f - photo("astronaut"))).mean() for f in (theirs, ours)]
    assert weighted[1] < weighted[0]


def test_only_soft_pixels_change() -> None:
    rgba = cut_out("coffee", "chelsea", "tufts")
    hard = (rgba[..., 3] == 0) | (rgba[..., 3] == 255)
    cleaned = decontaminated(rgba, 100)
    assert np.array_equal(cleaned[hard], rgba[hard])
    assert not np.array_equal(cleaned, rgba)


def test_strips_of_any_height_are_identical() -> None:
    rgba = cut_out("coffee", "chelsea", "tufts")
    whole = decontaminated(rgba, 100)
    for strip_rows in (1, 7, 239):
        assert np.array_equal(decontaminated(rgba, 100, strip_rows), whole)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    alpha=st.sampled_from([0, 1, 100, 255, None]),
    longest_px=st.integers(1, 50),
)
def test_any_size_and_alpha(height: int, width: int, alpha: int | None, longest_px: int) -> None:
    rgba = np.random.default_rng(height * 40 + width).integers(0, 256, (height, width, 4), np.uint8)
    if alpha is not None:
        rgba[..., 3] = alpha
    cleaned = decontaminated(rgba, longest_px)
    if alpha in (0, 255):
        assert np.array_equal(cleaned, rgba)
    layers = estimate_layers(shrink_photo(rgba, longest_px))
    assert np.isfinite(layers).all()
    assert layers.min() >= 0
    assert layers.max() <= 1


def test_the_layers_and_the_photo_are_one_where_alpha_is_all_or_nothing() -> None:
    rgba = cut_out("coffee", "chelsea", "sharp") / np.float32(255)
    layers = estimate_layers(rgba)
    opaque, clear = rgba[..., 3] == 1, rgba[..., 3] == 0
    assert np.abs(layers[:3, opaque] - rgba[opaque, :3].T).max() < 0.01
    assert np.abs(layers[3:, clear] - rgba[clear, :3].T).max() < 0.01
