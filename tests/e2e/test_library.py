"""The package in pages of another site: from a sub-path, under a strict policy, on one thread.

The pages are the examples that `make lib` puts beside the package.
"""

import io
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from exporter.api import cut
from tests.conftest import Photo

from .app import SLOW_MS


@pytest.fixture
def requests(page: Page) -> list[str]:
    """Paths of what the page and its workers ask for, below the examples."""
    found: list[str] = []

    def listen(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme == "http":  # blob: is memory
            found.append(address.path)

    page.context.on("request", listen)
    return found


def asked_for(requests: list[str]) -> set[str]:
    """The names of modules and files, without folders and hashes."""
    names = (path.rsplit("/", 1)[1] for path in requests)
    return {re.sub(r"\.[0-9a-f]{10}(?=\.)", "", name) for name in names}


def test_a_page_cuts_out_and_fetches_nothing_else(
    page: Page, host: str, requests: list[str], photos: dict[str, Photo]
) -> None:
    page.goto(f"{host}plain.html")
    assert not page.evaluate("crossOriginIsolated")
    page.locator("#file").set_input_files(photos["astronaut"].jpeg)
    expect(page.locator("#after")).to_be_visible(timeout=SLOW_MS)
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "astronaut-cutout.png"
    with Image.open(download.value.path()) as cutout:
        assert (cutout.mode, cutout.size) == ("RGBA", (512, 512))
    assert asked_for(requests) == {
        # the page, what it imports and no more
        *("plain.html", "plain.js", "examples.css", "gossamer.js", "build.js", "assets.js"),
        *("imports.js", "options.js", "source.js", "request-log.js"),
        *("backends.js", "engines.js", "open-photo.js", "pipeline.js", "stage-clock.js"),
        *("find-matte.js", "keep-photo.js", "load-network.js", "verdicts.js", "workers.js"),
        *("once.js", "turns.js", "values.js", "wider-look.js"),
        "client.js",
        *("errors.js", "release.js", "requests.js"),
        # the worker of the network
        *("inference-worker.js", "colour-profile.js", "confidence.js", "decode.js", "device.js"),
        *("heif-header.js", "image-header.js", "infer.js", "lanczos.js", "lanczos.wasm"),
        *("memory.js", "normalise.js"),
        *("preprocess.js", "self-test.js", "serve.js", "stored-model.js", "wasm-memory.js"),
        "model-database.js",
        *("whole-file.js", "engine-errors.js", "onnx-runtime.js", "wasm-threads.js"),
        *("winograd-engine.js", "winograd.js", "winograd.wasm", "u2netp.plan"),
        "u2netp.wasm.fp32.onnx",
        # Python's
        *("python-worker.js", "encode.js", "model-store.js", "python.js", "refine.js"),
        *("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "pyodide-lock.json"),
        *("python_stdlib.zip", "pyside_logic-0.1.0-cp312-none-any.whl"),
        "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl",
    }


@pytest.mark.soak
def test_two_copies_work_at_once_and_agree_with_the_toolchain(
    page: Page, host: str, photos: dict[str, Photo], tmp_path: Path
) -> None:
    page.goto(f"{host}two-copies.html")
    page.locator("#file").set_input_files(photos["astronaut"].png)
    expect(page.locator("#status")).to_have_text("Both are done.", timeout=SLOW_MS)
    quick, real = (
        rgba_of(page, f"document.images[{index}].src", tmp_path / f"{index}.png").astype(int)
        for index in range(2)
    )
    expected = cut(photos["astronaut"].png, model="u2netp").rgba.astype(int)
    visible = expected[..., 3] > 0
    assert np.abs(real - expected)[..., 3].mean() < 0.1
    assert np.abs(real - expected)[visible].mean() < 0.1
    assert np.abs(quick - expected)[..., 3].mean() > 1  # another network
    # Each has left the other's network where it was.
    stored = page.evaluate(
        """new Promise((resolve) => {
          indexedDB.open('gossamer').onsuccess = ({ target: { result } }) => {
            const asked = result.transaction('models').objectStore('models').getAllKeys()
            asked.onsuccess = () => resolve(asked.result)
          }
        })"""
    )
    places = [key for key in stored if key.startswith("names ")]
    assert [place.split("/shop/photos/")[1] for place in places] == ["gossamer/", "other/gossamer/"]
    assert len(stored) == 4
    # The element of one is the element of both.
    page.add_script_tag(url=f"{host}gossamer/gossamer-cutout.js", type="module")
    page.add_script_tag(url=f"{host}other/gossamer/gossamer-cutout.js", type="module")
    assert page.evaluate("customElements.get('gossamer-cutout')?.name") == "GossamerCutout"


def rgba_of(page: Page, source: str, file: Path) -> np.ndarray:
    """The pixels of the Blob that lies at the address `source`, an expression of the page."""
    with page.expect_download() as download:
        page.evaluate(
            f"Object.assign(document.createElement('a'), {{ href: {source}, download: 'a.png' }})"
            ".click()"
        )
    download.value.save_as(file)
    with Image.open(io.BytesIO(file.read_bytes())) as picture:
        return np.asarray(picture)


def test_a_part_that_does_not_arrive_is_told_as_such(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    page.route(
        re.compile("/(migration|inspect|second-opinion)[.][^/]*js$"), lambda one: one.abort()
    )
    codes = page.evaluate(
        """async (folder) => {
          const { removeBackground, inspect, preloadSpecialists } = await import(
            `${folder}gossamer/gossamer.js`)
          const photo = await (await fetch('photo.jpg')).blob()
          const told = ({ name, code }) => `${name} ${code}`
          return Promise.all([
            removeBackground(photo, { device: 'cpu' }).catch(told),
            removeBackground(photo, { secondLook: true }).catch(told),
            inspect(photo).catch(told),
            preloadSpecialists().catch(told),
          ])
        }""",
        host,
    )
    assert codes == ["GossamerError model_unavailable"] * 4
    page.route(re.compile("/js/gossamer[.][^/]*js$"), lambda one: one.abort())
    page.goto(f"{host}index.html")
    code = page.evaluate(
        """async (folder) => {
          await import(`${folder}gossamer/gossamer-cutout.js`)
          const element = document.createElement('gossamer-cutout')
          element.src = 'photo.jpg'
          return element.cutOut().catch(({ name, code }) => `${name} ${code}`)
        }""",
        host,
    )
    assert code == "GossamerError model_unavailable"


def test_a_call_that_has_failed_reports_nothing_more(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    code, late = page.evaluate(
        """async (folder) => {
          const { preload, removeBackground } = await import(`${folder}gossamer/gossamer.js`)
          let isOver = false
          const late = []
          const onProgress = ({ stage }) => isOver && late.push(stage)
          const notes = new Blob(['no picture'])
          const code = await removeBackground(notes, { onProgress }).catch(({ code }) => code)
          isOver = true
          await preload() // the network, whose download that call has begun
          return [code, late]
        }""",
        host,
    )
    assert (code, late) == ("unsupported_format", [])


THEIR_OPTIONS = """
async (folder) => {
  const { removeBackground, configure } = await import(`${folder}gossamer/gossamer.js`)
  const source = await (await fetch('photo.jpg')).arrayBuffer()
  const messageOf = (options) =>
    removeBackground(source, options).then(() => 'done', ({ code, message }) => [code, message])
  const keys = []
  const { blob, backend } = await removeBackground(source, {
    publicPath: `${folder}gossamer`,
    device: 'cpu',
    debug: false,
    rescale: true,
    progress: (key, current, total) => keys.push([key, current <= total]),
    output: { format: 'image/webp', quality: 0.8 },
  })
  const refused = []
  for (const options of [
    { modle: 'auto' },
    { model: 'medium' },
    { device: 'tpu' },
    { debug: true },
    { fetchArgs: { mode: 'no-cors' } },
    { output: { format: 'image/jpeg' } },
    { output: { type: 'mask' } },
    { publicPath: 'https://elsewhere.example/' },
    { publicPath: '/another/' },
  ]) refused.push(await messageOf(options))
  return { type: blob.type, backend, keys, refused }
}
"""


def test_options_of_the_peer_mean_the_same_or_name_what_does(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    answer = page.evaluate(THEIR_OPTIONS, host)
    assert (answer["type"], answer["backend"]) == ("image/webp", "wasm")
    assert {key for key, _ in answer["keys"]} >= {"compute:decode", "compute:infer"}
    assert all(within for _, within in answer["keys"])
    codes, messages = zip(*answer["refused"], strict=True)
    assert set(codes) == {"invalid_argument"}
    for message, hint in zip(
        messages,
        (
            "Did you mean 'model'?",
            "Expected 'auto' or one of 'u2netp' for model",
            "or backend",
            "inspectEngines()",
            "your own origin",
            "a JPEG has no transparency",
            "segmentForeground",
            "this page's own origin",
            "Set it once",
        ),
        strict=True,
    ):
        assert hint in message


def test_a_folder_that_is_not_there_is_named(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    code, message = page.evaluate(
        """async (folder) => {
          const { configure, removeBackground } = await import(`${folder}gossamer/gossamer.js`)
          configure({ publicPath: 'not/here' })
          return removeBackground('photo.jpg').catch(({ code, message }) => [code, message])
        }""",
        host,
    )
    assert code == "worker_died"
    assert re.search(r"/shop/photos/not/here/js/workers/\S+ could not be loaded", message)


def test_files_without_the_header_that_an_isolated_page_asks_for_are_told(
    page: Page, host: str
) -> None:
    isolated = {
        "content-type": "text/html",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
    }
    page.route("**/index.html", lambda route: route.fulfill(body="<title>-", headers=isolated))
    page.goto(f"{host}index.html")
    message = page.evaluate(
        """async (folder) => {
          const { removeBackground } = await import(`${folder}gossamer/gossamer.js`)
          return removeBackground('photo.jpg').catch(({ message }) => message)
        }""",
        host,
    )
    assert "or came without Cross-Origin-Embedder-Policy: require-corp" in message


def test_a_message_shows_the_beginning_of_a_long_address(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    message = page.evaluate(
        """async (folder) => {
          const { removeBackground } = await import(`${folder}gossamer/gossamer.js`)
          return removeBackground('x'.repeat(5000)).catch(({ message }) => message)
        }""",
        host,
    )
    assert f"Expected a picture at {'x' * 80}...: " in message
    assert len(message) < 200


def test_a_page_of_srcdoc_is_of_its_parent_s_origin(page: Page, host: str) -> None:
    page.goto(f"{host}index.html")
    page.evaluate(
        """() => {
          const frame = document.createElement('iframe')
          frame.srcdoc = '<title>A page without an address</title>'
          document.body.append(frame)
          return new Promise((resolve) => { frame.onload = resolve })
        }"""
    )
    (frame,) = page.main_frame.child_frames
    engines = frame.evaluate(
        """async (folder) => {
          const { configure, inspectEngines } = await import(`${folder}gossamer/gossamer.js`)
          configure({ publicPath: 'gossamer/' })
          return (await inspectEngines()).engines.length
        }""",
        host,
    )
    assert engines > 0
