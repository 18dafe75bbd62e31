"""Many photos in one page: what they took comes back, and the last is no slower than the first.

`make soak` takes six and two hundred. The figures are in build/endurance.json.
"""

import io
import json
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Route
from skimage import data, transform

from exporter.serve import make_server, running
from tests.conftest import Watch, launched

from .app import SLOW_MS, App, call_api, png, wait_until
from .test_workers import worker_named

REPORT = Path(__file__).parents[2] / "build" / "endurance.json"

# Counts what the page itself would not tell; everything is passed on.
COUNTING = """
(() => {
  const { createObjectURL, revokeObjectURL } = URL
  window.openUrls = new Set()
  URL.createObjectURL = (blob) => {
    const url = createObjectURL.call(URL, blob)
    openUrls.add(url)
    return url
  }
  URL.revokeObjectURL = (url) => {
    openUrls.delete(url)
    revokeObjectURL.call(URL, url)
  }
})()
"""

#: Longer sides in px, from a thumbnail to what a phone takes; the soak takes them all.
SIDES_PX = (64, 300, 150, 512, 90, 400, 1200, 2400, 700, 4000)


def sized(side_px: int, turn: int) -> bytes:
    """One of scikit-image's photographs, upright or on its side, `side_px` wide or high."""
    photo = (data.astronaut(), data.chelsea(), data.coffee())[turn % 3]
    height, width = (round(side_px * one / max(photo.shape[:2])) for one in photo.shape[:2])
    resized = transform.resize(photo, (max(16, height), max(16, width)), anti_aliasing=True)
    return png(np.rot90((resized * 255).astype(np.uint8), turn % 4))


class Meter:
    """What the page has at this moment, when it has come to rest."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._devtools = page.context.new_cdp_session(page)
        browser = page.context.browser
        assert browser
        self._processes = browser.new_browser_cdp_session()

    def read(self) -> dict[str, float]:
        self._devtools.send("HeapProfiler.collectGarbage")
        heap = self._devtools.send("Runtime.getHeapUsage")["usedSize"]
        self._devtools.send("Performance.enable")
        metrics = self._devtools.send("Performance.getMetrics")["metrics"]
        counts = {one["name"]: one["value"] for one in metrics}
        return {
            "heap_mb": round(heap / 1e6, 2),
            "nodes": counts["Nodes"],
            "listeners": counts["JSEventListeners"],
            "object_urls": self.page.evaluate("openUrls.size"),
            "workers": len(self.page.workers),
            "renderer_mb": round(self.renderer_bytes() / 1e6),
        }

    def renderer_bytes(self, field: str = "VmRSS") -> int:
        """Resident memory of the largest renderer: WASM heaps and canvases are in it; 'VmHWM' the
        most that it has had. 0 where the system does not tell."""
        processes = self._processes.send("SystemInfo.getProcessInfo")["processInfo"]
        sizes = [0]
        for process in processes:
            status = Path("/proc", str(process["id"]), "status")
            if process["type"] == "renderer" and status.exists():
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
                sizes.append(int(fields[field].split()[0]) * 1024)
        return max(sizes)


def cut_out_all(app: App, photos: list[Path]) -> list[float]:
    """Adds the photos at once, waits, saves all, and removes all: the ms that each took."""
    app.page.evaluate(
        """() => {
          window.finished = []
          const seen = new Set()
          window.watching = new MutationObserver(() => {
            for (const tile of document.querySelectorAll('[data-testid=photo][data-state=done]')) {
              if (!seen.has(tile)) finished.push(performance.now())
              seen.add(tile)
            }
          })
          watching.observe(document.body, { subtree: true, childList: true, attributes: true })
          window.started = performance.now()
        }"""
    )
    app.add(*photos)
    done = "document.querySelectorAll('[data-testid=photo][data-state=done]').length"
    wait_until(app.page, f"{done} === {len(photos)}")
    times: list[Any] = app.page.evaluate("(watching.disconnect(), [started, ...finished])")
    app.page.evaluate("delete window.showSaveFilePicker")  # no test can answer its window
    with app.page.expect_download(timeout=SLOW_MS):
        app.part("save-all").click()
    for _ in photos:
        app.part("photo").last.get_by_role("button", name="Remove").click()
    app.page.evaluate("window.watching = window.finished = null")
    return [round(later - earlier) for earlier, later in pairwise(times)]


@pytest.mark.soak
@pytest.mark.parametrize(("rounds", "a_round"), [(3, 2), (20, 10)])
def test_what_photos_took_comes_back(
    browser: Browser, server: str, tmp_path: Path, rounds: int, a_round: int
) -> None:
    context = browser.new_context()
    watch = Watch(context)
    page = context.new_page()
    page.add_init_script(COUNTING)
    app = App(page, server).open()
    meter = Meter(page)
    photos = []
    for index, side_px in enumerate(SIDES_PX[:a_round]):
        photos.append(tmp_path / f"photo {index}.png")
        photos[-1].write_bytes(sized(side_px, index))
    # The first round brings what stays: the engines, their heaps, the compiled code.
    readings, times_ms = [], []
    for _ in range(rounds):
        times_ms.append(cut_out_all(app, photos))
        page.wait_for_timeout(200)
        readings.append(meter.read())
    # A worker that was renewed after the last photo starts with the next.
    cut_out_all(app, photos[:2])
    page.wait_for_timeout(200)
    readings.append(meter.read())
    context.close()
    first, last = readings[0], readings[-1]
    report = {
        "photos": rounds * a_round,
        "sides_px": SIDES_PX[:a_round],
        "after_the_first_round": first,
        "after_the_last_round": last,
        "median_ms_of_a_photo": {"first rounds": median(times_ms[1]), "last": median(times_ms[-1])},
        "last_round_to_second": round(sum(times_ms[-1]) / sum(times_ms[1]), 2),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    assert last["workers"] == first["workers"]
    # The ZIP's address is given back a minute after the click, those of the photos with them.
    assert last["object_urls"] <= len(readings)
    assert last["nodes"] <= first["nodes"] + 200
    assert last["listeners"] <= first["listeners"] + 50
    assert last["heap_mb"] <= first["heap_mb"] + 3
    assert last["renderer_mb"] <= 1.25 * first["renderer_mb"] + 50
    assert watch.foreign_requests() == []
    assert watch.complaints == []


# Holds nothing of the answer but its size.
CUT_OUT = """
async (name) => {
  const photo = await (await fetch(name)).blob()
  const { memory_bytes } = await gossamer.inspect(photo)
  const { blob } = await gossamer.removeBackground(photo)
  return [memory_bytes, blob.size]
}
"""


@pytest.mark.soak
def test_a_photo_takes_no_more_than_was_said(playwright: Playwright, server: str) -> None:
    """A later one neither, where the browser has yet to collect what the one before it left."""
    with contextmanager(launched)(playwright) as browser:  # whose only page is this one
        page = browser.new_page(service_workers="block")  # which would answer in the routes' place
        meter = Meter(page)
        if not meter.renderer_bytes():
            pytest.skip("only Linux tells how much a process holds")
        for name, size in {"small.jpg": (300, 200), "large.jpg": (6000, 4000)}.items():
            photo = io.BytesIO()
            Image.fromarray(data.coffee()).resize(size).save(photo, "JPEG")
            page.route(f"**/{name}", partial(Route.fulfill, body=photo.getvalue()))
        App(page, server).open()
        page.evaluate(CUT_OUT, "small.jpg")
        idle = meter.renderer_bytes()
        for _ in range(3):
            said, written = page.evaluate(CUT_OUT, "large.jpg")
            assert written > 1e6
        took = meter.renderer_bytes("VmHWM") - idle
    print(f"{took / 1e6:.0f} MB where {said / 1e6:.0f} were said")
    assert took < said


# In the inference worker, where the network runs: buffers that were made and not destroyed.
COUNT_BUFFERS = """
() => {
  self.live = new Set()
  const { createBuffer } = GPUDevice.prototype
  const { destroy } = GPUBuffer.prototype
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor)
    self.live.add(buffer)
    return buffer
  }
  GPUBuffer.prototype.destroy = function () {
    self.live.delete(this)
    return destroy.call(this)
  }
}
"""
LIVE = "() => [live.size, [...live].reduce((bytes, { size }) => bytes + size, 0)]"


@pytest.mark.soak
def test_what_photos_took_of_a_gpu_comes_back(gpu_browser: Browser, small_site_dir: Path) -> None:
    """With networks of 64 x 64 px on SwiftShader."""
    context = gpu_browser.new_context()
    with running(make_server(small_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.page.evaluate("gossamer.preload()")
        worker = worker_named(app, "inference")
        worker.evaluate(COUNT_BUFFERS)
        readings = []
        for index in range(40):
            photo = Image.fromarray(data.coffee()).resize((90 + 40 * (index % 7), 120))
            options = {"backend": "webgpu", "model": "modnet"}
            result = call_api(
                app.page, "segmentForeground", png(np.asarray(photo)), options=options
            )
            assert result.fields["backend"] == "webgpu"
            readings.append(worker.evaluate(LIVE))
        context.close()
    buffers, _ = readings[-1]
    print(f"GPU buffers and their bytes after each photo: {readings}")
    assert buffers > 0
    # The second run is the first that finds what it needs in the engine's own pool.
    assert readings[-1] == readings[1]
