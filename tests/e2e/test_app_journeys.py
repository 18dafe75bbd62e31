"""A person's ways through the app: a wide window with a mouse, a narrow one with fingers."""

import base64
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from .app import SLOW_MS
from .journeys import Journey, app, files, pictures_in, window

__all__ = ["app", "files", "window"]  # fixtures


def soft(rgba: np.ndarray) -> float:
    return float(((rgba[..., 3] > 0) & (rgba[..., 3] < 255)).mean())


# ---- edges ---------------------------------------------------------------------------------------


def test_edges_act_at_once_and_are_in_the_file(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    before = app.saved_rgba()
    app.show_part("edges")
    assert app.value("feather") == "0 px"
    app.slider("feather").focus()
    for _ in range(12):
        app.page.keyboard.press("ArrowRight")
    assert app.value("feather") == "6 px"
    assert soft(app.saved_rgba()) > 2 * soft(before)
    app.slider("feather").dblclick()
    assert app.value("feather") == "0 px"
    assert np.array_equal(app.saved_rgba(), before)
    app.slider("contract").fill("-8")
    smaller = app.saved_rgba()
    assert smaller[..., 3].sum() < before[..., 3].sum()
    app.choose("detail", "Plain")
    assert not np.array_equal(app.saved_rgba(), smaller)
    app.part("panel").get_by_role("button", name="Reset").click()
    assert np.array_equal(app.saved_rgba(), before)


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


def test_choices_outlive_the_page_and_serve_all_photos(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.show_part("edges")
    app.slider("feather").fill("9")
    app.part("panel").get_by_role("button", name="Use for all").click()
    pictures = app.save_all()
    assert all(soft(np.asarray(picture)) > 0.1 for picture in pictures.values())
    app.open()
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("edges")
    assert app.value("feather") == "9 px"


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


def test_a_photo_at_work_can_be_stopped(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"], files["chelsea"])
    app.part("stop").click()
    app.wait_for_states("stopped", "done")
    app.part("restart").click()
    app.wait_for_states("done", "done")


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
    assert abs(app.frame()["width"] / fitted["width"] - 1.25) < 0.01
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


def test_before_and_after_and_the_original_while_it_is_held(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    handle = app.part("compare")
    handle.focus()
    for _ in range(5):
        app.page.keyboard.press("PageUp")
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


# ---- touching up ---------------------------------------------------------------------------------


def test_brushes_correct_the_cut_out_and_can_be_undone(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    before = app.saved_rgba()
    assert before[256, 256, 3] == 255
    assert before[60, 460, 3] == 0
    app.show_part("touch-up")
    for tool, photo_x, photo_y in (("Remove", 256, 256), ("Keep", 460, 60)):
        app.choose("brush", tool)
        frame = app.frame()
        x = frame["x"] + photo_x / 512 * frame["width"]
        y = frame["y"] + photo_y / 512 * frame["height"]
        if app.narrow:
            app.touch([(x - 6, y), (x, y), (x + 6, y)])
        else:
            app.page.mouse.move(x - 6, y)
            app.page.mouse.down()
            app.page.mouse.move(x + 6, y, steps=3)
            app.page.mouse.up()
    painted = app.saved_rgba()
    assert painted[256, 256, 3] == 0
    assert painted[60, 460, 3] == 255
    assert np.array_equal(painted[60, 460, :3], data.astronaut()[60, 460])
    app.part("undo").click()
    app.page.keyboard.press("Control+z")
    expect(app.part("undo")).to_be_disabled()
    assert np.array_equal(app.saved_rgba(), before)
    app.part("redo").click()
    app.page.keyboard.press("Control+Shift+z")
    assert np.array_equal(app.saved_rgba(), painted)
    app.show_part("edges")
    app.slider("feather").fill("6")
    assert app.saved_rgba()[256, 256, 3] == 0


def two_balls() -> np.ndarray:
    """On a plain backdrop, lit from the left."""
    y, x = np.mgrid[:600, :900].astype(float)
    picture = np.stack([225 - y / 20] * 3, axis=-1)
    for centre_x, colour in ((250, (200, 60, 40)), (650, (40, 70, 190))):
        inside = np.hypot(y - 320, x - centre_x) < 130
        light = np.clip(1.1 - 0.7 * np.hypot(y - 270, x - centre_x + 50) / 200, 0.2, 1)
        picture[inside] = (np.array(colour) * light[..., None])[inside]
    return picture.astype(np.uint8)


def test_one_of_two_subjects_is_taken_out_and_back_in(app: Journey, tmp_path: Path) -> None:
    Image.fromarray(two_balls()).save(tmp_path / "balls.png")
    app.add(tmp_path / "balls.png")
    app.wait_for_states("done")
    both = app.saved_rgba()
    assert both[320, 250, 3] == both[320, 650, 3] == 255
    app.show_part("touch-up")
    app.choose("brush", "Pick")
    first, second = (
        app.part("subjects").get_by_role("button", name=f"Subject {number}") for number in (1, 2)
    )
    expect(second).to_have_attribute("aria-pressed", "true")
    second.click()
    expect(second).to_have_attribute("aria-pressed", "false")
    expect(second).to_be_focused()  # it is the same button
    expect(first).to_have_attribute("aria-pressed", "true")
    one = app.saved_rgba()
    assert (one[320, 250, 3], one[:, 480:, 3].max()) == (255, 0)
    frame = app.frame()
    at = (frame["x"] + frame["width"] * 250 / 900, frame["y"] + frame["height"] * 320 / 600)
    if app.narrow:
        app.page.touchscreen.tap(*at)
    else:
        app.page.mouse.click(*at)
    expect(first).to_have_attribute("aria-pressed", "false")
    assert app.saved_rgba()[..., 3].max() == 0
    app.part("undo").click()
    expect(first).to_have_attribute("aria-pressed", "true")
    assert np.array_equal(app.saved_rgba(), one)
    second.click()
    assert app.saved_rgba()[320, 650, 3] == 255


def test_one_subject_alone_is_nothing_to_pick_from(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("touch-up")
    expect(app.part("brush").get_by_text("Keep", exact=True)).to_be_visible()
    expect(app.part("brush").get_by_text("Pick", exact=True)).to_be_hidden()


DRAWN_PX = """
window.drawnPx = []
const { transferFromImageBitmap } = ImageBitmapRenderingContext.prototype
ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
  if (bitmap && this.canvas.dataset.testid === 'cutout') window.drawnPx.push(bitmap.width)
  transferFromImageBitmap.call(this, bitmap)
}
"""


def test_a_large_photo_is_seen_as_a_draft_and_small_and_then_whole(
    app: Journey, tmp_path: Path
) -> None:
    app.page.evaluate("gossamer.preloadDraft()")
    app.page.evaluate(f"() => {{ {DRAWN_PX} }}")
    large = Image.fromarray(data.coffee()).resize((3000, 2000))
    large.save(tmp_path / "large.jpg")
    app.add(tmp_path / "large.jpg")
    app.wait_for_states("done")
    draft, small, whole = app.page.evaluate("drawnPx")
    assert draft == small <= 1000
    assert whole == 3000


# ---- background and file -------------------------------------------------------------------------


def test_background_crop_and_format_are_in_the_file(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["coffee"])
    app.wait_for_states("done")
    app.show_part("background")
    app.part("background-#00b140").click()
    name, picture = app.save()
    assert (name, picture.mode, picture.size) == ("coffee-cutout.png", "RGB", (600, 400))
    assert np.asarray(picture)[2, 2].tolist() == [0, 0xB1, 0x40]
    app.part("crop").get_by_role("switch").check()
    cropped = app.save()[1].size
    assert cropped[0] * cropped[1] < 600 * 400
    app.slider("margin").fill("20")
    assert app.save()[1].size > cropped
    app.show_part("file")
    app.choose("format", "WebP")
    name, picture = app.save()
    assert (name, picture.format) == ("coffee-cutout.webp", "WEBP")
    expect(app.part("file-size")).to_have_text(re.compile(r"^\d+ kB$"), timeout=SLOW_MS)
    size = app.part("file-size").inner_text()
    app.slider("quality").fill("30")
    expect(app.part("file-size")).to_have_text(re.compile(r"^\d+ kB$"), timeout=SLOW_MS)
    assert int(app.part("file-size").inner_text().split()[0]) < int(size.split()[0])
    app.choose("format", "SVG")
    with app.page.expect_download(timeout=SLOW_MS) as download:
        app.part("save").click()
    assert download.value.suggested_filename == "coffee-cutout.svg"
    assert b"<svg" in download.value.path().read_bytes()[:200]


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


def test_the_stage_shows_the_file_that_is_made(
    app: Journey, files: dict[str, Path], tmp_path: Path
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("background")
    app.choose("preset", "Product")
    expect(app.part("compare")).to_be_hidden(timeout=SLOW_MS)
    name, picture = app.save()
    assert (name, picture.mode, picture.size) == ("astronaut-cutout.png", "RGB", (2000, 2000))
    assert np.asarray(picture)[5, 5].tolist() == [255, 255, 255]
    app.choose("preset", "ID photo")
    app.wait_for_frame(413 / 531)
    assert app.save()[1].size == (413, 531)
    app.choose("preset", "Sticker")
    sticker = app.save()[1]
    assert sticker.mode == "RGBA"
    app.choose("preset", "Anything")
    expect(app.part("compare")).to_be_visible(timeout=SLOW_MS)
    assert app.save()[1].size == (512, 512)
    app.part("background-gradient").click()
    gradient = app.save()[1]
    assert (gradient.mode, gradient.size) == ("RGB", (512, 512))
    expect(app.part("compare")).to_be_visible(timeout=SLOW_MS)
    own = tmp_path / "wall.png"
    Image.new("RGB", (64, 64), (10, 200, 30)).save(own)
    app.part("background-picture").locator("input").set_input_files(own)
    assert np.asarray(app.save()[1])[2, 2].tolist() == [10, 200, 30]
    letter = files["letter"]
    app.part("background-picture").locator("input").set_input_files(letter)
    expect(app.page.get_by_text(f"“{letter.name}” is not a picture")).to_be_visible()
    assert np.asarray(app.save()[1])[2, 2].tolist() == [10, 200, 30]
    app.choose("shadow", "Behind")
    shadowed = np.asarray(app.save()[1]).astype(int)
    app.slider("shadow-opacity").fill("90")
    assert np.asarray(app.save()[1]).astype(int).sum() < shadowed.sum()
    app.choose("shadow", "None")
    app.part("background-transparent").click()
    assert app.save()[1].mode == "RGBA"


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


# ---- the app itself ------------------------------------------------------------------------------


OVERFLOW_PX = "document.documentElement.scrollWidth - screen.width"


def test_the_language_changes_and_the_work_stays(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    for language, words in (("ja", "PNG を保存"), ("zh-Hans", "保存 PNG"), ("de", "PNG sichern")):
        app.part("settings").get_by_role("button").first.click()
        app.part("language").select_option(language)
        expect(app.part("save")).to_have_text(words)
        assert app.page.evaluate("document.documentElement.lang") == language
        assert app.page.evaluate(OVERFLOW_PX) <= 0
        app.wait_for_states("done")
    assert app.save()[1].size == (451, 300)
    app.open()
    expect(app.page.get_by_role("button", name="Fotos auswählen")).to_be_visible()
    assert app.page.evaluate(OVERFLOW_PX) <= 0


def test_what_is_stored_is_shown_and_deleted(app: Journey, files: dict[str, Path]) -> None:
    app.wait_until_offline_ready()
    app.page.evaluate("gossamer.preloadDraft()")
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("settings").get_by_text("5.9 MB", exact=True)).to_be_visible()
    app.part("delete-stored").click()
    expect(app.page.get_by_text("4.6 MB, not here yet")).to_be_visible(timeout=SLOW_MS)
    assert app.page.evaluate("caches.keys()") == []
    app.page.keyboard.press("Escape")
    app.add(files["chelsea"])
    app.wait_for_states("done")
