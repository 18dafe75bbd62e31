"""What the app tells of work that takes its time, or that came to nothing."""

import contextlib
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Dialog, Error, Locator, Page, Playwright, expect
from skimage import data

from tests.conftest import launched

from .app import SLOW_MS, wait_until
from .journeys import NARROW, UNSURE, Journey, app, files, wide_window

__all__ = ["app", "files"]  # fixtures


@pytest.fixture(scope="module")
def window(lasting_page: Page, quick_server: str) -> Journey:
    """Nothing here looks at the edges of a cut-out."""
    return wide_window(lasting_page, quick_server)


def said_aloud(app: Journey) -> Locator:
    return app.page.locator("gossamer-app > p[role=status]")


def test_an_empty_cut_out_is_told(app: Journey, tmp_path: Path) -> None:
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "nothing.png")
    app.add(tmp_path / "nothing.png")
    app.wait_for_states("done")
    told = app.page.locator("gossamer-work-bar .told p")
    words = "Nothing stands out in this picture. Paint what to keep."
    expect(told.first).not_to_have_text("")
    assert " ".join(told.all_inner_texts()) == words
    expect(said_aloud(app)).to_have_text(f"nothing.png: {words}")
    expect(app.tile(0)).to_have_accessible_name("nothing.png, empty")


def test_a_subject_that_is_not_clear_is_told_until_something_is_painted(
    app: Journey, tmp_path: Path
) -> None:
    Image.fromarray(data.gravel()).save(tmp_path / "gravel.png")
    app.add(tmp_path / "gravel.png")
    app.wait_for_states("done")
    told = app.page.locator("gossamer-work-bar .told")
    expect(told).to_contain_text(UNSURE)
    expect(told).to_contain_text("512 × 512 px")
    expect(said_aloud(app)).to_have_text(f"gravel.png: {UNSURE}")
    expect(app.tile(0)).to_have_accessible_name("gravel.png, to be checked")
    app.choose("brush", "Keep")
    app.page.mouse.click(*app.middle("cutout"))
    expect(app.tile(0)).to_have_accessible_name("gravel.png, done")
    expect(told).to_contain_text("gravel-cutout.png", timeout=SLOW_MS)


def test_a_cut_out_is_empty_until_something_is_painted(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    told = app.page.locator("gossamer-work-bar .told")
    app.choose("brush", "Remove")
    app.slider("brush-size").fill("200")
    frame = app.frame()
    x, right = frame["x"], frame["x"] + frame["width"]
    app.page.mouse.move(x, frame["y"])
    app.page.mouse.down()
    for step in range(9):
        app.page.mouse.move((x, right)[step % 2], frame["y"] + step / 8 * frame["height"], steps=8)
        app.page.mouse.move((right, x)[step % 2], frame["y"] + step / 8 * frame["height"], steps=8)
    app.page.mouse.up()
    expect(told).to_contain_text("Nothing stands out", timeout=SLOW_MS)
    expect(app.tile(0)).to_have_accessible_name("chelsea.png, empty")
    app.part("undo").press("Enter")
    expect(app.part("undo")).to_be_disabled()
    expect(app.part("undo")).to_be_focused()
    expect(told).to_contain_text("451 × 300 px", timeout=SLOW_MS)
    expect(app.tile(0)).not_to_have_accessible_name("chelsea.png, empty")


# Every word of the bar, and the announcements.
LISTEN = """
() => {
  window.words = []
  const bar = document.querySelector('gossamer-work-bar')
  const said = [bar.querySelector('.words'), document.querySelector('p[role=status]')]
  const note = () => {
    const isAtWork = bar.querySelector('.track').checkVisibility()
    window.words.push(...said.map((part) => `${part.textContent}${isAtWork ? ' ...' : ''}`))
  }
  for (const part of said) new MutationObserver(note).observe(part, { childList: true })
}
"""


def test_what_takes_long_is_told_and_done_once(app: Journey, tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).resize((2400, 1600)).save(tmp_path / "cup.jpg")
    app.add(tmp_path / "cup.jpg")
    app.wait_for_states("done")
    app.page.evaluate(LISTEN)
    downloads: list[str] = []
    app.page.on("download", lambda download: downloads.append(download.suggested_filename))
    app.part("save").dblclick()
    app.choose("detail", "Finest")
    for _ in range(3):
        app.part("save").click()
    words = app.page.locator("gossamer-work-bar .words").first
    expect(words).to_have_text("Refining edges")
    expect(app.part("progress")).to_be_visible()
    expect(app.part("file-facts")).not_to_be_empty(timeout=SLOW_MS)
    expect(words).to_have_text(UNSURE)
    expect(app.part("progress")).to_be_hidden()
    expect(said_aloud(app)).to_have_text(f"cup.jpg: {UNSURE}")
    said = app.page.evaluate("words")
    assert said.count("Refining edges ...") >= 2  # seen and heard
    while len(downloads) < 2:
        app.page.wait_for_timeout(100)
    app.page.wait_for_timeout(300)
    assert downloads == ["cup-cutout.png"] * 2


# Everything that is read aloud.
OVERHEAR = """
() => {
  window.said = []
  const regions = '[role=status], [role=alert], output:not([aria-live=off])'
  for (const region of document.querySelectorAll(regions)) {
    const note = () => { if (region.textContent) window.said.push(region.textContent) }
    new MutationObserver(note).observe(region, { childList: true, subtree: true })
  }
}
"""


def test_what_happens_is_said_once_and_no_more(app: Journey, files: dict[str, Path]) -> None:
    app.page.evaluate(OVERHEAR)
    app.add(files["chelsea"], files["letter"])
    app.wait_for_states("done", "failed")
    said = app.page.evaluate("said")
    assert said[-2:] == [
        f"chelsea.png: {UNSURE}",
        "letter.jpg could not be cut out",
    ]
    assert len(said) == len(set(said)), said
    app.slider("feather").fill("4")
    expect(app.part("file-size")).not_to_contain_text("About", timeout=SLOW_MS)
    app.page.wait_for_timeout(1000)  # what has taken long is over
    app.page.evaluate("said.length = 0")
    app.tile(1).click()
    app.tile(0).click()
    expect(app.part("cutout")).to_be_visible()
    assert app.page.evaluate("said") == []
    app.page.evaluate("navigator.clipboard.write = async () => {}")
    for times in (1, 2):
        app.page.locator("gossamer-file-panel button").click()
        while app.page.evaluate("said.length") < times:
            app.page.wait_for_timeout(20)
    assert app.page.evaluate("said") == ["Copied", "Copied"]


def test_all_are_saved_once(app: Journey, files: dict[str, Path]) -> None:
    app.add(files["chelsea"], files["coffee"])
    app.wait_for_states("done", "done")
    app.slider("feather").fill("2")
    app.part("panel").get_by_role("button", name="Use for all").click()
    downloads: list[str] = []
    app.page.on("download", lambda download: downloads.append(download.suggested_filename))
    app.part("save-all").dblclick()
    app.part("save-all").click()
    expect(app.page.get_by_text("2 pictures are in cutouts.zip")).to_be_visible(timeout=SLOW_MS)
    app.page.wait_for_timeout(300)
    assert downloads == ["cutouts.zip"]


def asks_before_reload(app: Journey) -> bool:
    """Whether the browser asks, which a test answers with no; without a question, it reloads."""
    app.page.evaluate("window.isTheSamePage = true")
    dialogs: list[str] = []

    def stay(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    app.page.on("dialog", stay)
    app.page.evaluate("setTimeout(() => location.reload())")
    while not dialogs:
        with contextlib.suppress(Error):  # the page is being replaced
            if not app.page.evaluate("Boolean(window.isTheSamePage)"):
                break
        app.page.wait_for_timeout(50)
    app.page.remove_listener("dialog", stay)
    wait_until(app.page, "Boolean(window.gossamer)")
    return bool(dialogs)


def test_a_reload_that_would_lose_something_is_asked_about(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"])
    app.part("stage").click()  # a browser asks nobody who has touched nothing
    expect(app.part("photo")).to_have_attribute("data-state", "working")
    assert asks_before_reload(app)
    app.wait_for_states("done")
    app.slider("feather").press("ArrowRight")
    assert asks_before_reload(app)
    app.save()
    app.part("background-#ffffff").click()
    assert asks_before_reload(app)
    app.save()
    assert not asks_before_reload(app)
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.part("stage").click()
    assert not asks_before_reload(app)  # it is cut out again in a moment
    app.add(files["chelsea"], files["coffee"], files["astronaut"])
    app.wait_for_states("done", "done", "done")
    app.part("stage").click()
    assert asks_before_reload(app)  # which takes three of them
    app.save()
    assert asks_before_reload(app)
    app.part("save-all").click()
    expect(app.page.get_by_text("3 pictures are in cutouts.zip")).to_be_visible(timeout=SLOW_MS)
    assert not asks_before_reload(app)
    app.add(files["chelsea"])
    app.wait_for_states("done")
    app.slider("feather").press("ArrowRight")
    app.open()  # and Playwright says yes where nobody listens
    expect(app.part("photo")).to_have_count(0)


def test_a_finger_that_slips_down_does_not_reload_the_page(
    playwright: Playwright, quick_server: str
) -> None:
    """Browsers of telephones reload a page that is pulled down, and this one if it is told to."""
    pulling = ("--pull-to-refresh=1", "--overscroll-history-navigation=1")
    with contextmanager(launched)(playwright, *pulling) as browser:
        page = browser.new_context(has_touch=True).new_page()
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        page.goto(quick_server)
        wait_until(page, "Boolean(window.gossamer)")
        page.evaluate("window.isTheSamePage = true")
        finger = page.context.new_cdp_session(page)

        def touch(kind: str, *points: dict[str, int]) -> None:
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

        touch("touchStart", {"x": 150, "y": 30})
        for y in range(40, 540, 15):
            touch("touchMove", {"x": 150, "y": y})
            page.wait_for_timeout(15)
        page.wait_for_timeout(200)
        touch("touchEnd")
        page.wait_for_timeout(1000)
        assert page.evaluate("window.isTheSamePage") is True
