"""What counts as the subject: for a crop, a canvas and a shadow."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from pyside_logic.crop import visible_box
from pyside_logic.encode import render
from pyside_logic.output_options import OutputOptions
from tests.unit.pyside_logic.cut_outs import cut_out_of


def block(speck: int = 0) -> np.ndarray:
    """A black block in rows 200 to 699 and columns 300 to 699; on request with a faint speck below
    it, of that alpha. uint8 (1200, 1000, 4)."""
    rgba = np.zeros((1200, 1000, 4), np.uint8)
    rgba[200:700, 300:700, 3] = 255
    rgba[1100:1115, 900:915, 3] = speck
    return rgba


def drawn(rgba: np.ndarray, values: dict[str, Any]) -> np.ndarray:
    picture = render(cut_out_of(rgba), OutputOptions.from_dict(values), "cutout")
    return picture.rows(slice(0, picture.height)).astype(int)


@pytest.mark.parametrize("size", [(1200, 1000), (120, 100), (2411, 2007)])
def test_a_faint_speck_does_not_widen_a_crop(size: tuple[int, int]) -> None:
    alpha = np.zeros(size, np.uint8)
    height, width = size
    alpha[height // 6 : height // 2, width // 3 : width // 2] = 255
    expected = slice(height // 6, height // 2), slice(width // 3, width // 2)
    alpha[-3:-1, -3:-1] = 55
    assert visible_box(alpha, 0) == expected


def test_nor_does_a_large_and_faint_reflection() -> None:
    """Of a twentieth of the subject's area, as of a bottle in the glass beside it."""
    alpha = block()[..., 3]
    alpha[300:400, 850:950] = 54
    assert visible_box(alpha, 0) == (slice(200, 700), slice(300, 700))


@pytest.mark.parametrize(("value", "width"), [(255, 30), (128, 90)])
def test_a_second_subject_counts(value: int, width: int) -> None:
    """A dog beside a man, a glass beside a bottle."""
    alpha = block()[..., 3]
    alpha[900:1000, 800 : 800 + width] = value
    assert visible_box(alpha, 0) == (slice(200, 1000), slice(300, 800 + width))


@pytest.mark.parametrize("value", [255, 20])
def test_a_thin_part_that_is_joined_counts(value: int) -> None:
    alpha = block()[..., 3]
    steps = np.arange(400)
    alpha[700 + steps, 400 + steps] = value  # by a corner of each of its pixels
    assert visible_box(alpha, 0) == (slice(200, 1100), slice(300, 800))


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 9999))
def test_the_box_is_that_of_the_heavy_regions(height: int, width: int, seed: int) -> None:
    """Against SciPy, where a pixel is a block of its own."""
    random = np.random.default_rng(seed)
    alpha = random.integers(0, 256, (height, width), np.uint8)
    alpha[random.random((height, width)) < 0.8] = 0
    regions, count = label(alpha >= 13, np.ones((3, 3)))
    if count == 0:
        assert visible_box(alpha, 0) == (slice(0, height), slice(0, width))
        return
    weights = np.bincount(regions.ravel(), alpha.ravel().astype(float) ** 2, count + 1)
    weights[0] = 0
    rows, columns = np.nonzero(np.isin(regions, np.flatnonzero(weights >= weights.max() / 100)))
    expected = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    assert visible_box(alpha, 0) == expected


def test_a_faint_speck_moves_nothing_on_a_canvas() -> None:
    values = {"preset": "product", "shadow": "contact"}
    clean, dirty = (drawn(block(speck), values) for speck in (0, 55))
    assert np.array_equal(clean, dirty)


def test_a_faint_speck_is_not_the_ground() -> None:
    """The shadow lies at the foot of the subject, as if there were none."""
    clean, dirty = (drawn(block(speck), {"shadow": "contact"})[..., 3] for speck in (0, 55))
    assert clean[705, 400:600].min() > 40
    dirty[1100:1115, 900:915] = 0
    assert np.array_equal(clean, dirty)


def test_what_a_rim_leaves_out_casts_no_shadow() -> None:
    values = {"outline": True, "shadow": {"x_px": -30, "opacity": 1, "blur_px": 2}}
    clean, dirty = (drawn(block(speck), values)[..., 3] for speck in (0, 255))
    assert clean[700, 280] > 200
    assert np.array_equal(clean, dirty)
    assert dirty[1090:1130, 850:950].max() == 0
