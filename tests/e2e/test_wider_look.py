"""What the first look has lost of a subject as large as the photo, a wider one finds."""

import functools

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page
from skimage import data

from exporter.finder import Finder, FindSettings

from .app import ApiResult, App, call_api, png
from .test_workers import worker_named

Photo = npt.NDArray[np.uint8]

# The worker ends itself, without an event, instead of giving this look's answer.
DIE_OF_IT = """
() => {
  const { postMessage } = self
  self.postMessage = (reply, ...others) => {
    if (reply.payload?.matte?.height === 224) self.close()
    else postMessage(reply, ...others)
  }
}
"""


def cats_face() -> Photo:
    """The first look finds its eyes."""
    return np.ascontiguousarray(data.chelsea()[30:240, 90:405])


def cup() -> Photo:
    """The first look finds its rim and the spoon."""
    return np.ascontiguousarray(data.coffee()[120:400, 120:600])


@functools.cache
def native(wider_look: bool) -> Finder:
    return Finder(FindSettings(wider_look=wider_look), threads=2)


def found(app: App, photo: Photo, *, wider_look: bool = True) -> ApiResult:
    options = {"widerLook": wider_look}
    return call_api(app.page, "segmentForeground", png(photo), options=options)


def assert_is_native(result: ApiResult, photo: Photo, *, wider_look: bool) -> None:
    assert result.matte_hw is not None
    assert np.abs(result.matte_hw - native(wider_look)(photo).matte_hw).mean() < 1 / 255


@pytest.mark.parametrize(
    "photo",
    [pytest.param(cats_face(), id="cat"), pytest.param(cup(), id="cup", marks=pytest.mark.soak)],
)
def test_it_is_the_one_of_the_native_toolchain(lasting_app: App, photo: Photo) -> None:
    mattes = []
    for wider_look in (True, False):
        result = found(lasting_app, photo, wider_look=wider_look)
        assert_is_native(result, photo, wider_look=wider_look)
        mattes.append(result.matte_hw)
    assert (mattes[0] - mattes[1]).mean() > 0.4


def test_a_worker_that_dies_of_it_takes_nothing_of_the_first_look(lasting_app: App) -> None:
    photo = cats_face()
    assert_is_native(found(lasting_app, photo), photo, wider_look=True)
    worker_named(lasting_app, "inference").evaluate(DIE_OF_IT)
    result = found(lasting_app, photo)
    assert_is_native(result, photo, wider_look=False)
    assert result.fields["notices"] == []
    assert_is_native(found(lasting_app, photo), photo, wider_look=True)


@pytest.mark.soak
def test_a_site_in_int8_has_one(page: Page, int8_server: str) -> None:
    app = App(page, int8_server).open()
    photo = cats_face()
    result, alone = (found(app, photo, wider_look=wider) for wider in (True, False))
    assert (result.fields["precision"], result.fields["notices"]) == ("int8", [])
    assert result.matte_hw is not None
    assert alone.matte_hw is not None
    assert (result.matte_hw - alone.matte_hw).mean() > 0.4
    expected = Finder(FindSettings(precision="int8"), threads=2)(photo).matte_hw
    assert np.abs(result.matte_hw - expected).mean() < 2 / 255
