"""A person's ways through the app: a wide window with a mouse, a narrow one with fingers."""

import base64
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import expect

from .app import SLOW_MS, in_base64
from .journeys import ONE_WINDOW, Journey, app, files, pictures_in, window

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
          window.showSaveFilePicker = async () => {
            const root = await navigator.storage.getDirectory()
            return root.getFileHandle('spring.zip', { create: true }) // as a person has called it
          }
        }"""
    )
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.part("save-all").click()
    expect(app.page.get_by_text("2 pictures are in spring.zip")).to_be_visible(timeout=SLOW_MS)
    address = app.page.evaluate(
        """async () => {
          const root = await navigator.storage.getDirectory()
          const file = await (await root.getFileHandle('spring.zip')).getFile()
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
    expect(app.tile(1)).to_have_attribute("aria-label", "astronaut.png, zu prüfen")
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
    assert app.value("shadow-opacity") == "80%"
    app.choose("shadow", "None")
    app.choose("shadow", "Behind")
    assert app.value("shadow-opacity") == "80%"
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
    assert app.value("shadow-opacity") == "80%"
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
