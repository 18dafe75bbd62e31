"""Where a site ships several networks, a person chooses by what they are good for, or leaves it to
the app, which asks them."""

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from skimage import data

from .app import App, call_api, png, wait_until
from .test_app_layout import OVERFLOWING

STORE_NO_NETWORK = """
(key) => new Promise((resolve, reject) => {
  const opened = indexedDB.open('gossamer')
  opened.onerror = () => reject(opened.error)
  opened.onsuccess = () => {
    const storing = opened.result.transaction('models', 'readwrite')
    storing.objectStore('models').put(new Blob(['not a network']), key)
    storing.oncomplete = () => { opened.result.close(); resolve() }
  }
})
"""
ASK = """
async (content) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const open = await gossamer.openPhoto(new Blob([bytes]))
  let asks = 0
  const onAsk = async () => { asks++ }
  const ask = () => open.askSpecialists({ onAsk })
  const answers = [open.model, await ask(), await ask()]
  await open.refine({})
  const { blob } = await open.encode({})
  open.close()
  return [...answers, asks, blob.size]
}
"""
# Of the settings, as long as nobody would wonder where they are.
SHEET_HEIGHTS = """
() => {
  window.heights = new Set()
  const sheet = document.querySelector('#settings-sheet')
  let shown_ms = 0
  const look = () => {
    if (sheet.matches(':popover-open')) shown_ms ||= performance.now()
    if (shown_ms && performance.now() - shown_ms > 250) return
    if (shown_ms && getComputedStyle(sheet).opacity > 0) window.heights.add(sheet.clientHeight)
    requestAnimationFrame(look)
  }
  look()
}
"""


@pytest.fixture
def photos_of(tmp_path: Path) -> dict[str, Path]:
    """A person, whom both networks find alike, and a cup, which one of them takes for something
    else."""
    photos = {"person": data.astronaut(), "cup": data.coffee()}
    for name, rgb_hwc in photos.items():
        (tmp_path / f"{name}.png").write_bytes(png(rgb_hwc))
    return {name: tmp_path / f"{name}.png" for name in photos}


def picture_by(page: Page, photo: Path, model: str) -> np.ndarray:
    options = {"model": model}
    result = call_api(page, "removeBackground", photo.read_bytes(), options=options)
    return np.asarray(result.picture).astype(int)


#: What this site no longer has, or not yet. None of it may cost a visitor his photos.
OF_ANOTHER_BUILD = {
    "model": "u2net",
    "refine": {"detail": "neural", "future_option": 1},
    "output": {"preset": "id-visa", "type": "image/avif", "shadow": {"kind": "long"}},
}
REMEMBER = """(choices) => {
  for (const [name, choice] of Object.entries(choices)) {
    localStorage.setItem(`gossamer-${name}`, JSON.stringify(choice))
  }
}"""


def test_people_choose_by_what_they_want(
    page: Page, two_network_server: str, photos_of: dict[str, Path]
) -> None:
    page.route("**/models/modnet*", lambda route: route.abort())  # as on a slow line
    app = App(page, two_network_server).open()
    page.evaluate(REMEMBER, OF_ANOTHER_BUILD)
    app.open()
    page.evaluate("gossamer.preload()")
    page.evaluate(SHEET_HEIGHTS)
    app.part("settings").get_by_role("button").first.click()
    expect(page.get_by_text("7.0 MB, not here yet")).to_be_visible()
    assert len(page.evaluate("[...heights]")) <= 1
    choice = app.part("model")
    assert choice.get_by_role("radio").count() == 3
    expect(choice.get_by_label("Automatic")).to_be_checked()
    choice.get_by_label("Portrait").check(force=True)
    page.keyboard.press("Escape")
    page.unroute("**/models/modnet*")
    app.add(photos_of["cup"])
    app.wait_for_states("done")
    expect(app.part("file-facts")).not_to_contain_text("Automatic")
    assert page.evaluate("'gossamer-model /' in localStorage")  # of this folder of the host
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("settings").get_by_text("7.0 MB", exact=True)).to_be_visible()
    app.open()
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("model").get_by_label("Portrait")).to_be_checked()
    page.set_viewport_size({"width": 320, "height": 640})
    for language in ("es", "de"):
        app.part("language").select_option(language)
        wait_until(page, f"document.documentElement.lang === '{language}'")
        expect(app.part("model")).to_be_visible()
        assert page.evaluate(OVERFLOWING) == []


def test_automatic_asks_the_networks_and_says_which_it_took(
    page: Page, two_network_server: str, photos_of: dict[str, Path]
) -> None:
    app = App(page, two_network_server).open()
    page.evaluate("gossamer.preloadSpecialists()")
    for name, words, nearest in (("cup", "Fast", "u2netp"), ("person", "Portrait", "modnet")):
        app.add(photos_of[name])
        app.wait_for_states(*["done"] * app.part("photo").count())
        app.part("photo").last.locator("button").first.click()
        expect(app.part("file-facts")).to_contain_text(f"Automatic: {words}")
        saved = np.asarray(app.save()[1]).astype(int)
        errors = {
            model: np.abs(saved - picture_by(page, photos_of[name], model))[..., 3].mean()
            for model in ("u2netp", "modnet")
        }
        assert min(errors, key=lambda model: errors[model]) == nearest
    # Opened again after another one, it still has the matte that was agreed on.
    for at in (0, 1):
        app.part("photo").nth(at).locator("button").first.click()
    app.part("feather").get_by_role("slider").fill("4")
    app.save()
    app.part("feather").get_by_role("slider").fill("0")
    assert np.array_equal(np.asarray(app.save()[1]).astype(int), saved)


def test_a_photo_is_done_again_by_another_network(
    page: Page, two_network_server: str, photos_of: dict[str, Path]
) -> None:
    app = App(page, two_network_server).open()
    settings = app.part("settings")
    settings.get_by_role("button").first.click()
    expect(settings.get_by_text("For the next photos")).to_be_visible()
    expect(settings.get_by_role("button", name="Do this one again")).to_be_hidden()
    page.keyboard.press("Escape")
    app.add(photos_of["person"])
    app.wait_for_states("done")
    app.part("brush").get_by_label("Remove", exact=True).check(force=True)
    box = app.part("stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y, steps=3)
    page.mouse.up()
    expect(app.part("undo")).to_be_enabled()
    settings.get_by_role("button").first.click()
    app.part("model").get_by_label("Portrait").check(force=True)
    settings.get_by_role("button", name="Do this one again").click()
    app.wait_for_states("done")
    saved = np.asarray(app.save()[1]).astype(int)
    assert saved[256, 256, 3] == 0
    differs = np.abs(saved - picture_by(page, photos_of["person"], "modnet"))[..., 3] > 2
    ys, xs = np.nonzero(differs)
    assert differs[256, 256]
    assert np.hypot(ys - 256, xs - 256).max() < 80  # all else is as Portrait has it
    app.part("undo").click()
    again = np.asarray(app.save()[1]).astype(int)
    assert np.array_equal(again, picture_by(page, photos_of["person"], "modnet"))


@pytest.mark.soak
def test_nobody_waits_for_a_second_opinion(
    page: Page, two_network_server: str, two_network_site_dir: Path, photos_of: dict[str, Path]
) -> None:
    """Neither for one that is not here yet, nor for one that is here and broken or not started."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/models/modnet*", refuse)
    app = App(page, two_network_server).open()
    app.add(photos_of["person"])
    app.wait_for_states("done")
    expect(app.part("file-facts")).to_contain_text("Automatic: Fast")
    page.evaluate("gossamer.preloadSpecialists().catch(() => {})")
    (file,) = (two_network_site_dir / "models").glob("modnet*")
    page.evaluate(STORE_NO_NETWORK, hashlib.sha256(file.read_bytes()).hexdigest())
    asked.clear()
    page.evaluate("gossamer.preloadSpecialists().catch(() => {})")
    assert asked, "it was not found to be damaged"
    content = base64.b64encode(photos_of["person"].read_bytes()).decode()
    answers = page.evaluate(ASK, content)
    assert answers[:4] == ["u2netp", "u2netp", "u2netp", 0]
    assert answers[4] > 10_000
    page.unroute("**/models/modnet*")
    page.evaluate("gossamer.preloadSpecialists()")
    assert page.evaluate(ASK, content)[:4] == ["u2netp", "modnet", "modnet", 1]
