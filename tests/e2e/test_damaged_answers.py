"""A host that answers once with half a file, as while a site is put there, and a browser that keeps
it for ever, as the names hold hashes."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from skimage import data

from exporter.serve import running

from .app import App, in_base64, png

CAT = png(data.chelsea())
WELL = {"runtime": "winograd", "notices": []}


class Handler(SimpleHTTPRequestHandler):
    """Answers with its half for a file whose path has one of `damaged` in it, `times` times."""

    damaged: tuple[str, ...]
    times: int
    asked: list[str]

    def do_GET(self) -> None:
        with contextlib.suppress(ConnectionError):  # of a worker that was ended
            self.answer()

    def answer(self) -> None:
        file = Path(self.directory, self.path.lstrip("/"))
        is_damaged = any(part in self.path for part in self.damaged)
        if is_damaged:
            self.asked.append(file.name)
        if not is_damaged or self.asked.count(file.name) > self.times:
            super().do_GET()
            return
        content = file.read_bytes()
        half = content[: len(content) // 2]
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Length", str(len(half)))
        self.end_headers()
        self.wfile.write(half)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def damaging(site: Path, *damaged: str, times: int = 1) -> Iterator[tuple[str, type[Handler]]]:
    """The URL, and its handler, with the names of the damaged files as they were asked for."""
    handler = type("Handler", (Handler,), {"damaged": damaged, "times": times, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(site)))
    with running(server):
        yield f"http://127.0.0.1:{server.server_port}/", handler


CUT_OUT = """
async ([module, content]) => {
  const { removeBackground } = await import(module)
  const photo = new Blob([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))])
  return removeBackground(photo).then(
    ({ runtime, notices }) => ({ runtime, notices }),
    ({ message }) => ({ message }),
  )
}
"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def outcomes(context: BrowserContext, site: Path, url: str, times: int = 1) -> list[dict[str, Any]]:
    """Of as many calls, in a page of another site that nothing starts anything in."""
    page = context.new_page()
    page.goto(f"{url}licences.txt")
    (module,) = (site / "js").glob("gossamer.*.js")
    return [page.evaluate(CUT_OUT, [f"/js/{module.name}", in_base64(CAT)]) for _ in range(times)]


@pytest.mark.parametrize(
    "part",
    [
        "/python_stdlib",
        pytest.param("/pyodide.asm.wasm", marks=pytest.mark.soak),
        pytest.param("/numpy-", marks=pytest.mark.soak),
    ],
)
def test_python_starts_once_the_host_is_well_again(
    context: BrowserContext, quick_site_dir: Path, part: str
) -> None:
    with damaging(quick_site_dir, part, times=99) as (url, handler):
        (refused,) = outcomes(context, quick_site_dir, url)
        assert "Python could not be started" in refused["message"]
        assert "[object" not in refused["message"]
        handler.times = 0
        assert outcomes(context, quick_site_dir, url, 2)[-1] == WELL


def test_who_tries_again_does_so_for_all_that_failed_with_it(
    page: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    photos = [tmp_path / f"cat {index}.png" for index in range(3)]
    for photo in photos:
        photo.write_bytes(CAT)
    drawing = tmp_path / "no photo.png"
    drawing.write_bytes(b"<svg/>")
    with damaging(quick_site_dir, "/python_stdlib", times=99) as (url, handler):
        app = App(page, url).open()
        app.add(drawing, *photos)
        app.wait_for_states("failed", "failed", "failed", "failed")
        handler.times = 0
        app.part("photo").nth(1).locator("button").first.click()
        app.part("retry").click()
        app.wait_for_states("failed", "done", "done", "done")


def test_photos_that_failed_without_a_connection_begin_again_when_it_is_back(
    page: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    photo, drawing = tmp_path / "cat.png", tmp_path / "no photo.png"
    photo.write_bytes(CAT)
    drawing.write_bytes(b"<svg/>")
    with damaging(quick_site_dir, "/python_stdlib", times=99) as (url, handler):
        app = App(page, url).open()
        app.add(photo, drawing)
        app.wait_for_states("failed", "failed")
        handler.times = 0
        page.context.set_offline(True)
        page.context.set_offline(False)
        app.wait_for_states("done", "failed")


AS_SAFARI_WRITES = """
() => {
  const write = OffscreenCanvas.prototype.convertToBlob
  OffscreenCanvas.prototype.convertToBlob = function () {
    return write.call(this, { type: 'image/png' })
  }
}
"""
WEBP = """
async ([module, content]) => {
  const { removeBackground } = await import(module)
  const photo = new Blob([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))])
  return removeBackground(photo, { output: { type: 'image/webp' } }).then(
    ({ blob }) => blob.type,
    ({ message }) => message,
  )
}
"""


@pytest.mark.soak
def test_what_writes_webp_comes_once_the_host_is_well_again(
    context: BrowserContext, quick_site_dir: Path
) -> None:
    with damaging(quick_site_dir, "/pillow-", times=99) as (url, handler):
        assert outcomes(context, quick_site_dir, url) == [WELL]
        (page,) = context.pages
        (worker,) = [one for one in page.workers if "/python-worker." in one.url]
        worker.evaluate(AS_SAFARI_WRITES)
        (module,) = (quick_site_dir / "js").glob("gossamer.*.js")
        photo = [f"/js/{module.name}", in_base64(CAT)]
        assert "the part that can could not be fetched" in page.evaluate(WEBP, photo)
        handler.times = 0
        page.evaluate(WEBP, photo)  # fails still where the browser had kept that half
        assert page.evaluate(WEBP, photo) == "image/webp"


@pytest.mark.parametrize("part", [".plan", pytest.param("/wasm/winograd", marks=pytest.mark.soak)])
def test_our_engine_runs_once_the_host_is_well_again(
    context: BrowserContext, quick_site_dir: Path, part: str
) -> None:
    with damaging(quick_site_dir, part, times=99) as (url, handler):
        (cut_out,) = outcomes(context, quick_site_dir, url)
        assert cut_out["runtime"] == "onnxruntime"
        assert "could not be fetched. ONNX Runtime" in cut_out["notices"][0]
        handler.times = 0
        assert outcomes(context, quick_site_dir, url) == [WELL]


@pytest.mark.soak
def test_our_engine_is_asked_for_again_at_once(
    context: BrowserContext, quick_site_dir: Path
) -> None:
    with damaging(quick_site_dir, ".plan", "/wasm/winograd") as (url, handler):
        assert outcomes(context, quick_site_dir, url) == [WELL]
        assert len(handler.asked) == 4


def test_what_resizes_photos_is_asked_for_again_at_once(
    context: BrowserContext, quick_site_dir: Path
) -> None:
    with damaging(quick_site_dir, "/wasm/lanczos") as (url, handler):
        assert outcomes(context, quick_site_dir, url) == [WELL]
        assert len(handler.asked) == 2
