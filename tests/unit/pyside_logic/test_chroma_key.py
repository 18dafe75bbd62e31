"""`chroma_key.py` on subjects before backdrops of our own making."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from pyside_logic.chroma_key import Backdrop, chroma_key, find_backdrop, key_photo
from pyside_logic.errors import ErrorCode, GossamerError, Stage

HEIGHT, WIDTH = 200, 240


def disc(softness_px: float = 2.0) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    return np.clip((60 - distance) / softness_px + 0.5, 0, 1)


def shot(backdrop: np.ndarray, noise: float = 0.01, softness_px: float = 2.0) -> np.ndarray:
    """A disc cut from a photo before `backdrop`, any shape that broadcasts to a picture."""
    alpha = disc(softness_px)[..., None]
    subject = data.astronaut()[:HEIGHT, 100 : 100 + WIDTH] / 255 * 0.6 + [0.3, 0.0, 0.0]
    grain = np.random.default_rng(0).normal(0, noise, (HEIGHT, WIDTH, 3))
    picture = alpha * subject + (1 - alpha) * backdrop + grain
    return np.clip(picture, 0, 1).astype(np.float32)


LIGHT = np.linspace(-0.1, 0.1, WIDTH)[:, None]


@pytest.mark.parametrize(
    "backdrop",
    [
        np.array([0.1, 0.8, 0.2]),
        np.array([0.1, 0.3, 0.9]),
        np.array([1.0, 1.0, 1.0]),
        np.array([0.1, 0.8, 0.2]) + LIGHT,
    ],
    ids=["green", "blue", "white", "green under light from the side"],
)
def test_the_disc_is_found(backdrop: np.ndarray) -> None:
    matte = chroma_key(shot(backdrop))
    found, truth = matte > 0.5, disc() > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.97
    assert np.abs(matte - disc()).mean() < 0.01
    assert matte[:20].max() < 0.1


@pytest.mark.parametrize("colour", [[0.0, 0.7, 0.25], [0.1, 0.3, 0.9]], ids=["green", "blue"])
def test_fur_is_as_opaque_as_it_is_mixed(colour: list[float]) -> None:
    found, truth = chroma_key(shot(np.array(colour), softness_px=10)), disc(10)
    band = (truth > 0.02) & (truth < 0.98)
    assert np.abs(found - truth)[band].mean() < 0.13  # .38 where what differs a little is opaque
    assert found[truth == 1].mean() > 0.999


def test_grey_beside_black_is_no_mixture_with_white() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 0.97, np.float32)
    picture[50:150, 60:180] = 0.05
    picture[50:150, 100:103] = 0.5
    picture[45:50, 60:180] = 0.6
    assert chroma_key(picture)[45:150, 60:180].min() == 1


def test_the_backdrop_is_measured() -> None:
    colour = np.array([0.1, 0.8, 0.2]) + LIGHT
    backdrop = find_backdrop(shot(colour, noise=0.01))
    expected = np.broadcast_to(colour, (HEIGHT, WIDTH, 3))
    assert np.abs(backdrop.colours(HEIGHT, WIDTH) - expected).max() < 0.01
    assert 0.007 < backdrop.sigma < 0.013


def test_what_is_like_the_backdrop_inside_the_subject_stays() -> None:
    picture = shot(np.array([1.0, 1.0, 1.0]))
    picture[90:110, 110:130] = 1.0
    assert chroma_key(picture)[90:110, 110:130].min() == 1


def test_a_subject_that_crosses_the_border_does_not_disturb() -> None:
    picture = shot(np.array([0.1, 0.8, 0.2]))
    picture[100:, 90:150] = [0.5, 0.1, 0.1]
    matte = chroma_key(picture)
    assert matte[-1, 100:140].min() == 1
    assert matte[-1, :80].max() < 0.1


def test_a_subject_may_fill_most_of_the_picture() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), [0.1, 0.8, 0.2], np.float32)
    picture[12:-12, 12:-12] = [0.6, 0.2, 0.2]
    matte = chroma_key(picture)
    assert matte[12:-12, 12:-12].min() == 1
    assert matte[:10].max() == 0


def test_what_has_a_colour_of_its_own_is_no_mixture() -> None:
    """Of two pixels' width, so that nothing in it is solid, beside a blue subject."""
    picture = np.full((HEIGHT, WIDTH, 3), [0.0, 0.7, 0.25], np.float32)
    picture[60:140, 60:180] = [0.1, 0.1, 0.8]
    picture[40:60, 100:102] = [0.9, 0.9, 0.1]
    assert chroma_key(picture)[42:60, 100:102].min() > 0.95


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_photo_without_a_plain_backdrop_is_refused(name: str) -> None:
    photo = (getattr(data, name)() / 255).astype(np.float32)
    with pytest.raises(GossamerError, match="network") as caught:
        chroma_key(photo)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 30), width=st.integers(1, 30), value=st.floats(0, 1))
def test_any_size(height: int, width: int, value: float) -> None:
    even = np.full((height, width, 3), value, np.float32)
    assert (chroma_key(even) == 0).all()
    noise = np.random.default_rng(height * 31 + width).random((height, width, 3), np.float32)
    grey = Backdrop(np.array([[0.0, 0.0, 0.5]] * 3), 0.02)
    matte = chroma_key(noise, grey)
    assert matte.shape == (height, width)
    assert matte.min() >= 0
    assert matte.max() <= 1


def screen(colour: tuple[int, int, int]) -> np.ndarray:
    """uint8: a ring before a screen of about this colour, lit from the side; the hole shows it."""
    light = np.linspace(0.85, 1.0, WIDTH)[:, None]
    alpha = (disc() - disc_of(25))[..., None]
    subject = data.astronaut()[:HEIGHT, 100 : 100 + WIDTH] * 0.5 + [90, 0, 0]
    grain = np.random.default_rng(0).normal(0, 2, (HEIGHT, WIDTH, 3))
    picture = alpha * subject + (1 - alpha) * np.array(colour) * light + grain
    return np.clip(picture, 0, 255).astype(np.uint8)


def disc_of(radius_px: float) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip((radius_px - np.hypot(y - HEIGHT / 2, x - WIDTH / 2)) / 2 + 0.5, 0, 1)


def test_a_given_colour_goes_wherever_it_shows() -> None:
    photo = screen((0, 220, 40))
    ring, filled = disc() - disc_of(25), disc()
    assert np.abs(key_photo(photo, "#00d030") - ring).mean() < 0.01
    assert np.abs(key_photo(photo, "auto") - filled).mean() < 0.01


def test_a_photo_is_keyed_at_a_size_that_bounds_memory() -> None:
    photo = np.repeat(np.repeat(screen((20, 60, 230)), 20, axis=0), 20, axis=1)
    matte = key_photo(photo, "#143ce6")
    assert matte.shape == (1280, 1536)
    small = matte[:: 1280 // HEIGHT, :: 1536 // WIDTH][:HEIGHT, :WIDTH]
    assert 0.2 < small.mean() < 0.25


@pytest.mark.parametrize(
    ("key", "told"), [("#ff00ff", "backdrop on 2% of the picture"), ("red-ish", "or 'auto'")]
)
def test_a_colour_that_is_not_there_or_none_is_refused(key: str, told: str) -> None:
    with pytest.raises(GossamerError, match=told) as caught:
        key_photo(screen((0, 220, 40)), key)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
    assert caught.value.stage is Stage.INFER
