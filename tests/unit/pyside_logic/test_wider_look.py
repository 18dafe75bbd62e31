"""`wider_look.py` on mattes of our own making: a subject of two parts, of which one is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp
from PIL import Image

from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.wider_look import fuse_wider

SIDE = 320
HEAD = (slice(40, 280), slice(40, 160))
BODY = (slice(60, 260), slice(160, 220))  # borders on the head


def matte(*parts: tuple[slice, slice], opacity: float = 1) -> np.ndarray:
    matte_hw = np.zeros((SIDE, SIDE), np.float32)
    for part in parts:
        matte_hw[part] = opacity
    return matte_hw


def seen_from_afar(matte_hw: np.ndarray, side: int = 224) -> np.ndarray:
    return np.asarray(Image.fromarray(matte_hw).resize((side, side), Image.Resampling.BILINEAR))


def test_a_lost_part_comes_back() -> None:
    truth = matte(HEAD, BODY)
    fused = fuse_wider(matte(HEAD), seen_from_afar(truth))
    assert fused is not None
    assert fused.shape == (SIDE, SIDE)
    assert fused.dtype == np.float32
    assert np.abs(fused - truth).mean() < 0.01
    assert np.array_equal(fused[:50], matte(HEAD)[:50])


def test_a_half_transparent_part_becomes_whole() -> None:
    first = np.maximum(matte(HEAD), matte(BODY, opacity=0.6))
    fused = fuse_wider(first, seen_from_afar(matte(HEAD, BODY)))
    assert fused is not None
    assert fused[BODY].mean() > 0.97


def test_what_goes_on_from_a_part_fades() -> None:
    """A tail, too narrow for a part: it was cut off across."""
    tail = (slice(150, 154), slice(220, 300))
    fused = fuse_wider(matte(HEAD), seen_from_afar(matte(HEAD, BODY, tail)))
    assert fused is not None
    along = fused[152, 215:300]
    assert (along[0], along[-1]) == (1, 0)
    assert np.abs(np.diff(along)).max() < 0.2


def test_edges_stay_those_of_the_first_look() -> None:
    """The wider look has a subject that is three pixels larger all around."""
    larger = (slice(37, 283), slice(37, 163))
    assert fuse_wider(matte(HEAD), seen_from_afar(matte(larger))) is None
    fused = fuse_wider(matte(HEAD), seen_from_afar(matte(larger, BODY)))
    assert fused is not None
    assert np.array_equal(fused[:, :100], matte(HEAD)[:, :100])


@pytest.mark.parametrize(
    ("wider", "why"),
    [
        (matte((slice(60, 260), slice(180, 240))), "it stands apart"),
        (matte(HEAD, (slice(60, 100), slice(160, 200))), "it is small"),
        (np.maximum(matte(HEAD), matte(BODY, opacity=0.7)), "the wider look is not sure of it"),
        (
            matte(HEAD, (slice(120, 160), slice(160, 200)), (slice(160, 300), slice(200, 300))),
            "it touches with a corner of its outline only",
        ),
        (matte(), "there is none"),
    ],
)
def test_what_is_no_part_stays_away(wider: np.ndarray, why: str) -> None:
    assert fuse_wider(matte(HEAD), seen_from_afar(wider)) is None, why


@pytest.mark.parametrize("side", [0.98, 1.02])
@pytest.mark.parametrize("bound", ["opacity", "area", "border"])
def test_how_much_makes_a_part(bound: str, side: float) -> None:
    """Large from 2.5 % of the photo, certain from 0.8, and bordering from three tenths on."""
    wider = matte(HEAD)
    if bound == "opacity":
        wider[BODY] = 0.8 * side
    elif bound == "area":
        wider[60 : 60 + round(0.025 * SIDE**2 / 50 * side), 160:210] = 1
    else:
        wider[100:200, 160 : 160 + round(85.3 / side)] = 1
    assert (fuse_wider(matte(HEAD), wider) is not None) == (side > 1)


def test_a_subject_that_only_the_wider_look_has_found_is_none() -> None:
    for wider in (matte(HEAD), np.ones((224, 224), np.float32)):
        assert fuse_wider(matte(), seen_from_afar(wider)) is None


def test_nothing_is_taken_away() -> None:
    assert fuse_wider(matte(HEAD, BODY), seen_from_afar(matte(HEAD))) is None


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
MATTES = SIZES.flatmap(
    lambda size: stnp.arrays(
        np.float32, size, elements=st.sampled_from([0.0, 0.5, 0.79, 0.81, 1.0])
    )
)


@given(MATTES, MATTES)
@settings(max_examples=200, deadline=None)
def test_any_two_mattes_make_one_that_has_lost_nothing(
    first: np.ndarray, wider: np.ndarray
) -> None:
    before = first.copy()
    fused = fuse_wider(first, wider)
    assert np.array_equal(first, before)
    if fused is not None:
        assert fused.shape == first.shape
        assert (fused >= first).all()
        assert (fused > first).any()
        assert fused.max() <= 1


def test_what_is_no_matte_is_refused() -> None:
    for first, wider in ((matte(), matte() * np.nan), (matte()[0], matte())):
        with pytest.raises(GossamerError) as caught:
            fuse_wider(first, wider)
        assert caught.value.code == ErrorCode.INVALID_ARGUMENT
