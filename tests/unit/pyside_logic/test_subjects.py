"""Subjects that stand apart can be taken out of a cut-out, and back in."""

import numpy as np
import pytest

from pyside_logic.cutout import Cutout
from pyside_logic.errors import GossamerError
from pyside_logic.refine import refine
from pyside_logic.refine_options import RefineOptions
from pyside_logic.subjects import Subjects
from pyside_logic.touch_up import Pick, Stroke, TouchUp, correction_from_dict


def two_discs(height: int = 200, width: int = 400) -> np.ndarray:
    """A soft disc left and a larger one right, and a speck above."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    discs = [(100, 90, 40), (110, 300, 60), (20, 200, 3)]
    alpha = [np.clip((r - np.hypot(y - cy, x - cx)) / 8 + 0.5, 0, 1) for cy, cx, r in discs]
    return np.maximum.reduce(alpha).astype(np.float32)


def test_two_subjects_are_found_and_a_speck_is_none() -> None:
    right, left = Subjects(two_discs()).found()
    assert (left.x * 400, left.y * 200) == pytest.approx((90, 100), abs=2)
    assert (right.x * 400, right.y * 200) == pytest.approx((300, 110), abs=2)
    assert (left.left * 400, left.right * 400) == pytest.approx((50, 130), abs=2)
    assert (right.top * 200, right.bottom * 200) == pytest.approx((50, 170), abs=2)


def test_the_point_of_a_ring_lies_on_it() -> None:
    y, x = np.mgrid[:100, :100]
    distance = np.hypot(y - 50, x - 50)
    ring = ((distance < 40) & (distance > 25)).astype(np.float32)
    (only,) = Subjects(ring).found()
    assert ring[int(only.y * 100), int(only.x * 100)] == 1


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (320, 320)])
def test_an_even_matte_has_one_subject_or_none(shape: tuple[int, int], value: float) -> None:
    subjects = Subjects(np.full(shape, value, np.float32))
    assert len(subjects.found()) == (1 if value else 0)
    assert (subjects.territory(0.5, 0.5) is not None) == bool(value)


def test_what_lies_near_a_subject_goes_with_it() -> None:
    territory = Subjects(two_discs()).territory(100 / 200, 90 / 400)
    assert territory is not None
    assert territory[100, 46]  # its soft edge
    assert not territory[110, 245]  # that of the other
    assert Subjects(two_discs()).territory(0.02, 0.98) is None


def test_a_tap_beside_the_photo_finds_nothing() -> None:
    """Not even a subject that its border cuts off."""
    whole = Subjects(np.ones((40, 60), np.float32))
    assert whole.territory(0.5, 0.5) is not None
    for y, x in ((-0.01, 0.5), (1.0, 0.5), (0.5, -0.01), (0.5, 1.0)):
        assert whole.territory(y, x) is None


def cut_out(strokes: list[Stroke | Pick]) -> np.ndarray:
    matte = two_discs()
    rgba = np.full((400, 800, 4), 255, np.uint8)
    rgba[..., :3] = np.random.default_rng(3).integers(0, 255, (400, 800, 3))
    cutout = Cutout(rgba, matte)
    cutout.touch_hw = TouchUp(400, 800).set_strokes(strokes, matte)
    refine(cutout, RefineOptions(detail="none"), lambda _done, _total: None)
    return cutout.rgba_hwc[..., 3]


def test_a_subject_goes_with_its_edge_and_comes_back() -> None:
    whole = cut_out([])
    left = Pick(180, 200)
    without = cut_out([left])
    assert without[:, :380].max() == 0
    assert np.array_equal(without[:, 420:], whole[:, 420:])
    # Once a person has corrected anything, the matte is enlarged in another order.
    assert np.abs(cut_out([left, left]).astype(int) - whole).max() <= 24
    assert cut_out([left, Pick(600, 220)])[60:].max() == 0
    assert np.abs(cut_out([Pick(799, 1)]).astype(int) - whole).max() <= 24


def test_a_pick_is_undone_with_the_strokes_before_it() -> None:
    matte = two_discs()
    touch_up = TouchUp(400, 800)
    stroke = Stroke(keep=True, radius=20, hardness=1, points=((180.0, 200.0),))
    first = touch_up.set_strokes([stroke], matte)
    assert first is not None
    alone = first.copy()
    touch_up.set_strokes([stroke, Pick(180, 200)], matte)
    again = touch_up.set_strokes([stroke], matte)
    assert again is not None
    assert np.array_equal(again, alone)


@pytest.mark.parametrize(
    "subject", [[1], [1, "two"], None, [1e9, 0], [float("nan"), 0], [0, float("nan")]]
)
def test_a_wrong_pick_is_refused(subject: object) -> None:
    assert correction_from_dict({"subject": [1, 2]}) == Pick(1.0, 2.0)
    with pytest.raises(GossamerError, match="Expected strokes with "):
        correction_from_dict({"subject": subject})
