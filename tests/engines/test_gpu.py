"""WebGPU and WebGL in Chromium, computed by SwiftShader: numbers, and a device that goes away.

One page for all of it: what is proven on it need not be proven again.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from exporter.serve import make_server, running
from exporter.site import SiteChoices, build_site
from tests.conftest import Watch
from tests.e2e.app import App, call_api, png, wait_until
from tests.e2e.test_backends import inference_worker, states, visit
from tests.e2e.test_wider_look import assert_is_native, cats_face

from .conftest import Matrix
from .drivers import Chromium
from .matrix import NETWORKS, measure, photo

# Where the CPU plays the GPU, half a minute each.
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def chromium(gpu_browser: Browser, small_site_dir: Path) -> Iterator[Chromium]:
    context = gpu_browser.new_context()
    watch = Watch(context)
    chromium = Chromium(gpu_browser, context.new_page())
    with running(make_server(small_site_dir)) as server:
        App(chromium.page, server.url).open()
        yield chromium
        context.close()
    assert watch.foreign_requests() == []
    assert watch.complaints == []


@pytest.mark.parametrize("backend", ["webgl", "webgpu"])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_gpu_computes_what_native_onnxruntime_does(
    chromium: Chromium, network: str, backend: str, matrix: Matrix
) -> None:
    row = measure(chromium, network, backend)
    matrix.add(row)
    assert row.backend == backend
    half = row.precision == "fp16"
    assert row.max_difference < (0.05 if half else 1e-3)
    report = chromium.call("(model) => window.gossamer.inspectEngines({ model })", network)
    has_half = any(engine["precision"] == "fp16" for engine in report["engines"])
    assert half == (has_half and backend == "webgpu")


DESTROY_WHEN_RUNNING = """
() => {
  const { createCommandEncoder } = GPUDevice.prototype
  GPUDevice.prototype.createCommandEncoder = function (...args) {
    const encoder = createCommandEncoder.apply(this, args)
    this.destroy()
    return encoder
  }
}
"""


def test_a_device_that_is_lost_during_a_run_costs_nothing(chromium: Chromium) -> None:
    app = App(chromium.page, chromium.page.url)
    options = {"model": "u2netp", "backend": ["webgpu", "wasm"]}
    before = call_api(app.page, "segmentForeground", png(photo()), options=options).fields
    assert before["backend"] == "webgpu"
    inference_worker(app).evaluate(DESTROY_WHEN_RUNNING)
    fields = call_api(app.page, "segmentForeground", png(photo()), options=options).fields
    assert fields["backend"] == "wasm"
    (notice,) = fields["notices"]
    assert "lost the graphics device. WebAssembly" in notice
    # Bad luck is not held against it for ever.
    app.page.reload()
    wait_until(app.page, "Boolean(window.gossamer)")
    assert states(app.page, "u2netp")[("webgpu", before["precision"], 1)] == "passed"


def test_beside_a_gpu_our_own_engine_takes_the_wider_look(
    gpu_browser: Browser, tmp_path: Path
) -> None:
    """Of a cat's face as large as the photo the first look, on the GPU, finds the eyes."""
    face = cats_face()
    site = build_site(["u2netp"], tmp_path / "dist", choices=SiteChoices(("wasm", "webgl")))
    with visit(gpu_browser, site) as app:
        found, alone = (
            call_api(app.page, "segmentForeground", png(face), options={"backend": backend})
            for backend in (["webgl", "wasm"], "webgl")
        )
    assert found.fields["backend"] == alone.fields["backend"] == "webgl"
    for result, wider_look in ((found, True), (alone, False)):
        assert_is_native(result, face, wider_look=wider_look)
