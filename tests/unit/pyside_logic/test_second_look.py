"""`second_look.py` on mattes of our own making."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.second_look import Box, fuse_looks, look_box

SIDES = st.integers(1, 40)


def seen(truth_hw: np.ndarray, side: int = 64) -> np.ndarray:
    """What a network that is never wrong sees of a picture: its own few pixels of it."""
    picture = Image.fromarray(truth_hw).resize((side, side), Image.Resampling.BOX)
    return np.asarray(picture).astype(np.float32)


def star(height: int, width: int) -> np.ndarray:
    """A star with thin points in the upper left quarter."""
    y, x = np.mgrid[:height, :width]
    y, x = (y - 0.3 * height) / height, (x - 0.35 * width) / width
    angle, distance = np.arctan2(y, x), np.hypot(y, x)
    return (distance < 0.08 + 0.1 * np.cos(7 * angle) ** 8).astype(np.float32)


def test_a_closer_look_comes_closer_to_the_truth() -> None:
    truth = star(300, 500)
    first = seen(truth)
    box = look_box(first, 300, 500)
    assert box is not None
    assert truth.sum() == truth[box.rows, box.columns].sum()
    fused = fuse_looks(first, seen(truth[box.rows, box.columns]), box, 300, 500)
    errors = [
        np.abs(np.asarray(Image.fromarray(matte).resize((500, 300))) - truth).mean()
        for matte in (first, fused)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_away_from_edges_the_first_look_is_right() -> None:
    first = np.zeros((64, 64), np.float32)
    first[10:40, 10:40] = 1
    first[20:25, 40] = 0.5  # the only edge that the network is unsure of
    box = look_box(first, 640, 640)
    assert box is not None
    fused = fuse_looks(first, np.full((64, 64), 0.25, np.float32), box, 640, 640)

    def value_at(row: float, column: float) -> float:
        h, w = fused.shape
        return float(fused[int(row * h / 64), int(column * w / 64)])

    assert value_at(30, 25) == 1
    assert value_at(60, 60) == 0
    assert value_at(22.5, 40.5) == pytest.approx(0.25)


@pytest.mark.parametrize("at", [0, 16, 32])
def test_a_subject_is_looked_at_wherever_it_is(at: int) -> None:
    first = np.zeros((64, 64), np.float32)
    first[at : at + 30, at : at + 30] = 1
    first[at : at + 30, at + 30 : at + 34] = 0.15  # too faint to belong to it
    side = slice(max(0, 10 * at - 45), min(640, 10 * at + 345))
    assert look_box(first, 640, 640) == Box(side, side)


@pytest.mark.parametrize(("width", "looks"), [(44, True), (46, False)])
def test_a_subject_that_nearly_fills_the_photo_is_not_looked_at_again(
    width: int, looks: bool
) -> None:
    first = np.zeros((64, 64), np.float32)
    first[:, 64 - width :] = 1  # with its margin more than eight tenths of the photo, or not
    assert (look_box(first, 64, 64) is not None) == looks


@settings(max_examples=100, deadline=None)
@given(
    sides=st.tuples(SIDES, SIDES, SIDES, SIDES),
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    value=st.sampled_from([0.0, 0.5, 1.0, None]),
)
def test_any_matte_of_any_size(
    sides: tuple[int, int, int, int], size: tuple[int, int], value: float | None
) -> None:
    rng = np.random.default_rng(sum(sides))
    first = (rng.random(sides[:2], np.float32) > 0.9).astype(np.float32)
    if value is not None:
        first[:] = value
    box = look_box(first, *size)
    if value is not None:
        assert box is None  # nothing there, or all of it
    if box is None:
        return
    assert 0 <= box.rows.start < box.rows.stop <= size[0]
    assert 0 <= box.columns.start < box.columns.stop <= size[1]
    second = rng.random(sides[2:], np.float32)
    fused = fuse_looks(first, second, box, *size)
    assert fused.min() >= 0
    assert fused.max() <= 1
    assert all(1 <= side <= whole for side, whole in zip(fused.shape, size, strict=True))


def test_a_tiny_subject_costs_no_more_memory_than_is_bounded() -> None:
    first = np.zeros((64, 64), np.float32)
    first[30, 30] = 1
    box = look_box(first, 6000, 8000)
    assert box is not None
    assert max(fuse_looks(first, first, box, 6000, 8000).shape) <= 1280


@pytest.mark.parametrize("which", [0, 1])
def test_nan_is_refused(which: int) -> None:
    looks = [np.zeros((8, 8), np.float32), np.zeros((8, 8), np.float32)]
    looks[which][0, 0] = np.nan
    with pytest.raises(GossamerError, match="NaN") as caught:
        fuse_looks(looks[0], looks[1], Box(slice(0, 4), slice(0, 4)), 8, 8)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
    with pytest.raises(GossamerError, match="NaN"):
        look_box(np.full((4, 4), np.nan, np.float32), 8, 8)
