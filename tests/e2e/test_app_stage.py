"""What the stage shows of a photo, and what hands, fingers, a pen and keys do with it."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .app import SLOW_MS
from .journeys import DRAWN_PX, ONE_WINDOW, Journey, app, files, window

__all__ = ["app", "files", "window"]  # fixtures


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


def test_zoom_by_wheel_keys_and_buttons_and_pan(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    fitted = app.frame()
    x, y = app.middle("stage")
    app.page.mouse.move(x - 60, y - 40)
    for _ in range(30):
        app.page.mouse.wheel(0, -120)
    expect(app.part("zoom")).to_contain_text("800%")
    close = app.frame()
    assert close["width"] == 8 * 512
    # What was under the pointer still is, but for the time when all of the photo was in sight.
    for axis, at in (("x", x - 60), ("y", y - 40)):
        size = "width" if axis == "x" else "height"
        before = (at - fitted[axis]) / fitted[size]
        assert abs((at - close[axis]) / close[size] - before) < 0.03
    app.page.mouse.down()
    app.page.mouse.move(x - 10, y - 20, steps=4)
    app.page.mouse.up()
    assert abs(app.frame()["x"] - close["x"] - 50) < 2
    app.part("stage").focus()
    app.page.keyboard.press("ArrowRight")
    assert abs(app.frame()["x"] - close["x"] - 2) < 2
    app.page.keyboard.press("0")
    assert app.frame() == fitted
    app.page.keyboard.press("+")
    larger = app.frame()
    assert abs(larger["width"] / fitted["width"] - 1.25) < 0.01
    # Within a pixel of the screen the photo would shine through the edge of its cut-out.
    assert all(edge == round(edge) for frame in (fitted, larger, close) for edge in frame.values())
    app.part("zoom").get_by_role("button", name="Zoom out").click()
    assert app.frame() == fitted
    app.page.mouse.dblclick(x, y)
    assert app.frame()["width"] > fitted["width"]


@pytest.mark.parametrize("window", ["narrow"], indirect=True)
def test_two_fingers_zoom_and_one_pans(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    fitted = app.frame()
    x, y = app.middle("stage")
    spread = range(20, 121, 10)
    app.touch([(x - by, y) for by in spread], [(x + by, y) for by in spread])
    pinched = app.frame()
    assert abs(pinched["width"] / fitted["width"] - 6) < 0.5
    app.touch([(x + by, y + by) for by in range(0, 60, 10)])
    moved = app.frame()
    assert 35 < moved["x"] - pinched["x"] < 55
    assert 35 < moved["y"] - pinched["y"] < 55


@pytest.mark.parametrize("window", ["narrow"], indirect=True)
def test_a_hand_beside_a_pen_takes_no_stroke(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("touch-up")
    app.choose("brush", "Remove")
    session = app.page.context.new_cdp_session(app.page)
    x, y = app.middle("stage")

    def pen(kind: str, dx: int) -> None:
        session.send(
            "Input.dispatchMouseEvent",
            {"type": kind, "x": x + dx, "y": y, "pointerType": "pen", "button": "left",
             "buttons": int(kind != "mouseReleased"), "clickCount": 1},
        )  # fmt: skip

    def palm(kind: str) -> None:
        points = [] if kind == "touchEnd" else [{"x": x + 60, "y": y + 60}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fitted = app.frame()
    for before in (False, True):
        if before:
            palm("touchStart")
        pen("mousePressed", 0)
        if not before:
            palm("touchStart")
        palm("touchMove")
        pen("mouseMoved", 20)
        palm("touchEnd")
        pen("mouseReleased", 20)
        expect(app.part("undo")).to_be_enabled()
        app.part("undo").click()
        expect(app.part("undo")).to_be_disabled()  # the pen's stroke alone
        assert app.frame() == fitted
    session.detach()


#: What the stage has shown in each of its frames.
RECORD = """
() => {
  window.seen = []
  const of = (part) => document.querySelector(part)
  const note = () => {
    const [frame, result, canvas] = ['.frame', '.result', '[data-testid=cutout]'].map(of)
    const { width, height } = frame.getBoundingClientRect()
    const shape = (width / height).toFixed(1)
    window.seen.push(frame.hidden ? 'nothing' : result.hidden ? 'original' : `cut-out ${shape}`)
    if (window.seen.length < 1000) requestAnimationFrame(note)
  }
  note()
}
"""
SLOWLY = """
() => {
  const decode = window.createImageBitmap
  window.createImageBitmap = async (...given) => {
    await new Promise((resolve) => setTimeout(resolve, 1500))
    return decode(...given)
  }
}
"""


@pytest.mark.parametrize("window", ["wide"], indirect=True)
def test_one_finished_photo_takes_the_place_of_another_without_a_flash(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"], files["coffee"], files["letter"])
    app.wait_for_states("done", "done", "failed")
    app.tile(0).click()
    expect(app.part("cutout")).to_have_attribute("aria-label", re.compile("astronaut"))
    expect(app.part("cutout")).to_be_visible()
    app.page.evaluate(RECORD)
    app.tile(1).click()
    expect(app.part("cutout")).to_have_attribute("aria-label", re.compile("coffee"))
    app.page.wait_for_timeout(300)
    assert set(app.page.evaluate("seen")) == {"cut-out 1.0", "cut-out 1.5"}
    app.page.evaluate(DRAWN_PX)
    app.page.evaluate(SLOWLY)
    app.tile(0).click()  # a small picture has to do, where the whole one lets itself be waited for
    expect(app.part("cutout")).to_have_attribute(
        "aria-label", re.compile("astronaut"), timeout=1200
    )
    while (drawn := app.page.evaluate("drawnPx")) != [192, 512]:
        assert drawn in ([], [192])
        app.page.wait_for_timeout(100)
    assert "original" not in app.page.evaluate("seen")
    app.tile(1).click()
    app.tile(2).click()  # and nothing is left of any other on one that has failed
    expect(app.part("error")).to_contain_text("letter.jpg", timeout=300)
    expect(app.part("cutout")).to_be_hidden()
    app.open()


def test_before_and_after_and_the_original_while_it_is_held(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    handle = app.part("compare")
    handle.focus()
    for _ in range(5):
        app.page.keyboard.press("PageUp")
    # A ring of one colour is lost on a photo of the same.
    ring = handle.evaluate("(handle) => getComputedStyle(handle.firstChild, '::before').boxShadow")
    assert ring != "none"
    assert handle.get_attribute("aria-valuenow") == "50"
    assert handle.get_attribute("aria-valuetext") == "50% original"
    frame = app.frame()
    left, right = (
        app.page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).closest('.result') !== null",
            [frame["x"] + part * frame["width"], frame["y"] + 60],
        )
        for part in (0.3, 0.7)
    )
    assert (left, right) == (False, True)
    x, y = app.middle("compare")
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(frame["x"] + frame["width"] / 4, y, steps=3)
    app.page.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "25"
    handle.press("Home")
    stage = app.part("stage")
    app.page.mouse.move(*app.middle("stage"))
    app.page.mouse.down()
    expect(stage).to_have_attribute("data-original", "")
    app.page.mouse.up()
    expect(stage).not_to_have_attribute("data-original", "")
    app.page.keyboard.down("o")
    expect(stage).to_have_attribute("data-original", "")
    app.page.keyboard.up("o")
    expect(stage).not_to_have_attribute("data-original", "")
    original = app.page.get_by_role("button", name="Original")
    app.page.mouse.move(*app.middle_of(original))
    app.page.mouse.down()
    expect(stage).to_have_attribute("data-original", "")
    app.page.mouse.up()
    expect(original).to_have_attribute("aria-pressed", "false")
    for on in ("true", "false"):  # a click that nothing was held for, as of a screen reader
        app.page.wait_for_timeout(500)
        original.evaluate("(button) => button.click()")
        expect(original).to_have_attribute("aria-pressed", on)
        assert stage.evaluate("(stage) => stage.hasAttribute('data-original')") == (on == "true")


@ONE_WINDOW
def test_the_stage_follows_the_slider(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("edges")
    stage = app.part("cutout")
    before = stage.screenshot()
    app.slider("contract").fill("-20")
    deadline_s = time.monotonic() + SLOW_MS / 1000
    while stage.screenshot() == before:
        assert time.monotonic() < deadline_s
    app.slider("contract").dblclick()
    assert app.value("contract") == "0 px"


@ONE_WINDOW
def test_a_photo_with_a_background_is_drawn_again_when_it_is_looked_at(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["coffee"], files["chelsea"])
    app.wait_for_states("done", "done")
    app.show_part("background")
    app.part("background-#ffffff").click()
    app.save()
    if app.narrow:
        app.part("tab-background").click()
    app.tile(1).click()
    expect(app.part("cutout")).to_be_visible(timeout=SLOW_MS)
    app.tile(0).click()
    expect(app.part("cutout")).to_be_visible(timeout=SLOW_MS)
    assert app.save()[1].mode == "RGB"


@ONE_WINDOW
def test_who_paints_sees_the_cut_out_and_then_the_file_again(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("background")
    app.choose("preset", "ID photo")
    app.wait_for_frame(413 / 531)
    app.show_part("touch-up")
    app.choose("brush", "Remove")
    expect(app.part("cutout")).to_be_visible(timeout=SLOW_MS)
    app.wait_for_frame(1)
    frame = app.frame()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(x + 10, y)
    app.page.mouse.up()
    expect(app.part("undo")).to_be_enabled()
    app.choose("brush", "Off")
    app.wait_for_frame(413 / 531)
    assert app.save()[1].size == (413, 531)


@ONE_WINDOW
def test_who_paints_keeps_the_zoom(app: Journey, files: dict[str, Path]) -> None:
    def choose(brush: str) -> None:
        app.show_part("touch-up")
        app.choose("brush", brush)
        expect(app.part("cutout")).to_be_visible(timeout=SLOW_MS)

    app.add(files["astronaut"])
    app.wait_for_states("done")
    for part, file_ratio in (("shadow", 1.0), ("preset", 413 / 531)):
        app.show_part("background")
        app.choose(part, "Behind" if part == "shadow" else "ID photo")
        app.wait_for_frame(file_ratio)
        choose("Keep")
        app.wait_for_frame(1)
        app.part("stage").focus()
        for _ in range(6):
            app.page.keyboard.press("+")
        closer = app.frame()
        choose("Off")
        app.wait_for_frame(file_ratio)
        if part == "shadow":
            assert app.frame() == closer
        choose("Remove")
        app.wait_for_frame(1)
        assert app.frame() == closer
        choose("Off")
        app.part("stage").press("0")
