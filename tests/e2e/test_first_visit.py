"""A first visit: the network is fetched, and runs, while Python is on its way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from skimage import data

from exporter.serve import running

from .app import STORED_KEYS, App, call_api, in_base64, png, wait_until
from .test_workers import worker_named

CAT = png(data.chelsea())


class Handler(SimpleHTTPRequestHandler):
    """Answers the first request for a network with what `first` makes of the file, and resumes.
    NumPy, without which Python does not start, waits for `python_may_come`."""

    first: Callable[[bytes], bytes]
    python_may_come: threading.Event
    ranges: list[str | None]

    def do_GET(self) -> None:
        if "/numpy-" in self.path:
            self.python_may_come.wait()
        if not self.path.endswith(".onnx"):
            super().do_GET()
            return
        content = Path(self.directory, self.path.lstrip("/")).read_bytes()
        asked = self.headers["Range"]
        body = content if self.ranges else type(self).first(content)
        offset = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.ranges.append(asked)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(max(len(content), len(body)) - offset))
        self.end_headers()
        with suppress(ConnectionError):  # who has heard enough hangs up
            self.wfile.write(body[offset:])
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def served(
    folder: Path, first: Callable[[bytes], bytes] = bytes
) -> Iterator[tuple[str, type[Handler]]]:
    """The URL, and what its handler has been asked; Python comes at once unless that is held."""
    python_may_come = threading.Event()
    python_may_come.set()
    members = {"first": staticmethod(first), "python_may_come": python_may_come, "ranges": []}
    handler = type("Handler", (Handler,), members)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    with running(server), ExitStack() as ending:
        ending.callback(python_may_come.set)
        yield f"http://127.0.0.1:{server.server_port}/", handler


START_CUT = """
(content) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const onProgress = ({ stage, done }) => { if (stage === 'infer' && done) window.hasRun = true }
  window.cutOut = gossamer.removeBackground(new Blob([bytes]), { onProgress })
  window.cutOut.catch((error) => { window.hasRun = String(error) })
}
"""


def test_the_network_runs_before_python_has_started(page: Page, quick_site_dir: Path) -> None:
    with served(quick_site_dir) as (url, handler):
        handler.python_may_come.clear()
        App(page, url).open()
        page.evaluate(START_CUT, in_base64(CAT))
        wait_until(page, "Boolean(window.hasRun)")
        assert page.evaluate("window.hasRun") is True
        handler.python_may_come.set()
        assert page.evaluate("window.cutOut.then(({ blob }) => blob.size)") > 10_000
        # Python keeps what the page has fetched, and does not fetch it again.
        assert page.evaluate("gossamer.preload().then(({ stored }) => stored)") is True
        assert len(page.evaluate(STORED_KEYS)) == 1
        assert handler.ranges == [None]


def test_edges_are_not_said_to_be_refined_while_python_is_on_its_way(
    page: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(CAT)
    with served(quick_site_dir) as (url, handler):
        handler.python_may_come.clear()
        app = App(page, url).open()
        app.add(photo)
        page.evaluate(START_CUT, in_base64(CAT))  # behind the photo, which has run when this has
        wait_until(page, "Boolean(window.hasRun)")
        expect(page.locator("gossamer-work-bar")).to_contain_text("Getting ready")
        handler.python_may_come.set()
        app.wait_for_states("done")


@pytest.mark.soak  # waits for half a minute
def test_the_network_comes_though_nothing_is_heard_of_python(
    page: Page, quick_site_dir: Path
) -> None:
    with served(quick_site_dir) as (url, _):
        page.context.route("**/pyodide.asm.wasm", lambda route: None)
        App(page, url).open()
        page.evaluate(START_CUT, in_base64(CAT))
        wait_until(page, "Boolean(window.hasRun)")
        assert page.evaluate("window.hasRun") is True


def test_python_dies_before_it_has_kept_the_network(page: Page, quick_site_dir: Path) -> None:
    with served(quick_site_dir) as (url, handler):
        handler.python_may_come.clear()
        app = App(page, url).open()
        page.evaluate(START_CUT, in_base64(CAT))
        wait_until(page, "Boolean(window.hasRun)")
        worker_named(app, "python").evaluate("void setTimeout(() => self.close())")
        page.wait_for_timeout(500)
        handler.python_may_come.set()
        assert page.evaluate("window.cutOut.then(({ blob }) => blob.size)") > 10_000
        assert page.evaluate("gossamer.preload().then(({ stored }) => stored)") is True
        assert len(page.evaluate(STORED_KEYS)) == 1
        assert handler.ranges == [None]


def test_python_goes_on_where_it_was_cut(page: Page, quick_site_dir: Path) -> None:
    with served(quick_site_dir, lambda content: content[: len(content) // 2]) as (url, handler):
        App(page, url).open()
        assert call_api(page, "removeBackground", CAT).picture.size == (451, 300)
        begun, resumed = handler.ranges
        assert begun is None
        assert resumed is not None
        assert int(resumed.removeprefix("bytes=").removesuffix("-")) > 100_000


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(lambda content: bytes(len(content)), id="other bytes"),
        pytest.param(lambda content: content + content, id="too long", marks=pytest.mark.soak),
    ],
)
def test_another_file_is_never_run(
    page: Page, quick_site_dir: Path, first: Callable[[bytes], bytes]
) -> None:
    with served(quick_site_dir, first) as (url, handler):
        App(page, url).open()
        result = call_api(page, "removeBackground", CAT)
        assert (result.picture.size, result.fields["notices"]) == ((451, 300), [])
        assert handler.ranges == [None, None]
        (kept,) = page.evaluate(STORED_KEYS)
        assert not kept.endswith(".part")


def test_a_network_is_fetched_where_nothing_has_started_python(
    page: Page, two_network_site_dir: Path, two_network_server: str
) -> None:
    (module,) = (two_network_site_dir / "js").glob("gossamer.*.js")
    page.goto(f"{two_network_server}licences.txt")  # where no app starts anything
    page.evaluate(f"import('/js/{module.name}').then((one) => one.preloadSpecialists())")
    assert len(page.evaluate(STORED_KEYS)) == 1


ABANDON = """
async (content) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const leaving = new AbortController()
  const first = gossamer.removeBackground(new Blob([bytes]), { signal: leaving.signal })
  const second = gossamer.removeBackground(new Blob([bytes]))
  // Time enough to ask for the network.
  await new Promise((resolve) => setTimeout(resolve, 1000))
  leaving.abort()
  window.abandoned = await first.then(() => 'done', ({ name }) => name)
  return (await second).blob.size
}
"""


def test_who_leaves_does_not_wait_and_takes_the_network_from_nobody(
    page: Page, quick_site_dir: Path
) -> None:
    may_come = threading.Event()

    def late(content: bytes) -> bytes:
        may_come.wait()
        return content

    with served(quick_site_dir, late) as (url, handler), ExitStack() as ending:
        ending.callback(may_come.set)
        App(page, url).open()
        page.evaluate(f"void (window.outcome = ({ABANDON})('{in_base64(CAT)}'))")
        wait_until(page, "Boolean(window.abandoned)")
        assert page.evaluate("window.abandoned") == "AbortError"
        may_come.set()
        assert page.evaluate("window.outcome") > 10_000
        assert handler.ranges == [None]
