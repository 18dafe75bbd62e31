"""`png.py`: arrays of every shape and layout, read back by Pillow."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.pyside_logic.png_files import encode_png

from .conftest import Tried

SOAK = pytest.mark.soak
SIZES = st.tuples(st.integers(1, 24), st.integers(1, 24), st.sampled_from([1, 3, 4]))


@pytest.mark.parametrize("inputs", [300, pytest.param(30_000, marks=SOAK)])
def test_what_is_written_is_what_is_read(tried: Tried, inputs: int) -> None:
    @settings(max_examples=inputs, deadline=None, database=None)
    @given(
        shape=SIZES,
        seed=st.integers(0, 2**32 - 1),
        faint=st.booleans(),
        steps=st.tuples(st.sampled_from([1, -1, 2, -3]), st.sampled_from([1, -1, 2])),
        density=st.none() | st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)),
    )
    def attempt(
        shape: tuple[int, int, int],
        seed: int,
        faint: bool,
        steps: tuple[int, int],
        density: tuple[int, int] | None,
    ) -> None:
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 3 if faint else 256, shape, np.uint8)
        view = pixels[:: steps[0], :: steps[1]]
        view = view[..., 0] if shape[2] == 1 else view
        expected = view.copy()
        if shape[2] == 4:
            expected[expected[..., 3] == 0] = 0
        picture = Image.open(io.BytesIO(encode_png(view, density)))
        assert np.array_equal(np.asarray(picture), expected)

    attempt()
    tried("png.py: pixels of every shape and layout", inputs)
