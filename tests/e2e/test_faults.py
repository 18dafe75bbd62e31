"""What goes wrong around the page: the disk, the network, the clock, the machine, the other tab."""

import contextlib
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from skimage import data

from exporter.serve import make_server, running
from exporter.site import WEB

from .app import (
    SLOW_MS,
    STORED_KEYS,
    ApiError,
    App,
    call_api,
    in_base64,
    png,
    refusing_storage,
    wait_until,
)
from .journeys import pictures_in
from .test_workers import DIE_AT, worker_named

CAT = png(data.chelsea())


@pytest.fixture(scope="session")
def site_dir(quick_site_dir: Path) -> Path:
    return quick_site_dir


@pytest.fixture(scope="session")
def server(quick_server: str) -> str:
    return quick_server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def cat_file(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(CAT)
    return path


def cut_after_a_death(app: App, name: str) -> None:
    """Ends the worker. A call that is sent before the page has heard of it may be lost with it."""
    worker_named(app, name).evaluate("self.close()")
    with contextlib.suppress(ApiError):
        call_api(app.page, "removeBackground", CAT)
    assert call_api(app.page, "removeBackground", CAT).picture.size == (451, 300)


def copy_of(photo: Path) -> Path:
    return Path(shutil.copyfile(photo, photo.with_name("cat again.png")))


# ---- the disk ------------------------------------------------------------------------------------


def expect_it_works_and_says_that_nothing_is_kept(app: App, photo: Path) -> None:
    expect(app.part("offline-state")).to_have_attribute("data-refused", "", timeout=SLOW_MS)
    expect(app.part("offline-state").get_by_role("button")).to_have_text("Not kept on this device")
    app.add(photo)
    app.wait_for_states("done")
    assert app.save()[1].size == (451, 300)


def test_a_full_disk_then_room_again(
    context: BrowserContext, site_dir: Path, cat_file: Path
) -> None:
    with running(make_server(site_dir)) as server:
        page = context.new_page()
        session = context.new_cdp_session(page)
        origin = {"origin": server.url.rstrip("/")}
        session.send("Storage.overrideQuotaForOrigin", {**origin, "quotaSize": 1_000_000})
        app = App(page, server.url).open()
        expect_it_works_and_says_that_nothing_is_kept(app, cat_file)
        assert page.evaluate(STORED_KEYS) == []
        # A worker that starts anew has nothing to read, and gets the network again.
        cut_after_a_death(app, "inference")
        session.send("Storage.overrideQuotaForOrigin", origin)  # as it was
        app.open()
        expect(app.part("offline-state")).to_be_visible(timeout=SLOW_MS)
        expect(app.part("offline-state")).to_contain_text("Ready offline")
        assert len(page.evaluate(STORED_KEYS)) == 1


@pytest.mark.soak
def test_a_browser_that_refuses_all_storage(
    browser: Browser, server: str, cat_file: Path, tmp_path: Path
) -> None:
    context = refusing_storage(browser.browser_type, tmp_path / "profile")
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    app = App(context.new_page(), server).open()
    refused = app.page.evaluate(f"({STORED_KEYS}).catch((error) => error.name)")
    assert refused in ("SecurityError", "UnknownError")
    expect_it_works_and_says_that_nothing_is_kept(app, cat_file)
    context.close()
    assert complaints == []


@pytest.mark.soak
def test_storage_that_is_cleared_between_two_steps(
    context: BrowserContext, server: str, cat_file: Path
) -> None:
    app = App(context.new_page(), server).open()
    app.add(cat_file)
    app.wait_for_states("done")
    everything = {"origin": server.rstrip("/"), "storageTypes": "all"}
    context.new_cdp_session(app.page).send("Storage.clearDataForOrigin", everything)
    assert app.page.evaluate(STORED_KEYS) == []
    assert app.save()[1].size == (451, 300)  # what was made is not kept there
    for name in ("inference", "python"):
        cut_after_a_death(app, name)
    assert len(app.page.evaluate(STORED_KEYS)) == 1


HOLD_THE_DATABASE = """
async () => {
  const request = indexedDB.open('gossamer', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('models')
  await new Promise((resolve) => { request.onsuccess = resolve })
  window.held = request.result
  const deletion = indexedDB.deleteDatabase('gossamer')
  await new Promise((resolve) => { deletion.onblocked = resolve })
}
"""
DELETE_THE_DATABASE = """
new Promise((resolve) => {
  const deletion = indexedDB.deleteDatabase('gossamer')
  deletion.onsuccess = () => resolve('deleted')
  deletion.onblocked = () => resolve('blocked')
})
"""
#: Ten seconds are one, for a thread that has not begun to wait.
HASTEN = """
() => {
  const { setTimeout } = self
  self.setTimeout = (run, ms, ...given) => setTimeout(run, ms < 3000 ? ms : ms / 10, ...given)
}
"""
CUT_OUT = """
async ([module, content]) => {
  const { removeBackground } = await import(module)
  const photo = new Blob([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))])
  const { runtime, notices } = await removeBackground(photo)
  return { runtime, notices }
}
"""


def test_a_database_that_does_not_open_for_a_while(
    context: BrowserContext, quick_site_dir: Path, server: str
) -> None:
    """Somebody deletes it, and waits for a page that holds it open."""
    (module,) = (quick_site_dir / "js").glob("gossamer.*.js")
    photo = [f"/js/{module.name}", in_base64(CAT)]
    well = {"runtime": "winograd", "notices": []}
    page = context.new_page()
    page.goto(f"{server}licences.txt")
    page.evaluate(HOLD_THE_DATABASE)
    page.evaluate(HASTEN)
    page.evaluate("(module) => import(module).then((one) => void one.inspectEngines())", photo[0])
    page.on("worker", lambda worker: worker.evaluate(HASTEN))
    for worker in page.workers:
        worker.evaluate(HASTEN)
    assert page.evaluate(CUT_OUT, photo) == well
    page.evaluate("held.close()")
    page.wait_for_timeout(500)  # all that waited for it goes on, and holds it no longer
    assert page.evaluate(DELETE_THE_DATABASE) == "deleted"
    page.goto(f"{server}licences.txt")
    assert page.evaluate(CUT_OUT, photo) == well
    assert len(page.evaluate(STORED_KEYS)) == 1


@pytest.mark.soak
def test_the_first_cut_out_asks_that_storage_lasts(
    context: BrowserContext, server: str, cat_file: Path
) -> None:
    """Once, and not before: some browsers pass the question on to the person."""
    page = context.new_page()
    page.add_init_script(
        """(() => {
          window.asked = 0
          const { persist } = StorageManager.prototype
          StorageManager.prototype.persist = function () {
            asked++
            return persist.call(this)
          }
        })()"""
    )
    app = App(page, server).open()
    app.wait_until_offline_ready()
    assert page.evaluate("asked") == 0
    app.add(cat_file, copy_of(cat_file))
    app.wait_for_states("done", "done")
    assert page.evaluate("asked") == 1


# ---- the network ---------------------------------------------------------------------------------


class CuttingHandler(SimpleHTTPRequestHandler):
    """Cuts the first answer for each file that a worker fetches in the middle."""

    asked: set[str]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        file = Path(self.directory, path.lstrip("/"))
        wanted = path.startswith(
            ("/vendor/", "/models/", "/wasm/", "/js/workers/", "/js/pipeline/")
        )
        if not wanted or path in self.asked or not file.is_file():
            super().do_GET()
            return
        self.asked.add(path)
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content[: len(content) // 2])
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def cutting_server(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Its URL, and the files whose first answer was cut."""
    handler = type("Handler", (CuttingHandler,), {"asked": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    with running(server):
        yield f"http://127.0.0.1:{server.server_port}/", handler.asked


def test_the_network_is_cut_during_every_download(browser: Browser, site_dir: Path) -> None:
    """Each file breaks off once. Every attempt ends, and so does the row of attempts."""
    context = browser.new_context(service_workers="block")
    with cutting_server(site_dir) as (url, cut):
        page = context.new_page()
        outcomes = []
        for _ in range(25):
            if not page.evaluate("Boolean(window.gossamer)"):
                page.goto(url)  # a module of the page itself was cut: a person reloads
                for _ in range(30):
                    if page.evaluate("Boolean(window.gossamer)"):
                        break
                    page.wait_for_timeout(100)
                continue
            outcomes.append(
                page.evaluate(
                    "gossamer.preload().then(() => 'ready', (error) => error.code ?? `${error}`)"
                )
            )
            if outcomes[-1] == "ready":
                break
        assert outcomes[-1] == "ready", outcomes
        known = {"backend_unavailable", "model_unavailable", "worker_died"}
        assert set(outcomes[:-1]) <= known, outcomes
        assert call_api(page, "removeBackground", CAT).picture.size == (451, 300)
        names = " ".join(cut)
        parts = (".plan", "/winograd.", "pyodide.js", "asm.wasm", "stdlib.zip", "numpy")
        for part in (*parts, ".onnx"):
            assert part in names
    context.close()


class SilentHandler(SimpleHTTPRequestHandler):
    """Says no more after `told` bytes of its first answer for a network, and does not hang up."""

    told: int | None
    over: threading.Event
    asked: list[str]

    def do_GET(self) -> None:
        if not self.path.endswith(".onnx"):
            super().do_GET()
            return
        self.asked.append(self.path)
        if len(self.asked) > 1:
            super().do_GET()
            return
        if self.told is not None:
            content = Path(self.directory, self.path.lstrip("/")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: self.told])
        self.over.wait()
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        pass


@pytest.mark.soak  # half a minute each, which is what a site may take to answer
@pytest.mark.parametrize("told", [None, 100_000])
def test_a_site_that_falls_silent_is_asked_again(
    browser: Browser, site_dir: Path, told: int | None
) -> None:
    over, asked = threading.Event(), []
    handler = type("Handler", (SilentHandler,), {"told": told, "over": over, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(site_dir)))
    with running(server), ExitStack() as ending:
        ending.callback(over.set)
        context = browser.new_context(service_workers="block")
        ending.callback(context.close)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        wait_until(page, "Boolean(window.gossamer)")
        assert call_api(page, "removeBackground", CAT).picture.size == (451, 300)
        assert len(asked) == 2


# ---- the machine, the clock, the other tab -------------------------------------------------------


@pytest.mark.soak
def test_two_tabs_at_once(context: BrowserContext, server: str) -> None:
    """Both start with nothing on the device, and both finish."""
    pages = [context.new_page() for _ in range(2)]
    for page in pages:
        page.goto(server)
    for page in pages:
        wait_until(page, "Boolean(window.gossamer)")
        page.evaluate(
            """(bytes) => {
              const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
              const file = new File([content], 'cat.png')
              window.cut = gossamer.removeBackground(file)
            }""",
            in_base64(CAT),
        )
    for page in pages:
        assert page.evaluate("cut.then(({ width, height }) => [width, height])") == [451, 300]
    assert len(pages[0].evaluate(STORED_KEYS)) == 1


@pytest.mark.soak
def test_a_slow_machine_a_hidden_tab_and_an_update_during_the_work(
    context: BrowserContext, quick_site_dir: Path, changed_site_dir: Path, cat_file: Path
) -> None:
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        app.open()
        app.page.evaluate("window.isTheSamePage = true")
        session = context.new_cdp_session(app.page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 6})
        app.add(cat_file, copy_of(cat_file))
        expect(app.part("photo").first).to_have_attribute("data-state", "working", timeout=SLOW_MS)
        server.dist = changed_site_dir
        app.page.evaluate("navigator.serviceWorker.ready.then((one) => void one.update())")
        for state in ("frozen", "active"):
            session.send("Page.setWebLifecycleState", {"state": state})
            time.sleep(1)
        expect(app.part("update")).to_be_visible(timeout=SLOW_MS)
        app.wait_for_states("done", "done")
        assert app.save()[1].size == (451, 300)
        assert app.page.evaluate("window.isTheSamePage")


@pytest.mark.soak
def test_a_clock_that_is_wrong_and_then_jumps(app: App, cat_file: Path) -> None:
    app.page.clock.set_fixed_time("1969-07-20T20:17:00Z")
    app.page.add_init_script("delete window.showSaveFilePicker")  # its dialog is the system's
    app.open()
    app.add(cat_file)
    expect(app.part("photo").first).to_have_attribute("data-state", "working", timeout=SLOW_MS)
    app.page.clock.set_fixed_time("2108-02-29T00:00:00Z")
    app.add(copy_of(cat_file))
    app.wait_for_states("done", "done")
    assert app.save()[1].size == (451, 300)
    with app.page.expect_download(timeout=SLOW_MS) as download:
        app.part("save-all").click()
    assert len(pictures_in(download.value.path().read_bytes())) == 2


def test_nothing_reads_the_clock() -> None:
    """So that a clock that is wrong, or set while something runs, changes nothing, in workers
    either, whose clock no test can set."""
    reads = re.compile(r"Date\.now|new Date\(\)|timeOrigin|\btime\.time|datetime\.now")
    sources = [*WEB.rglob("*.js"), *(WEB.parent / "pyside_logic").rglob("*.py")]
    assert len(sources) > 80
    assert [path.name for path in sources if reads.search(path.read_text())] == []


# ---- what a person has made ----------------------------------------------------------------------


def test_queue_and_strokes_survive_the_death_of_either_worker(app: App, cat_file: Path) -> None:
    astronaut = cat_file.with_name("astronaut.png")
    astronaut.write_bytes(png(data.astronaut()))
    app.add(astronaut)
    app.wait_for_states("done")

    def paint(tool: str, spot: np.ndarray) -> None:
        app.part("brush").get_by_label(tool, exact=True).check(force=True)
        box = app.page.locator(".frame").bounding_box()
        assert box
        x = box["x"] + (spot[1] + 0.5) / 512 * box["width"]
        y = box["y"] + (spot[0] + 0.5) / 512 * box["height"]
        app.page.mouse.move(x - 6, y)
        app.page.mouse.down()
        app.page.mouse.move(x + 6, y, steps=3)
        app.page.mouse.up()

    def alpha_at(*spots: np.ndarray) -> list[int]:
        alpha = np.asarray(app.save()[1].convert("RGBA"))[..., 3]
        return [int(alpha[tuple(spot)]) for spot in spots]

    found = np.asarray(app.save()[1].convert("RGBA"))[..., 3]
    middle = found[40:-40, 40:-40]
    inside = np.array(np.unravel_index(middle.argmax(), middle.shape)) + 40
    others = np.argwhere(middle < 10) + 40
    assert middle.max() > 100
    outside = others[np.argmax(np.hypot(*(others - inside).T))]
    paint("Remove", inside)
    worker_named(app, "python").evaluate("self.close()")
    paint("Keep", outside)
    assert alpha_at(inside, outside) == [0, 255]
    # And with others waiting: the page asks anew for what was at work.
    worker_named(app, "inference").evaluate(DIE_AT, "decode")
    app.add(cat_file, copy_of(cat_file))
    app.wait_for_states("done", "done", "done")
    app.part("photo").nth(0).locator("button").first.click()
    assert alpha_at(inside, outside) == [0, 255]
    app.part("undo").click()
    assert alpha_at(inside, outside) == [0, found[tuple(outside)]]
