"""A person's ways through the app: a wide window with a mouse, a narrow one with fingers."""

import base64
import re
import time
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import expect

from .app import SLOW_MS, in_base64
from .journeys import DRAWN_PX, ONE_WINDOW, Journey, app, files, pictures_in, window

__all__ = ["app", "files", "window"]  # fixtures


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


# ---- photos come in ------------------------------------------------------------------------------


@ONE_WINDOW
def test_photos_of_every_format_are_chosen(
    app: Journey, files: dict[str, Path], tmp_path: Path
) -> None:
    pillow_heif.register_heif_opener()
    with Image.open(files["chelsea"]) as photo:
        kinds = ("jpg", "png", "webp", "avif", "gif", "bmp", "heic")
        paths = [tmp_path / f"cat.{kind}" for kind in kinds]
        for path in paths:
            photo.save(path)
    app.add(*paths)
    app.wait_for_states(*["done"] * len(kinds))
    assert app.save()[1].size == (451, 300)


@ONE_WINDOW
@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(app: Journey, files: dict[str, Path], event: str) -> None:
    app.page.evaluate(
        """async ([event, bytes]) => {
          const files = new DataTransfer()
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          files.items.add(new File([content], `${event}.png`))
          const target = document.querySelector('[data-testid=drop]') ?? document.body
          target.dispatchEvent(event === 'drop'
            ? new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })
            : new ClipboardEvent('paste', { clipboardData: files, bubbles: true }))
        }""",
        [event, in_base64(files["chelsea"].read_bytes())],
    )
    app.wait_for_states("done")
    assert app.save()[0] == f"{event}-cutout.png"


@ONE_WINDOW
def test_a_folder_is_dropped_with_all_its_pictures(
    app: Journey, files: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "holiday"
    (folder / "more").mkdir(parents=True)
    (folder / "cat 10.png").write_bytes(files["chelsea"].read_bytes())
    (folder / "cat 9.png").write_bytes(files["chelsea"].read_bytes())
    (folder / "more" / "cup.png").write_bytes(files["coffee"].read_bytes())
    (folder / "notes.txt").write_text("no picture")
    session = app.page.context.new_cdp_session(app.page)
    x, y = app.middle("drop")
    drag = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": drag})
    app.wait_for_states("done", "done", "done")
    labels = [app.tile(index).get_attribute("aria-label") for index in range(3)]
    assert [str(label).split(",")[0] for label in labels] == ["cat 9.png", "cat 10.png", "cup.png"]


def test_the_camera_is_offered_where_there_are_fingers(
    app: Journey, files: dict[str, Path]
) -> None:
    button = app.page.get_by_role("button", name="Take a photo")
    if not app.narrow:
        expect(button).not_to_be_visible()
        return
    assert app.part("camera-input").get_attribute("capture") == "environment"
    with app.page.expect_file_chooser() as chooser:
        button.click()
    chooser.value.set_files(files["chelsea"])
    app.wait_for_states("done")


# ---- the queue -----------------------------------------------------------------------------------


def test_photos_are_stopped_restarted_and_removed_one_by_one(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"], files["letter"], files["chelsea"], files["coffee"])
    app.tile(3).click()
    app.part("stop").click()
    app.wait_for_states("done", "failed", "done", "stopped")
    app.part("restart").click()
    app.wait_for_states("done", "failed", "done", "done")
    app.tile(1).click()
    expect(app.part("error")).to_contain_text("letter.jpg")
    app.part("retry").click()
    app.wait_for_states("done", "failed", "done", "done")
    app.part("photo").nth(1).get_by_role("button", name="Remove").click()
    app.wait_for_states("done", "done", "done")
    expect(app.part("error")).not_to_be_visible()
    app.tile(0).focus()
    app.page.keyboard.press("Delete")
    app.wait_for_states("done", "done")


@ONE_WINDOW
def test_a_photo_at_work_can_be_stopped(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"], files["chelsea"])
    app.part("stop").click()
    app.wait_for_states("stopped", "done")
    app.part("restart").click()
    app.wait_for_states("done", "done")


def test_the_focus_goes_on_to_the_button_that_takes_the_place_of_one(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"], files["chelsea"], files["coffee"])
    app.tile(2).click()
    app.part("stop").press("Enter")
    expect(app.part("restart")).to_be_focused()
    app.page.keyboard.press("Enter")
    app.wait_for_states("done", "done", "done")
    expect(app.part("save")).to_be_focused()
    app.tile(0).focus()  # who is elsewhere stays there
    app.add(files["chelsea"])
    app.wait_for_states("done", "done", "done", "done")
    expect(app.tile(0)).to_be_focused()


@pytest.mark.parametrize("window", ["narrow"], indirect=True)
def test_a_bad_file_leaves_a_way_to_the_others(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.show_part("edges")
    app.add(files["letter"])
    expect(app.part("error")).to_be_visible()
    expect(app.part("film-strip")).to_be_hidden()
    app.page.get_by_role("button", name="Remove", exact=True).press("Enter")
    app.wait_for_states("done")
    expect(app.part("stage")).to_be_focused()
    app.add(files["letter"])
    expect(app.part("error")).to_be_visible()
    app.part("tab-edges").click(timeout=5000)
    expect(app.part("panel").locator(".sections")).to_have_attribute("inert", "")
    app.tile(0).click()
    app.show_part("edges")
    app.slider("feather").fill("4")
    assert app.value("feather") == "4 px"


@ONE_WINDOW
def test_all_photos_are_saved_as_one_zip(
    app: Journey, files: dict[str, Path], tmp_path: Path
) -> None:
    namesake = tmp_path / "chelsea.jpg"
    namesake.write_bytes(files["chelsea"].read_bytes())
    app.add(files["chelsea"], files["letter"], namesake)
    app.wait_for_states("done", "failed", "done")
    pictures = app.save_all()
    assert list(pictures) == ["chelsea-cutout.png", "chelsea-cutout (2).png"]
    assert all(picture.size == (451, 300) for picture in pictures.values())
    assert all(picture.mode == "RGBA" for picture in pictures.values())


@pytest.mark.parametrize("window", ["wide"], indirect=True)
def test_a_zip_is_written_straight_into_the_file_that_is_chosen(
    app: Journey, files: dict[str, Path]
) -> None:
    """The dialog belongs to the system; the file here is in the browser's own file system."""
    app.page.evaluate(
        """() => {
          window.showSaveFilePicker = async ({ suggestedName }) => {
            const root = await navigator.storage.getDirectory()
            return root.getFileHandle(suggestedName, { create: true })
          }
        }"""
    )
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.part("save-all").click()
    expect(app.page.get_by_text("2 pictures are in cutouts.zip")).to_be_visible(timeout=SLOW_MS)
    address = app.page.evaluate(
        """async () => {
          const root = await navigator.storage.getDirectory()
          const file = await (await root.getFileHandle('cutouts.zip')).getFile()
          const reader = new FileReader()
          await new Promise((resolve) => {
            reader.onload = resolve
            reader.readAsDataURL(file)
          })
          return reader.result
        }"""
    )
    content = base64.b64decode(address.partition(",")[2])
    assert list(pictures_in(content)) == ["chelsea-cutout.png", "coffee-cutout.png"]
    app.open()  # without that dialog


@ONE_WINDOW
def test_a_removed_photo_comes_back_as_it_was(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"], files["astronaut"], files["coffee"])
    app.wait_for_states("done", "done", "done")
    app.tile(1).click()
    app.show_part("edges")
    app.slider("feather").fill("7")
    app.page.keyboard.press("Escape")
    before = app.saved_rgba()
    app.tile(1).focus()
    for _ in range(3):  # held
        app.page.keyboard.down("Delete")
    app.page.keyboard.up("Delete")
    app.wait_for_states("done", "done")
    expect(app.tile(1)).to_be_focused()
    notice = app.page.locator("gossamer-notice-bar:visible")
    expect(notice).to_contain_text("astronaut.png is removed")
    app.part("settings").get_by_role("button").first.click()
    app.part("language").select_option("de")
    expect(app.part("save")).to_have_text("PNG sichern")
    app.page.keyboard.press("Escape")
    notice.get_by_role("button", name="Rückgängig").click()
    expect(notice).to_contain_text("astronaut.png ist wieder da")
    app.wait_for_states("done", "done", "done")
    expect(app.tile(1)).to_be_focused()
    expect(app.tile(1)).to_have_attribute("aria-label", "astronaut.png, fertig")
    assert app.value("feather") == "7 px"
    assert np.array_equal(app.saved_rgba(), before)
    app.tile(1).press("ArrowRight")
    expect(app.tile(2)).to_be_focused()
    app.remove_photos()
    app.add(files["coffee"])
    expect(app.part("photo")).to_have_attribute("data-state", "working")
    app.remove_photos()
    notice.get_by_role("button", name="Rückgängig").click()  # of one at work, and the last one
    app.wait_for_states("done")


# ---- the stage -----------------------------------------------------------------------------------


def test_zoom_by_wheel_keys_and_buttons_and_pan(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    fitted = app.frame()
    x, y = app.middle("stage")
    app.page.mouse.move(x - 60, y - 40)
    for _ in range(30):
        app.page.mouse.wheel(0, -120)
    expect(app.part("zoom")).to_contain_text("800 %")
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
    assert handle.get_attribute("aria-valuetext") == "50 % original"
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


# ---- choices -------------------------------------------------------------------------------------


@ONE_WINDOW
def test_an_own_colour_is_taken_again_and_said_to_be_chosen(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.show_part("background")
    own = app.page.locator("input[type=color]")
    white = app.part("background-#ffffff")
    own.fill("#ff8800")
    white.click()
    expect(white).to_have_attribute("aria-pressed", "true")
    expect(own).to_have_attribute("aria-label", "Own colour")
    own.press("Enter")
    app.page.keyboard.press("Escape")
    expect(white).to_have_attribute("aria-pressed", "false")
    expect(own).to_have_attribute("aria-label", "Own colour, chosen")


@ONE_WINDOW
def test_whoever_looks_at_another_choice_finds_the_first_as_it_was(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.show_part("background")
    app.choose("shadow", "Behind")
    app.slider("shadow-opacity").fill("80")
    app.choose("shadow", "On the ground")
    assert app.value("shadow-opacity") == "80 %"
    app.choose("shadow", "None")
    app.choose("shadow", "Behind")
    assert app.value("shadow-opacity") == "80 %"
    crop = app.part("crop").get_by_role("switch")
    crop.check()
    app.slider("margin").fill("60")
    crop.uncheck()
    crop.check()
    assert app.value("margin") == "60 px"
    app.part("background-#00b140").click()
    app.choose("preset", "Product")
    app.choose("preset", "Anything")
    expect(app.part("background-#00b140")).to_have_attribute("aria-pressed", "true")
    assert app.value("shadow-opacity") == "80 %"
    assert app.value("margin") == "60 px"


# ---- the app itself ------------------------------------------------------------------------------


OVERFLOW_PX = "document.documentElement.scrollWidth - screen.width"


@ONE_WINDOW
def test_choices_outlive_the_page_and_serve_all_photos(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.show_part("edges")
    app.slider("feather").fill("9")
    app.part("panel").get_by_role("button", name="Use for all").click()
    pictures = app.save_all()
    alphas = [np.asarray(picture)[..., 3] for picture in pictures.values()]
    assert all(((alpha > 0) & (alpha < 255)).mean() > 0.1 for alpha in alphas)
    app.open()
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("edges")
    assert app.value("feather") == "9 px"


def test_the_language_changes_and_the_work_stays(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.part("settings").get_by_role("button").first.click()
    for language, words in (("ja", "PNG を保存"), ("zh-Hans", "保存 PNG"), ("de", "PNG sichern")):
        app.part("language").select_option(language)
        expect(app.part("save")).to_have_text(words)
        assert app.page.evaluate("document.documentElement.lang") == language
        expect(app.part("language")).to_be_focused()  # whoever walks through them by keys goes on
        assert app.page.evaluate(OVERFLOW_PX) <= 0
        app.wait_for_states("done")
    app.page.keyboard.press("Escape")
    assert app.save()[1].size == (451, 300)
    app.open()
    expect(app.page.get_by_role("button", name="Fotos auswählen")).to_be_visible()
    assert app.page.evaluate(OVERFLOW_PX) <= 0
