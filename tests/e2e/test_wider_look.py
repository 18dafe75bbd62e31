"""What the first look has lost of a subject as large as the photo, a wider one finds."""

import functools

import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from exporter.finder import Finder

from .app import App, call_api, png

Photo = npt.NDArray[np.uint8]


def cats_face() -> Photo:
    """The first look finds its eyes."""
    return np.ascontiguousarray(data.chelsea()[30:240, 90:405])


def cup() -> Photo:
    """The first look finds its rim and the spoon."""
    return np.ascontiguousarray(data.coffee()[120:400, 120:600])


@functools.cache
def native(wider_look: bool) -> Finder:
    return Finder(wider_look=wider_look, threads=2)


@pytest.mark.parametrize("photo", [cats_face(), cup()], ids=["cat", "cup"])
def test_it_is_the_one_of_the_native_toolchain(lasting_app: App, photo: Photo) -> None:
    page = lasting_app.page
    both = [
        call_api(page, "segmentForeground", png(photo), options={"widerLook": wanted}).matte_hw
        for wanted in (True, False)
    ]
    for found_hw, wanted in zip(both, (True, False), strict=True):
        assert found_hw is not None
        assert np.abs(found_hw - native(wanted)(photo).matte_hw).mean() < 1 / 255
    assert (both[0] - both[1]).mean() > 0.4
