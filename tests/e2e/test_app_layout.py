"""Windows of every shape and words of every length: the photo stays large, and everything in sight
and in its place."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from skimage import data

from .app import porthole, wait_until
from .journeys import Journey

#: Words of buttons and choices that do not lie inside of them, or that lie outside the window.
OVERFLOWING = """
() => {
  const visible = (element) => element.checkVisibility({ visibilityProperty: true })
  const parts = document.querySelectorAll('.button, .tab, .segments span')
  return [...parts].filter(visible).filter((part) => {
    const words = document.createRange()
    words.selectNodeContents(part)
    const [text, box] = [words.getBoundingClientRect(), part.getBoundingClientRect()]
    const fits = text.left >= box.left && text.right <= box.right + 0.5
    return !fits || box.right > innerWidth + 0.5 || part.scrollHeight > part.clientHeight + 1
  }).map((part) => part.textContent)
}
"""
#: Whether all of each of these can be seen and pressed.
IN_SIGHT = """
(buttons) => buttons.every((button) => {
  const { left, top, right, bottom } = button.getBoundingClientRect()
  const [x, y] = [(left + right) / 2, (top + bottom) / 2]
  const edges = [[left + 2, y], [right - 2, y], [x, top + 2], [x, bottom - 2]]
  return edges.every(([x, y]) => button.contains(document.elementFromPoint(x, y)))
})
"""


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


@pytest.fixture(scope="module")
def shown(
    lasting_page: Page, server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Journey]:
    """A photo of one subject, one of two, and a file that is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    cat = porthole(data.chelsea())
    for name, rgb_hwc in (("cat", cat), ("cats", np.concatenate([cat, cat], axis=1))):
        Image.fromarray(rgb_hwc).save(folder / f"{name}.png")
    (folder / "letter.jpg").write_text("not a picture")
    app = Journey(lasting_page, server)
    app.narrow = False
    app.open()
    app.add(*(folder / name for name in ("cat.png", "cats.png", "letter.jpg")))
    app.wait_for_states("done", "done", "failed")
    yield app
    app.remove_photos()


def look_at(app: Journey, photo: int, width: int, height: int) -> None:
    """In a window of this size, where the strip may have left that photo out of sight."""
    app.page.set_viewport_size({"width": width, "height": height})
    app.tile(photo).evaluate("(tile) => tile.click()")
    expect(app.part(("cutout", "cutout", "error")[photo])).to_be_visible()


def speak(app: Journey, language: str) -> None:
    app.part("settings").get_by_role("button").first.click()
    app.part("language").select_option(language)
    wait_until(app.page, f"document.documentElement.lang === '{language}'")
    app.page.keyboard.press("Escape")


@pytest.mark.parametrize(("width", "height"), [(844, 390), (720, 450), (640, 360)])
def test_a_low_window_is_the_photos(shown: Journey, width: int, height: int) -> None:
    """A phone on its side; a window that is zoomed to 200 %."""
    look_at(shown, 0, width, height)
    assert shown.page.evaluate("document.documentElement.scrollHeight") == height
    frame = shown.frame()
    assert frame["height"] > 0.42 * height
    assert frame["width"] > 0.35 * width
    assert shown.part("save").evaluate_all(IN_SIGHT)
    shown.choose("brush", "Keep")
    assert shown.frame() == frame
    shown.choose("brush", "Off")
    look_at(shown, 2, width, height)
    assert shown.page.locator("gossamer-error-card button").evaluate_all(IN_SIGHT)


#: What people may set for themselves (WCAG 1.4.12 and 1.4.4).
LARGER = {
    "spacing": """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important }
* { word-spacing: 0.16em !important }
p { margin-bottom: 2em !important }""",
    "letters": "html { font-size: 200% }",
}
STYLE = """
(text) => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(text)
  document.adoptedStyleSheets = [sheet]
}
"""


def test_whoever_spaces_or_enlarges_words_can_save(shown: Journey) -> None:
    buttons = shown.page.locator("gossamer-work-bar button:visible, header button:visible")
    for width, height in ((1000, 800), (390, 844)):
        look_at(shown, 0, width, height)
        for name, style in LARGER.items():
            shown.page.evaluate(STYLE, style)
            assert buttons.evaluate_all(IN_SIGHT), (name, width)
    shown.page.evaluate(STYLE, "")


@pytest.mark.parametrize("language", ["de", "fr", pytest.param("es", marks=pytest.mark.soak)])
def test_no_words_run_out_of_their_button(shown: Journey, language: str) -> None:
    """Photos of one subject and of two; three brushes or four, one button or three."""
    speak(shown, language)
    look_at(shown, 0, 1440, 900)
    shown.part("format").get_by_label("WebP").check(force=True)
    for width in (1440, 1120, 900, 560, 390, 320):
        height = 450 if width == 560 else 800
        for photo in (0, 1):
            look_at(shown, photo, width, height)
            assert shown.page.evaluate(OVERFLOWING) == [], width
            # The file's name and size have room for a dozen letters.
            room = shown.page.locator(".told").evaluate("(told) => told.clientWidth")
            assert room >= 120, width
            if shown.part("tab-touch-up").is_visible():
                shown.part("tab-touch-up").click()
                assert shown.page.evaluate(OVERFLOWING) == [], width
                shown.part("tab-touch-up").click()
    look_at(shown, 0, 1440, 900)
    shown.part("format").get_by_label("PNG").check(force=True)
    speak(shown, "en")
