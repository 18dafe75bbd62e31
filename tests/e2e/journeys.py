"""What the journeys share: one page for each size of window, kept from test to test."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import Watch

from .app import SLOW_MS, App, wait_until

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


# Notes how wide every picture is that the stage shows as the cut-out.
DRAWN_PX = """
() => {
  window.drawnPx = []
  const { transferFromImageBitmap } = ImageBitmapRenderingContext.prototype
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
    if (bitmap && this.canvas.dataset.testid === 'cutout') window.drawnPx.push(bitmap.width)
    transferFromImageBitmap.call(this, bitmap)
  }
}
"""


class Journey(App):
    """The app in a window of one size, in which a person goes from one thing to the next."""

    narrow: bool

    def start_again(self) -> None:
        """Without photos, and with every choice as it is at first, but with all that has started:
        the choice of a language builds the window anew."""
        self.close_notices()
        self.remove_photos()
        self.page.evaluate("localStorage.clear()")
        self.page.evaluate("document.querySelector('gossamer-app').dataset.old = ''")
        self.part("settings").get_by_role("button").first.click()
        self.part("language").select_option("en")
        wait_until(self.page, "!document.querySelector('gossamer-app[data-old]')")
        self.close_notices()
        expect(self.page.get_by_role("button", name="Choose photos")).to_be_visible()

    def close_notices(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.evaluate(
            "document.querySelector('gossamer-notice-bar:not([data-testid]) button:last-of-type')"
            "?.click()"
        )

    def tile(self, index: int) -> Locator:
        return self.part("photo").nth(index).locator("button").first

    def show_part(self, name: str) -> None:
        """Opens a part of the panel, which a wide window shows anyway."""
        if self.narrow and self.part(f"tab-{name}").get_attribute("aria-expanded") != "true":
            self.part(f"tab-{name}").click()

    def slider(self, name: str) -> Locator:
        return self.part(name).get_by_role("slider")

    def value(self, name: str) -> str:
        return self.part(name).locator("output").inner_text()

    def choose(self, name: str, label: str) -> None:
        self.part(name).get_by_label(label, exact=True).check(force=True)

    def saved_rgba(self) -> np.ndarray:
        return np.asarray(self.save()[1].convert("RGBA"))

    def save_all(self) -> dict[str, Image.Image]:
        """Presses the button for all: the pictures in the ZIP by name."""
        with self.page.expect_download(timeout=SLOW_MS) as download:
            self.part("save-all").click()
        return pictures_in(download.value.path().read_bytes())

    def middle(self, part: str) -> tuple[float, float]:
        return self.middle_of(self.part(part))

    def middle_of(self, element: Locator) -> tuple[float, float]:
        box = element.bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def frame(self) -> dict[str, float]:
        """Where the photo is on the screen."""
        box: dict[str, float] = self.page.evaluate(
            """() => {
              const { x, y, width, height } =
                document.querySelector('.frame').getBoundingClientRect()
              return { x, y, width, height }
            }"""
        )
        return box

    def wait_for_frame(self, ratio: float) -> None:
        """Until what is on the stage is so many times as wide as high."""
        end_s = time.monotonic() + SLOW_MS / 1000
        while time.monotonic() < end_s:
            frame = self.frame()
            if frame["height"] and abs(frame["width"] / frame["height"] - ratio) < 0.01:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"The stage shows {self.frame()}, not one of {ratio:.3f}.")

    def touch(self, *fingers: list[tuple[float, float]]) -> None:
        """Fingers that go down together, move along their points, and leave."""
        session = self.page.context.new_cdp_session(self.page)

        def send(kind: str, at: list[tuple[float, float]]) -> None:
            points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(at)]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        steps = list(zip(*fingers, strict=True))
        send("touchStart", list(steps[0]))
        for step in steps[1:]:
            send("touchMove", list(step))
        send("touchEnd", [])
        session.detach()


def pictures_in(data: bytes) -> dict[str, Image.Image]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()}


#: For what is the same in every window, or takes long: the wide one is left to `make soak`.
ONE_WINDOW = pytest.mark.parametrize(
    "window", ["narrow", pytest.param("wide", marks=pytest.mark.soak)], indirect=True
)


@pytest.fixture(scope="module", params=["wide", "narrow"])
def window(request: pytest.FixtureRequest, browser: Browser, server: str) -> Iterator[Journey]:
    narrow = request.param == "narrow"
    options: dict[str, Any] = {"viewport": NARROW, "has_touch": True, "is_mobile": True}
    context = browser.new_context(locale="en-GB", **(options if narrow else {"viewport": WIDE}))
    # The dialog for it belongs to the system, where no test can press anything.
    context.add_init_script("delete window.showSaveFilePicker")
    watch = Watch(context)
    journey = Journey(context.new_page(), server)
    journey.narrow = narrow
    journey.open()
    yield journey
    context.close()
    assert watch.foreign_requests() == []
    assert watch.complaints == []


def wide_window(page: Page, server: str) -> Journey:
    """Where the size of the window changes nothing."""
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.add_init_script("delete window.showSaveFilePicker")
    journey = Journey(page, server)
    journey.narrow = False
    journey.open()
    return journey


@pytest.fixture
def app(window: Journey) -> Journey:
    window.start_again()
    return window


#: Of every photo that a network of 64 px is shown.
UNSURE = "The subject is not clear: check it."


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Photographs that scikit-image carries, and one that is none."""
    from skimage import data

    folder = tmp_path_factory.mktemp("photos")
    paths = {}
    for name in ("astronaut", "chelsea", "coffee"):
        paths[name] = folder / f"{name}.png"
        Image.fromarray(getattr(data, name)()).save(paths[name])
    paths["letter"] = folder / "letter.jpg"
    paths["letter"].write_text("not a picture")
    return paths
