"""What one photo has for all of them, and what a person finds of it afterwards."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .app import SLOW_MS
from .journeys import Journey, app, files, wide_window

__all__ = ["app", "files"]  # fixtures


@pytest.fixture(scope="module")
def window(lasting_page: Page, quick_server: str) -> Journey:
    """Nothing here looks at the edges of a cut-out."""
    return wide_window(lasting_page, quick_server)


def use_for_all(app: Journey) -> Locator:
    return app.part("panel").get_by_role("button", name="Use for all")


def is_chosen(app: Journey, background: str) -> Locator:
    return app.part("panel").locator(f"[data-testid='background-{background}'][aria-pressed=true]")


def test_the_next_photos_start_with_what_all_have(
    app: Journey, files: dict[str, Path], tmp_path: Path
) -> None:
    wall = tmp_path / "wall.png"
    Image.new("RGB", (64, 64), (10, 200, 30)).save(wall)
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.part("background-picture").locator("input").set_input_files(wall)
    expect(app.part("background-picture").locator("[data-chosen]")).to_be_attached()
    app.tile(1).click()
    app.part("background-#000000").click()
    app.slider("feather").fill("5")
    app.tile(0).click()
    use_for_all(app).click()
    app.add(files["astronaut"])
    app.wait_for_states("done", "done", "done")
    assert app.value("feather") == "0 px"
    expect(app.part("background-picture").locator("[data-chosen]")).to_be_attached()
    red, green, blue = np.asarray(app.save()[1])[:40].mean(axis=(0, 1))
    assert green > max(red, blue) + 60
    app.open()
    app.add(files["astronaut"])
    app.wait_for_states("done")
    expect(is_chosen(app, "transparent")).to_be_visible()  # of a picture, nothing is kept


def test_what_all_photos_were_given_is_taken_back(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    expect(use_for_all(app)).to_be_hidden()  # there is nobody to give it to
    app.part("background-#ffffff").click()
    app.choose("format", "WebP")
    app.add(files["coffee"], files["astronaut"])
    app.wait_for_states("done", "done", "done")
    app.choose("format", "PNG")  # the coffee's
    app.choose("preset", "Sticker")
    app.tile(2).click()
    app.part("background-#00b140").click()
    app.tile(0).click()
    use_for_all(app).click()
    notice = app.page.locator("gossamer-notice-bar:visible")
    expect(notice).to_contain_text("the edges, the background and the format of this one")
    app.tile(1).click()
    expect(is_chosen(app, "#ffffff")).to_be_visible()
    app.tile(2).click()
    app.slider("feather").fill("3")  # what is changed afterwards stays
    notice.get_by_role("button", name="Undo").click()
    expect(notice).to_have_text("The other photos have their own settings again")
    expect(is_chosen(app, "#ffffff")).to_be_visible()
    app.tile(1).click()
    expect(app.part("preset").get_by_label("Sticker")).to_be_checked()
    expect(app.part("save")).to_have_text("Save PNG")
    assert app.save()[1].mode == "RGBA"
    expect(use_for_all(app)).to_have_accessible_description(re.compile("background and file"))


def thumbnail(app: Journey, index: int) -> np.ndarray:
    canvas = app.part("photo").nth(index).locator("canvas")
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")).astype(int)


def test_the_strip_and_the_size_follow_while_nobody_acts(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.choose("brush", "Remove")
    before = thumbnail(app, 0)
    x, y = app.middle("stage")
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(x + 40, y, steps=3)
    app.page.mouse.up()
    expect(app.part("undo")).to_be_enabled()
    until(lambda: np.abs(thumbnail(app, 0) - before).max() > 60)
    expect(app.part("file-size")).to_have_text(re.compile(r"^\d+ kB$"))
    plain = thumbnail(app, 0)
    app.part("background-#00b140").click()
    app.choose("format", "WebP")
    use_for_all(app).click()
    app.tile(1).click()
    # A PNG of it is known, which tells nothing of a WebP.
    expect(app.part("file-size")).not_to_have_text(re.compile("About"), timeout=1)
    expect(app.part("file-size")).to_have_text(re.compile(r"^\d+ kB$"), timeout=SLOW_MS)
    told_kb = int(app.part("file-size").inner_text().split()[0])
    with app.page.expect_download(timeout=SLOW_MS) as download:
        app.part("save").click()
    assert told_kb == -(-download.value.path().stat().st_size // 1000)
    until(lambda: np.abs(thumbnail(app, 0) - plain).max() > 60)  # nobody looks at this one
    on_green = thumbnail(app, 0)
    app.part("background-#000000").click()
    use_for_all(app).click()
    until(lambda: thumbnail(app, 0).mean() < on_green.mean() - 8)


def until(is_true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


# Notes what is asked of the workers, and when the slider moves: as each of the others is opened.
ASKED = """
() => {
  window.asked = []
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (message, ...rest) {
    window.asked.push(message.type)
    postMessage.call(this, message, ...rest)
    if (message.type === 'decode') setTimeout(() => window.move?.())
  }
}
"""
MOVE = """
(slider) => {
  window.move = () => {
    window.asked.push('move')
    slider.value = Number(slider.value) + 1
    slider.dispatchEvent(new Event('input'))
  }
}
"""


def test_the_slider_goes_first_while_all_are_saved(app: Journey, files: dict[str, Path]) -> None:
    app.page.evaluate(ASKED)
    app.add(*(files[name] for name in ("chelsea", "coffee", "astronaut", "chelsea")))
    app.wait_for_states(*["done"] * 4)
    app.slider("feather").fill("1")
    use_for_all(app).click()
    app.page.evaluate("asked.length = 0")
    app.slider("feather").evaluate(MOVE)
    pictures = app.save_all()
    asked = app.page.evaluate("asked")
    assert len(pictures) == 4
    assert asked.count("decode") == 3  # the one on the stage stays open
    moves = [at for at, name in enumerate(asked) if name == "move"]
    assert len(moves) == 3
    for at in moves:
        later = asked[at + 1 :]
        before_preview = later[: later.index("preview")] if "preview" in later else []
        assert not {"decode", "refine", "encode"} & set(before_preview), asked
