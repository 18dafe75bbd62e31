"""`scale.py` against Pillow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from pyside_logic.scale import resize_picture


@pytest.mark.parametrize("size", [(100, 150), (451, 300), (37, 701), (800, 900), (300, 451)])
def test_opaque_pictures_as_pillow_makes_them(size: tuple[int, int]) -> None:
    photo = data.chelsea()
    theirs = Image.fromarray(photo).resize(size[::-1], Image.Resampling.LANCZOS)
    ours = resize_picture(photo, *size).astype(int)
    assert np.abs(ours - np.asarray(theirs)).max() <= 2
    opaque = resize_picture(np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)]), *size)
    assert (opaque[..., 3] == 255).all()
    assert np.abs(opaque[..., :3].astype(int) - ours).max() <= 1


def test_far_smaller_pictures_are_near_to_pillows() -> None:
    photo = np.tile(data.astronaut(), (4, 4, 1))
    theirs = np.asarray(Image.fromarray(photo).resize((150, 170), Image.Resampling.LANCZOS))
    ours = resize_picture(photo, 170, 150).astype(int)
    assert np.abs(ours - theirs).mean() < 1.5


def test_what_is_transparent_lends_no_colour() -> None:
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[..., :3] = (0, 255, 0)
    rgba[20:40, 20:40] = (200, 10, 10, 255)
    for size in ((31, 47), (150, 90), (9, 9)):
        resized = resize_picture(rgba, *size)
        seen = resized[resized[..., 3] > 40].astype(int)
        assert np.abs(seen[:, :3] - (200, 10, 10)).max() <= 20


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    target=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    value=st.integers(0, 255),
)
def test_an_even_picture_of_any_size_stays_even(
    source: tuple[int, int], target: tuple[int, int], value: int
) -> None:
    rgba = np.full((*source, 4), value, np.uint8)
    rgba[..., 3] = 255
    resized = resize_picture(rgba, *target)
    assert resized.shape == (*target, 4)
    assert (resized == [value, value, value, 255]).all()


@pytest.mark.parametrize("size", [(700, 900), (201, 250), (37, 40)])
def test_a_part_is_what_it_is_in_the_whole(size: tuple[int, int]) -> None:
    rgba = np.dstack([data.astronaut()[:300, :400], data.camera()[:300, :400]])
    height, width = size
    whole = resize_picture(rgba, height, width)
    rows, columns = slice(height // 3, height - 5), slice(7, width // 2)
    part = resize_picture(rgba, height, width, (rows, columns))
    np.testing.assert_array_equal(part, whole[rows, columns])
