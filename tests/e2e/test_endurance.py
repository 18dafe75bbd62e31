"""Many photos in one page: what they took comes back, and the last is no slower than the first.

`make soak` takes six and two hundred. The figures are in build/endurance.json.
"""

import json
import os
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from skimage import data, transform

from exporter.serve import make_server, running
from tests.conftest import Watch

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
            "renderer_mb": round(self._renderer_bytes() / 1e6),
        }

    def _renderer_bytes(self) -> float:
        """Resident memory of the largest renderer: WASM heaps and canvases are in it. 0 where the
        system does not tell."""
        processes = self._processes.send("SystemInfo.getProcessInfo")["processInfo"]
        sizes = [0]
        for process in processes:
            status = Path("/proc", str(process["id"]), "statm")
            if process["type"] == "renderer" and status.exists():
                sizes.append(int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
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
