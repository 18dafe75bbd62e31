"""What the app says, and what it leaves as it was, where something around it fails."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, expect
from skimage import data

from exporter.chromium import chromium_arguments, find_chromium
from exporter.serve import make_server, running

from .app import SLOW_MS, STORED_KEYS, App, png, refusing_storage
from .journeys import NARROW, Journey
from .test_app_layout import IN_SIGHT
from .test_workers import DIE_AT, worker_named


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


@pytest.fixture(scope="module")
def window(lasting_page: Page, server: str) -> Journey:
    window = Journey(lasting_page, server)
    window.narrow = False
    window.open()
    return window


@pytest.fixture
def app(window: Journey) -> Journey:
    window.start_again()
    return window


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "cat.png", tmp_path / "cup.png"]
    for path, rgb_hwc in zip(paths, (data.chelsea(), data.coffee()), strict=True):
        path.write_bytes(png(rgb_hwc))
    return paths


def notices(app: App) -> Locator:
    return app.page.locator(".notices")


def speak(app: App, language: str) -> None:
    app.part("settings").get_by_role("button").first.click()
    app.part("language").select_option(language)


# ---- what is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "setback",
    [
        "a missing file",
        # test_faults.py has a fuller one
        pytest.param("a full disk", marks=pytest.mark.soak),
    ],
)
def test_a_page_that_cannot_be_kept_says_so(
    browser: Browser, quick_site_dir: Path, photos: list[Path], tmp_path: Path, setback: str
) -> None:
    """The network is kept all the same: there is room for that."""
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    context = browser.new_context()
    page = context.new_page()
    with running(make_server(site)) as server:
        if setback == "a missing file":
            next((site / "locales").glob("de.*")).unlink()
        else:
            quota = {"origin": server.url.rstrip("/"), "quotaSize": 9_000_000}
            context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        app = App(page, server.url).open()
        app.add(photos[0])
        app.wait_for_states("done")
        expect(app.part("offline-state")).to_have_attribute("data-refused", "", timeout=SLOW_MS)
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        button = app.part("offline-state").get_by_role("button")
        expect(button).to_have_accessible_name("Not kept on this device")
        button.click()
        expect(app.part("offline-state").locator(".sheet")).to_contain_text(
            "missing or was changed"
        )
        assert len(page.evaluate(STORED_KEYS)) == 1
    context.close()


def test_without_encryption_all_else_is_deleted(playwright: Playwright, server: str) -> None:
    """As on an address in somebody's own network: without caches and service workers."""
    browser = playwright.chromium.launch(
        executable_path=find_chromium(),
        args=chromium_arguments("--host-resolver-rules=MAP lan.test 127.0.0.1"),
    )
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    app = App(page, server.replace("127.0.0.1", "lan.test")).open()
    assert page.evaluate("[isSecureContext, 'caches' in window]") == [False, False]
    expect(app.part("offline-state")).to_have_attribute("data-refused", "", timeout=SLOW_MS)
    page.evaluate("localStorage.setItem('gossamer-brush', '{}')")
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("settings").get_by_text("4.6 MB", exact=True)).to_be_visible()
    app.part("delete-stored").click()
    expect(page.get_by_text("4.6 MB, not here yet")).to_be_visible()
    assert page.evaluate(STORED_KEYS) == []
    assert page.evaluate("localStorage.getItem('gossamer-brush')") is None
    assert complaints == []
    browser.close()


def test_where_storage_is_refused_nothing_is_deleted_without_a_fuss(
    playwright: Playwright, server: str, tmp_path: Path
) -> None:
    context = refusing_storage(playwright.chromium, tmp_path / "profile")
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    app = App(context.new_page(), server).open()
    app.part("settings").get_by_role("button").first.click()
    kept = app.part("settings").locator(".requests")
    expect(kept).to_contain_text("not here yet")
    kept.evaluate("(list) => list.replaceChildren()")
    app.part("delete-stored").click()
    expect(kept).to_contain_text("not here yet")
    context.close()
    assert complaints == []


# ---- words ---------------------------------------------------------------------------------------


def test_a_language_that_does_not_arrive_is_told(
    page: Page, server: str, photos: list[Path]
) -> None:
    app = App(page, server).open()
    app.add(photos[0])
    app.wait_for_states("done")
    app.page.route("**/locales/fr.*", lambda route: route.abort())
    speak(app, "fr")
    expect(notices(app)).to_contain_text("The words in that language could not be fetched")
    expect(app.part("settings").locator(".sheet")).to_be_hidden()
    expect(app.part("language")).to_have_value("en")
    expect(app.part("save")).to_have_text("Save PNG")
    app.page.unroute("**/locales/fr.*")
    speak(app, "fr")
    expect(app.part("save")).to_have_text("Enregistrer PNG")
    expect(app.part("language")).to_have_value("fr")


def test_a_photo_that_is_started_again_is_told_in_every_language(
    app: App, photos: list[Path]
) -> None:
    speak(app, "de")
    expect(app.page.get_by_role("button", name="Fotos auswählen")).to_be_visible()
    app.add(photos[0])
    app.wait_for_states("done")
    worker_named(app, "inference").evaluate(DIE_AT, "decode")
    app.add(photos[1])
    expect(notices(app)).to_contain_text("Der Browser hat die Arbeit an diesem Foto abgebrochen")
    app.wait_for_states("done", "done")


def test_what_a_failed_photo_says_follows_the_language(app: App, tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("not a picture")
    app.add(tmp_path / "letter.jpg")
    expect(app.part("error")).to_contain_text("is not a picture that can be opened here")
    speak(app, "de")
    expect(app.part("error")).to_contain_text("ist kein Bild, das sich hier öffnen lässt")


def test_what_an_svg_holds_is_told(app: App, photos: list[Path]) -> None:
    app.add(photos[0])
    app.wait_for_states("done")
    app.part("format").get_by_label("SVG").check(force=True)
    panel = app.page.locator("gossamer-file-panel")
    expect(panel).to_contain_text("its edge is hard, also with Feather")
    app.part("outline").get_by_role("switch").check()
    expect(panel).to_contain_text("The outline alone, filled with black")


# The module that the page itself has loaded.
WORDS = """
async ([notice, code]) => {
  const [{ name }] = performance.getEntriesByType('resource')
    .filter(({ name }) => name.includes('/ui/strings.'))
  const { LANGUAGES, errorWords, formatBytes, formatPercent, noticeWords, setLanguage } =
    await import(name)
  const error = Object.assign(new Error('in English'), { name: 'GossamerError', code })
  const words = {}
  for (const language of LANGUAGES) {
    await setLanguage(language)
    const sizes = [formatBytes(3200), formatBytes(4.6e6), formatPercent(49.6)]
    words[language] = [noticeWords(notice), errorWords(error, 'cat.png'), ...sizes]
  }
  return words
}
"""


def test_what_failed_has_words_of_its_own(app: App) -> None:
    engine, stopped = (
        app.page.evaluate(WORDS, given)
        for given in (
            ["WebGPU gave no answer in time. WebAssembly took over.", "backend_unavailable"],
            [
                "The browser stopped the work on this photo. It was started again.",
                "worker_died",
            ],
        )
    )
    assert len(engine) == 6
    for language in engine.keys() - {"en"}:
        assert engine[language][0] != stopped[language][0], language
        assert engine[language][1] != stopped[language][1], language
        assert "cat.png" in engine[language][1]
    assert engine["en"][0].startswith("WebGPU gave no answer")
    assert engine["en"][2:] == ["4 kB", "4.6 MB", "50%"]
    assert [size.split() for size in engine["fr"][2:]] == [["4", "ko"], ["4,6", "Mo"], ["50", "%"]]


# ---- notices -------------------------------------------------------------------------------------


def test_a_background_that_is_cut_off_is_named_and_spoils_no_photo(
    app: App, photos: list[Path], tmp_path: Path
) -> None:
    """It would be behind the next photos, too, and they would be told to be cut off."""
    wall = tmp_path / "wall.png"
    wall.write_bytes(png(data.rocket())[:-1000])
    app.add(photos[0])
    app.wait_for_states("done")
    speak(app, "de")
    app.page.keyboard.press("Escape")
    app.part("background-picture").locator("input").set_input_files(wall)
    expect(notices(app)).to_contain_text("wall.png ist abgeschnitten", timeout=SLOW_MS)
    app.add(photos[1])
    app.wait_for_states("done", "done")


def test_a_format_that_cannot_hold_a_photo_is_told_and_fails_no_other(
    app: App, tmp_path: Path
) -> None:
    """Chromium would cut off what is beyond the sides that a WebP can have."""
    panorama = tmp_path / "panorama.png"
    panorama.write_bytes(png(np.tile(data.rocket()[:60], (1, 27, 1))))
    app.add(panorama)
    app.wait_for_states("done")
    speak(app, "de")
    app.page.keyboard.press("Escape")
    expect(app.part("format")).to_be_visible()
    app.part("format").get_by_label("WebP").check(force=True)
    told = "panorama.png ist zu groß für dieses Format. Wählen Sie PNG."
    expect(notices(app)).to_contain_text(told, timeout=SLOW_MS)
    app.remove_photos()
    app.add(panorama)
    app.wait_for_states("done")
    expect(app.part("save")).to_have_text("PNG sichern")


# What is shown for six seconds goes sooner.
HURRY = """
() => {
  const { setTimeout } = window
  window.setTimeout = (run, ms, ...rest) => setTimeout(run, ms === 6000 ? 200 : ms, ...rest)
}
"""
# Whoever presses Tab while the first photo is written.
FOCUS_WHILE_WRITING = """
() => {
  const notice = document.querySelector('gossamer-notice-bar:not([data-testid])')
  const focus = () => {
    if (notice.textContent.includes('Writing 1')) notice.querySelector('button.quiet').focus()
  }
  new MutationObserver(focus).observe(notice, { childList: true, subtree: true })
}
"""


def test_a_notice_waits_for_whoever_reads_it_and_gives_the_focus_back(
    app: App, photos: list[Path], tmp_path: Path
) -> None:
    page = app.page
    page.evaluate(HURRY)
    app.add(*photos)
    app.wait_for_states("done", "done")
    notice = page.locator("gossamer-notice-bar:not([data-testid])")
    dismiss = notice.get_by_role("button", name="Dismiss")
    letter = tmp_path / f"{'IMG_2041_' * 12}.png"
    letter.write_text("not a picture")
    app.part("background-picture").locator("input").set_input_files(letter)
    page.wait_for_timeout(500)
    expect(notice).to_contain_text("is not a picture")  # until it is dismissed
    before = page.viewport_size
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert dismiss.evaluate_all(IN_SIGHT)
    page.set_viewport_size(before)  # type: ignore[arg-type]
    slider = app.part("feather").get_by_role("slider")
    slider.focus()
    dismiss.press("Enter")
    expect(notice).to_be_hidden()
    expect(slider).to_be_focused()
    use_for_all = app.part("panel").get_by_role("button", name="Use for all")
    use_for_all.press("Enter")
    notice.get_by_role("button", name="Undo").press("Enter")
    expect(notice).to_contain_text("have their own settings again")
    expect(use_for_all).to_be_focused()
    dismiss.focus()
    page.wait_for_timeout(500)
    expect(dismiss).to_be_focused()
    dismiss.hover()
    use_for_all.focus()
    page.wait_for_timeout(500)
    expect(notice).to_be_visible()
    page.mouse.move(0, 0)
    expect(notice).to_be_hidden()
    page.evaluate("delete window.showSaveFilePicker")
    page.evaluate(FOCUS_WHILE_WRITING)
    app.part("save-all").click()
    expect(notice).to_contain_text("2 pictures are in", timeout=SLOW_MS)
    expect(dismiss).to_be_focused()
    use_for_all.press("Enter")
    speak(app, "de")
    expect(notice).to_contain_text("Alle Fotos haben jetzt")
    expect(notice.get_by_role("button").first).to_have_text("Rückgängig")
    page.evaluate("document.activeElement.blur()")
    notice.get_by_role("button").last.press("Enter")
    expect(app.part("stage")).to_be_focused()


# ---- saving --------------------------------------------------------------------------------------


def test_saving_all_names_the_photo_that_failed(app: App, photos: list[Path]) -> None:
    app.page.evaluate("delete window.showSaveFilePicker")  # its dialog is the system's
    app.add(*photos)
    app.wait_for_states("done", "done")
    app.part("feather").get_by_role("slider").fill("4")
    app.part("panel").get_by_role("button", name="Use for all").click()
    photos[1].unlink()  # the second one has to be read again
    app.part("save-all").click()
    expect(notices(app)).to_contain_text("cup.png", timeout=SLOW_MS)
    expect(notices(app)).not_to_contain_text("cat.png")
    expect(notices(app)).not_to_contain_text("..")


def test_saving_all_names_the_zip_where_that_is_what_failed(app: App, photos: list[Path]) -> None:
    app.page.evaluate(
        "() => { window.showSaveFilePicker = () => Promise.reject(new Error('no room')) }"
    )
    app.add(*photos)
    app.wait_for_states("done", "done")
    app.part("save-all").click()
    expect(notices(app)).to_contain_text("cutouts.zip could not be finished (no room)")


def test_saving_all_is_told_to_its_end_when_the_language_changes(
    app: App, photos: list[Path]
) -> None:
    app.page.evaluate(
        """() => {
          const asked = new Promise((resolve) => { window.answer = resolve })
          window.showSaveFilePicker = async ({ suggestedName }) => {
            await asked
            const root = await navigator.storage.getDirectory()
            return root.getFileHandle(suggestedName, { create: true })
          }
        }"""
    )
    app.add(*photos)
    app.wait_for_states("done", "done")
    app.part("save-all").click()
    speak(app, "de")
    expect(app.part("save-all")).to_have_text("Alle sichern (2)")
    app.page.evaluate("window.answer()")
    expect(notices(app)).to_contain_text("2 Bilder sind in cutouts.zip", timeout=SLOW_MS)
