"""What a person changes in a cut-out: edges, what belongs to the subject, what lies behind it, and
the file; in a wide window with a mouse, and in a narrow one with fingers."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from .app import SLOW_MS, App
from .journeys import DRAWN_PX, ONE_WINDOW, Journey, app, files, window

__all__ = ["app", "files", "window"]  # fixtures


def soft(rgba: np.ndarray) -> float:
    return float(((rgba[..., 3] > 0) & (rgba[..., 3] < 255)).mean())


# ---- edges ---------------------------------------------------------------------------------------


@ONE_WINDOW
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
    # The way back is one for all: no stroke goes for a background that was chosen after it.
    app.show_part("background")
    app.part("background-#00b140").click()
    app.page.keyboard.press("Control+z")
    expect(app.part("background-transparent")).to_have_attribute("aria-pressed", "true")
    app.page.keyboard.press("Control+z")
    assert app.value("feather") == "0 px"
    assert np.array_equal(app.saved_rgba(), painted)
    app.choose("preset", "Product")
    app.part("shadow").scroll_into_view_if_needed()
    app.show_part("touch-up")
    if app.narrow:  # a part begins at its beginning, wherever another one was left
        expect(app.part("brush")).to_be_in_viewport(ratio=1)
    app.choose("brush", "Keep")
    app.page.keyboard.press("Control+z")
    expect(app.part("preset").get_by_label("Anything")).to_be_checked()
    expect(app.part("brush").get_by_label("Off")).to_be_checked()  # or nobody would see it
    app.part("redo").click()
    assert app.save()[1].size == (2000, 2000)


# Paints once more while the first stroke's preview is made, and notes how wide the canvas of what
# is painted is when the stage shows that.
TRACE_AT_NEXT_DRAWING = """
() => {
  const { prototype } = ImageBitmapRenderingContext
  const { postMessage } = Worker.prototype
  const draw = prototype.transferFromImageBitmap
  Worker.prototype.postMessage = function (message, transfer) {
    postMessage.call(this, message, transfer)
    if (message.type !== 'preview') return
    Worker.prototype.postMessage = postMessage
    const press = new KeyboardEvent('keydown', { key: ' ', bubbles: true })
    document.querySelector('[data-testid=stage]').dispatchEvent(press)
  }
  prototype.transferFromImageBitmap = function (bitmap) {
    draw.call(this, bitmap)
    if (this.canvas.dataset.testid !== 'cutout') return
    prototype.transferFromImageBitmap = draw
    queueMicrotask(() => { window.traceWidth = document.querySelector('.strokes').width })
  }
}
"""


@pytest.mark.parametrize("window", ["wide"], indirect=True)
def test_a_stroke_stays_where_it_was_painted_when_the_wheel_zooms(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    before = app.saved_rgba()[..., 3]
    app.show_part("touch-up")
    app.choose("brush", "Remove")
    app.slider("brush-size").fill("20")
    frame = app.frame()
    scale = frame["width"] / 512
    at = {x: (frame["x"] + x * scale, frame["y"] + 300 * scale) for x in (200, 320)}
    zoom = app.part("zoom").inner_text()
    app.page.mouse.move(*at[200])
    app.page.mouse.down()
    app.page.mouse.move(*at[320], steps=3)
    for _ in range(4):
        app.page.mouse.wheel(0, -120)
    expect(app.part("zoom")).not_to_have_text(zoom)
    drawn = np.asarray(Image.open(io.BytesIO(app.page.screenshot()))).astype(int)
    app.page.evaluate(TRACE_AT_NEXT_DRAWING)
    app.page.mouse.up()
    expect(app.part("undo")).to_be_enabled()
    painted = app.saved_rgba()[..., 3]
    # What is painted is seen until what comes of it is.
    assert app.page.evaluate("window.traceWidth") > 0
    expect(app.page.locator(".strokes")).to_have_js_property("width", 0)
    gone = (before == 255) & (painted == 0)
    assert gone[300, 200:320].all()
    assert not gone[:280].any()
    assert not gone[320:].any()
    # So is what was drawn meanwhile: red over the photo, at its place in the larger frame.
    frame = app.frame()
    x, y = (round(frame[axis] + at * frame["width"] / 512) for axis, at in (("x", 260), ("y", 300)))
    red, green, _ = drawn[y, x]
    assert red > green + 60


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


@ONE_WINDOW
def test_one_subject_alone_is_nothing_to_pick_from(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["astronaut"])
    app.wait_for_states("done")
    app.show_part("touch-up")
    expect(app.part("brush").get_by_text("Keep", exact=True)).to_be_visible()
    expect(app.part("brush").get_by_text("Pick", exact=True)).to_be_hidden()


@ONE_WINDOW
def test_a_large_photo_is_seen_small_and_then_whole(app: Journey, tmp_path: Path) -> None:
    app.page.evaluate(DRAWN_PX)
    large = Image.fromarray(data.coffee()).resize((4200, 2800))
    large.save(tmp_path / "large.jpg")
    app.add(tmp_path / "large.jpg")
    app.wait_for_states("done")
    small, whole = app.page.evaluate("drawnPx")
    assert small <= 1000
    assert whole == 4200


# ---- background and file -------------------------------------------------------------------------


@ONE_WINDOW
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


@ONE_WINDOW
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
    expect(app.part("background-picture").locator("[data-chosen]")).to_be_attached()
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


# ---- what is stored ------------------------------------------------------------------------------


@ONE_WINDOW
def test_what_is_stored_is_shown_and_deleted(app: Journey, files: dict[str, Path]) -> None:
    app.wait_until_offline_ready()
    other = App(app.page.context.new_page(), app.url).open()
    other.wait_until_offline_ready()
    app.page.bring_to_front()
    # A photo that another app has shared waits for the next start; another site's cache stays.
    app.page.evaluate("Promise.all([caches.open('gossamer shared /'), caches.open('another')])")
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("settings").get_by_text("4.6 MB", exact=True)).to_be_visible()
    app.part("delete-stored").click()
    expect(app.page.get_by_text("4.6 MB, not here yet")).to_be_visible(timeout=SLOW_MS)
    assert app.page.evaluate("caches.keys()") == ["another"]
    expect(app.page.get_by_text("All that was kept is deleted")).to_be_attached()
    expect(other.part("offline-state")).to_be_hidden()
    other.page.close()
    expect(app.part("offline-state")).to_be_hidden()
    app.page.keyboard.press("Escape")
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.save()
    expect(app.part("offline-state")).to_be_hidden()
    app.start_again()
    expect(app.part("offline-state")).to_be_hidden()
