"""Hostile and broken files through the real page, one after the other in the same page.

Decoding is looked at without a network: with a matte that is 1 everywhere, the file that comes out
holds the decoded colours.
"""

import base64
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.conftest import Watch

from .app import SLOW_MS, App, call_api, wait_until
from .hostile import CAT, PNG, REFUSED, RGB, USABLE, blank_png, saved


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


THROUGH = """
async ([content, name, type]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const matte = { data: new Float32Array(4).fill(1), height: 2, width: 2 }
  let open
  try {
    open = await gossamer.openPhoto(new File([bytes], name, { type }), { matte })
    await open.refine({ sharpen: 0, decontaminate: false })
    const { blob } = await open.encode()
    const url = await new Promise((resolve) => {
      const reader = new FileReader()
      reader.onload = () => resolve(reader.result)
      reader.readAsDataURL(blob)
    })
    return { content: url.slice(url.indexOf(',') + 1) }
  } catch ({ name, code, stage, message }) {
    return { name, code, stage, message }
  } finally {
    open?.close()
  }
}
"""


@pytest.fixture(scope="module")
def app(browser: Browser, server: str) -> Iterator[App]:
    context = browser.new_context()
    watch = Watch(context)
    yield App(context.new_page(), server).open()
    context.close()
    assert watch.foreign_requests() == []
    assert watch.complaints == []


def through(app: App, content: bytes, name: str, kind: str = "image/png") -> dict[str, Any]:
    answer: dict[str, Any] = app.page.evaluate(
        THROUGH, [base64.b64encode(content).decode(), name, kind]
    )
    return answer


@pytest.mark.parametrize("name", USABLE)
def test_an_odd_file_comes_through_with_its_colours(app: App, name: str) -> None:
    content, tolerance = USABLE[name]
    answer = through(app, content, name, "text/html")
    assert "content" in answer, answer
    rgba = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["content"]))).convert("RGBA"))
    assert rgba.shape[:2] == RGB.shape[:2]
    opaque = rgba[..., 3] == 255
    assert opaque.mean() > 0.9
    difference = np.abs(rgba[..., :3].astype(int) - RGB)[opaque].mean()
    assert difference <= tolerance


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_by_name(app: App, name: str) -> None:
    content, code = REFUSED[name]
    answer = through(app, content, name)
    assert (answer.get("name"), answer.get("code")) == ("GossamerError", code), answer
    assert answer["stage"] == "decode"
    assert name in answer["message"]


def test_a_side_of_30000_pixels_is_worked_on(app: App) -> None:
    answer = through(app, blank_png(30_000, 60), "ribbon.png")
    assert Image.open(io.BytesIO(base64.b64decode(answer["content"]))).size == (30_000, 60)


def test_a_small_picture_of_a_ribbon_is_small(app: App) -> None:
    size = """
    async (content) => {
      const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
      const { height, width } = await gossamer.thumbnail(new Blob([bytes]), 192)
      return [width, height]
    }
    """
    ribbon = base64.b64encode(blank_png(30_000, 9)).decode()
    assert app.page.evaluate(size, ribbon) == [30_000, 9]
    assert app.page.evaluate(size, base64.b64encode(blank_png(400, 300)).decode()) == [256, 192]


def test_the_need_of_memory_is_known_before_decoding(app: App) -> None:
    inspect = """
    async (content) => {
      const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
      return gossamer.inspect(new File([bytes], 'photo.png')).catch(({ message }) => message)
    }
    """
    usable = app.page.evaluate(inspect, base64.b64encode(PNG).decode())
    assert usable == {"format": "png", "height": 64, "width": 96, "memory_bytes": 96 * 64 * 20}
    bomb = REFUSED["bomb of 18 kB.png"][0]
    assert len(bomb) < 20_000
    told = app.page.evaluate(inspect, base64.b64encode(bomb).decode())
    for words in ("photo.png", "12000 x 12000", "144 megapixels", "2.9 GB", "smaller"):
        assert words in told


def test_the_page_shows_neither_a_bomb_nor_a_drawing(app: App, tmp_path: Path) -> None:
    """An <img> would decode the one, and follow the other's links where the policy let it."""
    for index, name in enumerate(("bomb of 18 kB.png", "script.svg")):
        file = tmp_path / name
        file.write_bytes(REFUSED[name][0])
        app.add(file)
        photo = app.part("photo").nth(index)
        expect(photo).to_have_attribute("data-state", "failed")
        expect(app.part("error")).to_contain_text(name)
        assert app.part("original").evaluate("(image) => image.naturalWidth") == 0
        assert photo.locator("canvas").is_hidden()
    for _ in range(2):
        app.part("photo").first.get_by_role("button", name="Remove").click()


@pytest.mark.soak
def test_500_files_at_once(app: App, tmp_path: Path) -> None:
    """Four of them are photos, two of these as old as a clock can say and as new."""
    files = [tmp_path / f"letter {index}.jpg" for index in range(496)]
    for file in files:
        file.write_text("not a picture")
    for index, (place, changed_s) in enumerate(((0, 0), (200, 1), (400, 2**33), (499, 2**31))):
        photo = tmp_path / f"photo {index}.png"
        photo.write_bytes(saved(CAT.rotate(90 * index, expand=True), "PNG"))
        os.utime(photo, (changed_s, changed_s))
        files.insert(place, photo)
    assert len(files) == 500
    app.add(*files)
    settings = app.part("settings").get_by_role("button").first
    settings.click()  # the page answers meanwhile
    expect(app.part("language")).to_be_visible()
    app.page.keyboard.press("Escape")
    count = "document.querySelectorAll('[data-testid=photo][data-state={}]').length"
    wait_until(app.page, f"{count.format('done')} + {count.format('failed')} === 500")
    assert app.page.evaluate(count.format("done")) == 4
    app.page.evaluate("delete window.showSaveFilePicker")  # no test can answer its window
    with app.page.expect_download(timeout=SLOW_MS) as download:
        app.part("save-all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        entries = archive.infolist()
        sizes = [Image.open(archive.open(entry)).size for entry in entries]
    assert [entry.filename for entry in entries] == [f"photo {i}-cutout.png" for i in range(4)]
    assert sizes == [(96, 64), (64, 96)] * 2
    assert [entry.date_time[0] for entry in entries] == [1980, 1980, 2107, 2038]


def test_after_all_of_that_the_page_cuts_out(app: App) -> None:
    assert call_api(app.page, "removeBackground", PNG).picture.size == (96, 64)
