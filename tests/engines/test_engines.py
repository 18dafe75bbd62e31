"""The main job, and WASM with the numbers of native ONNX Runtime, in every engine that we name."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser
from skimage import data

from exporter.serve import make_server, running
from pyside_logic.icc import icc_profile
from tests.e2e.app import intersection_over_union, png
from tests.e2e.reference import reference_alpha

from .conftest import Matrix
from .drivers import Chromium, Engine, firefox, webkit
from .matrix import NETWORKS, measure

WAIT_FOR_APP = """
async () => {
  while (!window.gossamer) await new Promise((resolve) => setTimeout(resolve, 50))
  return crossOriginIsolated
}
"""
# What a person does: chooses a file, waits, presses save.
CUT_OUT = """
async ({ content, name }) => {
  const blobs = new Map()
  const { createObjectURL } = URL
  URL.createObjectURL = (blob) => {
    const url = createObjectURL.call(URL, blob)
    blobs.set(url, blob)
    return url
  }
  const part = (id) => document.querySelector(`[data-testid=${id}]`)
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0))
  const chosen = new DataTransfer()
  chosen.items.add(new File([bytes], name, { type: 'image/png' }))
  part('file-input').files = chosen.files
  part('file-input').dispatchEvent(new Event('change', { bubbles: true }))
  while (part('photo')?.dataset.state !== 'done') {
    if (part('photo')?.dataset.state === 'failed') throw new Error(document.body.innerText)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const saved = new Promise((resolve) => {
    HTMLAnchorElement.prototype.click = function () {
      resolve({ href: this.href, download: this.download })
    }
  })
  part('save').click()
  const { href, download } = await saved
  const url = await new Promise((resolve) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result)
    reader.readAsDataURL(blobs.get(href))
  })
  return { download, png: url.slice(url.indexOf(',') + 1) }
}
"""


# All other tests run in Chromium.
CHROMIUM = pytest.param("Chromium", marks=pytest.mark.soak)
ENGINES = pytest.mark.parametrize("engine", [CHROMIUM, "Firefox", "WebKitGTK"], indirect=True)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "Firefox":
        with firefox() as engine:
            yield engine
    elif request.param == "WebKitGTK":
        with webkit() as engine:
            yield engine
    else:
        browser: Browser = request.getfixturevalue("browser")
        context = browser.new_context()
        yield Chromium(browser, context.new_page())
        context.close()


@ENGINES
def test_a_photo_comes_back_cut_out(engine: Engine, server: str) -> None:
    engine.open(server)
    assert engine.call(WAIT_FOR_APP)  # isolated
    photo = Image.fromarray(data.astronaut())
    content = base64.b64encode(png(np.asarray(photo))).decode()
    answer = engine.call(CUT_OUT, {"content": content, "name": "astronaut.png"})
    assert answer["download"] == "astronaut-cutout.png"
    rgba = np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["png"]))))
    alpha, expected = rgba[..., 3] / 255, reference_alpha(photo)
    assert np.abs(alpha - expected).mean() <= 4 / 255
    assert intersection_over_union(alpha, expected) >= 0.98
    opaque = rgba[..., 3] == 255
    assert np.array_equal(rgba[opaque][:, :3], np.asarray(photo)[opaque])
    # By our own engine: what ONNX Runtime runs beside it is named after it.
    found: Any = engine.call("() => window.gossamer.inspectEngines()")
    (passed,) = (one["title"] for one in found["engines"] if one["state"] == "passed")
    assert passed.startswith("WebAssembly on ")


WAIT_FOR_ACTIVATION = """
async () => {
  const { active } = await navigator.serviceWorker.ready
  for (let tries = 0; active.state !== 'activated' && tries < 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return active.state
}
"""


@ENGINES
def test_the_next_visit_is_answered_by_what_was_kept(engine: Engine, server: str) -> None:
    """Firefox waits for the engine's threads, which sleep, where a service worker waits to have
    taken the page over, and shows an error instead of the page a minute later."""
    engine.open(server)
    engine.call(WAIT_FOR_APP)
    assert engine.call(WAIT_FOR_ACTIVATION) == "activated"
    engine.open(server)
    assert engine.call(WAIT_FOR_APP)
    assert engine.call("() => Boolean(navigator.serviceWorker.controller)")


OPEN = """
async (content) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0))
  const matte = { data: new Float32Array(4).fill(1), height: 2, width: 2 }
  const open = await gossamer.openPhoto(new File([bytes], 'IMG_2041.HEIC'), { matte })
  open.close()
  return [open.height, open.width]
}
"""


@ENGINES
def test_a_telephones_photo_is_opened(engine: Engine, server: str) -> None:
    """In Display P3, for which Firefox has no pixels."""
    buffer = io.BytesIO()
    photo = pillow_heif.from_pillow(Image.fromarray(data.chelsea()))
    photo.save(buffer, quality=80, icc_profile=icc_profile("display-p3"))
    engine.open(server)
    engine.call(WAIT_FOR_APP)
    assert engine.call(OPEN, base64.b64encode(buffer.getvalue()).decode()) == [300, 451]


@contextmanager
def small_site(site: Path, *, headers: bool) -> Iterator[str]:
    with running(make_server(site, headers=headers)) as server:
        yield server.url


@ENGINES
@pytest.mark.soak
def test_wasm_computes_what_native_onnxruntime_does(
    engine: Engine, small_site_dir: Path, matrix: Matrix
) -> None:
    with small_site(small_site_dir, headers=True) as url:
        engine.open(url)
        engine.call(WAIT_FOR_APP)
        rows = [measure(engine, name, "wasm") for name in NETWORKS]
        found: Any = engine.call("() => window.gossamer.inspectEngines()")
    # WebKitGTK has no memory that threads could share, isolated or not.
    assert {row.threads for row in rows} == ({1} if engine.name == "WebKitGTK" else {2})
    for row in rows:
        matrix.add(row)
        assert row.max_difference < 1e-3
    if engine.name != "Chromium":  # there, SwiftShader is tested, which is not all that it has
        matrix.lacks(engine, found["missing"])


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["Chromium", "Firefox"], indirect=True)
def test_without_isolation_wasm_runs_on_one_thread(
    engine: Engine, small_site_dir: Path, matrix: Matrix
) -> None:
    (api,) = (small_site_dir / "js").glob("gossamer.*.js")
    with small_site(small_site_dir, headers=False) as url:
        engine.open(f"{url}licences.txt")
        assert not engine.call("() => Promise.resolve(crossOriginIsolated)")
        for name in NETWORKS:
            row = measure(engine, name, "wasm", module=f"{url}js/{api.name}")
            matrix.add(row)
            assert row.threads == 1
            assert row.max_difference < 1e-3
