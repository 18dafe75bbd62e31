"""Mattes of our own making, of one subject or of two."""

import numpy as np
import pytest

from pyside_logic.agreement import agreed_matte, agreement_of
from pyside_logic.errors import GossamerError


def box(side: int, left: float, right: float) -> np.ndarray:
    """All rows between two columns, in parts of the width."""
    matte = np.zeros((side, side), np.float32)
    matte[:, round(side * left) : round(side * right)] = 1
    return matte


def test_it_is_the_shared_part_of_both_whatever_their_sizes() -> None:
    assert agreement_of(box(320, 0.25, 0.75), box(512, 0.25, 0.75)) == 1
    assert agreement_of(box(320, 0, 0.5), box(512, 0.25, 0.75)) == pytest.approx(1 / 3, abs=0.01)
    assert agreement_of(box(64, 0, 0.5), box(64, 0.5, 1)) == 0


def test_what_is_below_one_half_is_no_subject() -> None:
    faint = 0.4 * box(64, 0.5, 1)
    assert agreement_of(box(64, 0, 0.5) + faint, box(64, 0, 0.5)) == 1


def test_nothing_agrees_with_nothing() -> None:
    assert agreement_of(np.zeros((8, 8), np.float32), np.zeros((9, 9), np.float32)) == 0


def test_what_is_no_matte_is_refused() -> None:
    with pytest.raises(GossamerError, match="NaN"):
        agreement_of(box(8, 0, 1), np.full((8, 8), np.nan, np.float32))


def test_the_first_says_what_and_the_second_where_its_edge_is() -> None:
    first, second = box(64, 0.25, 0.75), box(64, 0.25, 0.75)
    first[:, 47], second[:, 47] = 0.5, 0.25  # the edge that the first is unsure of
    second[20:24, 28:32] = 0.5  # a hole that only the second sees, far from it
    agreed = agreed_matte(first, second, 0.9, 640, 640)
    assert agreed is not None
    assert agreed[0, 47] == pytest.approx(0.25, abs=1e-6)
    assert (agreed[20:24, 28:32] == 1).all()
    assert agreed_matte(first, box(64, 0, 0.75), 0.9, 640, 640) is None
