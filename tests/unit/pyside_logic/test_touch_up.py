"""Brush strokes correct the matte, whatever refines it afterwards."""

import numpy as np
import pytest

from pyside_logic.cutout import Cutout
from pyside_logic.errors import GossamerError
from pyside_logic.refine_options import DETAILS
from pyside_logic.touch_up import Pick, Stroke, TouchUp
from tests.unit.pyside_logic.discs import alpha, disc, matte_of

KEEP = Stroke(keep=True, radius=12, hardness=1, points=((20.0, 20.0), (60.0, 20.0)))
REMOVE = Stroke(keep=False, radius=12, hardness=1, points=((150.0, 120.0),))


@pytest.mark.parametrize("detail", DETAILS)
def test_strokes_hold_whatever_refines(detail: str) -> None:
    rgba = disc(240, 300)
    cutout = Cutout(rgba, matte_of(rgba))
    before = alpha(cutout, detail=detail)
    assert before[20, 40] < 0.02
    assert before[120, 150] > 0.98
    cutout.touch_hw = TouchUp(240, 300).set_strokes([KEEP, REMOVE])
    after = alpha(cutout, detail=detail, contract_px=3)
    assert after[12:28, 20:60].min() == 1
    assert after[112:128, 142:158].max() == 0
    far = np.ones_like(before, bool)
    far[:60, :110] = far[80:160, 110:190] = False
    unchanged = alpha(
        Cutout(disc(240, 300), matte_of(disc(240, 300))), detail=detail, contract_px=3
    )
    assert np.abs(after - unchanged)[far].mean() < 0.01


def test_a_stroke_ends_at_its_radius_and_softens_by_its_hardness() -> None:
    hard, soft = (
        TouchUp(100, 100).set_strokes([Stroke(True, 20, hardness, ((50.0, 50.0),))])
        for hardness in (1, 0)
    )
    assert hard is not None
    assert soft is not None
    y, x = np.mgrid[:100, :100] + 0.5
    distance = np.hypot(y - 50, x - 50)
    assert (hard[distance < 18.9] == 1).all()
    assert (hard[distance > 20] == 0).all()
    assert np.allclose(soft, np.clip(1 - distance / 20, 0, 1), atol=1e-5)


def test_a_photo_larger_than_its_map_is_painted_where_it_was_meant() -> None:
    matte = np.zeros((60, 160), np.float32)
    matte[10:50, 80:140] = 1

    def painted(scale: int) -> np.ndarray | None:
        """The same strokes on a photo that is so many times as large as the map."""
        points = ((200.0 * scale, 100.0 * scale), (400.0 * scale, 300.0 * scale))
        strokes = [Stroke(True, 30 * scale, 0.5, points), Pick(1100 * scale, 300 * scale)]
        return TouchUp(600 * scale, 1600 * scale).set_strokes(strokes, matte)

    small, large = painted(1), painted(3)
    assert small is not None
    assert large is not None
    assert (small[200, 300], small[300, 1100], small[500, 300]) == (1, -1, 0)
    assert np.allclose(small, large, atol=1e-4)


def test_undoing_gives_exactly_what_was_before() -> None:
    strokes = [
        Stroke(i % 3 > 0, 5.0 + i, 0.5, ((10.0 * i, 30.0), (20.0 * i, 60.0), (99.0, 5.0 * i)))
        for i in range(1, 8)
    ]
    touch_up = TouchUp(80, 120)
    states = []
    for count in range(len(strokes) + 1):
        painted = touch_up.set_strokes(strokes[:count])
        states.append(None if painted is None else painted.copy())
    assert states[0] is None
    for count in (5, 2, 6, 0, 7):
        painted, expected = touch_up.set_strokes(strokes[:count]), states[count]
        assert (painted is None) == (expected is None)
        assert expected is None or np.array_equal(painted, expected)


def test_points_beyond_the_photo_paint_what_is_inside() -> None:
    stroke = Stroke(True, 10, 1, ((-50.0, 10.0), (200.0, 10.0)))
    painted = TouchUp(40, 60).set_strokes([stroke, Stroke(False, 5, 1, ((500.0, 500.0),))])
    assert painted is not None
    assert (painted[2:18] == 1).all()
    assert (painted[21:] == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": []},
        {"points": [1, 2, 3]},
        {"points": [1, float("nan")]},
        {"points": None},
        {"radius": 0},
        {"radius": "wide"},
        {"hardness": 1.5},
    ],
    ids=str,
)
def test_a_wrong_stroke_is_refused(wrong: dict[str, object]) -> None:
    stroke = {"keep": True, "radius": 3, "hardness": 1, "points": [1, 2]}
    assert Stroke.from_dict(stroke).points == ((1.0, 2.0),)
    with pytest.raises(GossamerError, match="Expected strokes with "):
        Stroke.from_dict({**stroke, **wrong})
    with pytest.raises(GossamerError, match="KeyError"):
        Stroke.from_dict({"keep": True})
