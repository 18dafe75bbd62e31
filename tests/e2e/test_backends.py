"""Every backend in real Chromium: right numbers, and what happens when it fails for real.

WebGPU and WebGL run on SwiftShader, which computes on the CPU, with networks of 64 x 64 px.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest
from playwright.sync_api import Browser, Page, Worker
from skimage import data

from exporter.origins import sha256_of
from exporter.serve import make_server, running
from tests.conftest import Watch

from .app import ApiError, App, call_api, png, wait_until
from .host import plain_host

PHOTO = png(data.coffee())
SOFTWARE = {"backend": ["webgl", "wasm"]}


@contextmanager
def visit(browser: Browser, site: Path, **context_options: Any) -> Iterator[App]:
    """The page of a site in a fresh context, watched as every page of the tests."""
    context = browser.new_context(**context_options)
    watch = Watch(context)
    with running(make_server(site)) as server:
        yield App(context.new_page(), server.url).open()
        context.close()
    assert watch.foreign_requests() == []
    assert watch.complaints == []


def cut(app: App, **options: Any) -> dict[str, Any]:
    result = call_api(app.page, "segmentForeground", PHOTO, options=options)
    assert result.picture.size == (600, 400)
    return result.fields


def inference_worker(app: App) -> Worker:
    found = [worker for worker in app.page.workers if "/inference-worker." in worker.url]
    return found[-1]


def states(page: Page, model: str) -> dict[tuple[str, str, int], str]:
    report = page.evaluate("(model) => window.gossamer.inspectEngines({ model })", model)
    return {
        (engine["backend"], engine["precision"], min(engine["threads"], 2)): engine["state"]
        for engine in report["engines"]
    }


# ---- changed files -------------------------------------------------------------------------------


def with_other_artefacts(
    site: Path, folder: Path, change: Callable[[Path, str, dict[str, Any]], None]
) -> Path:
    """A copy of a site in which each artefact was changed, as if it had been built like that."""
    copy = shutil.copytree(site, folder / "site")
    (build_js,) = (copy / "js").glob("build.*.js")
    head, text = build_js.read_text().split("export const build = ")
    build = json.loads(text)
    for entry in build["models"]:
        for artefact in entry["artefacts"]:
            change(copy, entry["name"], artefact)
    built = sha256_of(build_js)
    build_js.write_text(f"{head}export const build = {json.dumps(build)}")
    sw_js = copy / "sw.js"
    sw_js.write_text(sw_js.read_text().replace(built, sha256_of(build_js)))
    return copy


def with_other_file(
    site: Path, folder: Path, model: str, backend: str, change: Callable[[bytes], bytes]
) -> Path:
    """A copy of a site with one float32 file changed and its sha256 told."""

    def change_it(copy: Path, name: str, artefact: dict[str, Any]) -> None:
        if (name, artefact["backend"], artefact["precision"]) == (model, backend, "fp32"):
            contents = change((copy / artefact["path"]).read_bytes())
            artefact["sha256"] = hashlib.sha256(contents).hexdigest()
            artefact["bytes"] = len(contents)
            artefact["path"] = f"models/changed.{artefact['sha256'][:10]}.onnx"
            (copy / artefact["path"]).write_bytes(contents)

    return with_other_artefacts(site, folder, change_it)


@pytest.fixture(scope="module")
def planless_site_dir(small_site_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX Runtime runs all of its networks, as it does those that our own engine cannot run."""

    def drop_plan(_: Path, __: str, artefact: dict[str, Any]) -> None:
        artefact["plan"] = None

    return with_other_artefacts(small_site_dir, tmp_path_factory.mktemp("planless"), drop_plan)


def with_other_weights(contents: bytes) -> bytes:
    """One channel of the last convolution but one turned round: a matte, but another one."""
    model = onnx.ModelProto.FromString(contents)
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    names = {convs[-1].input[1], convs[-2].input[1]}
    for tensor in model.graph.initializer:
        if tensor.name in names:
            weights = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(-weights, tensor.name))
    return model.SerializeToString()


# ---- what is chosen ------------------------------------------------------------------------------


def test_auto_leaves_software_gpus_alone_and_wasm_passes(
    gpu_browser: Browser, planless_site_dir: Path
) -> None:
    with visit(gpu_browser, planless_site_dir) as app:
        fields = cut(app)
        assert (fields["backend"], fields["notices"]) == ("wasm", [])
        assert fields["threads"] > 1
        assert states(app.page, "modnet") == {
            ("webgpu", "fp32", 1): "untried",
            ("webgl", "fp32", 1): "untried",
            ("wasm", "fp32", 2): "passed",
            ("wasm", "fp32", 1): "untried",
        }


def test_a_backend_that_is_not_there_is_refused_by_name(app: App) -> None:
    for backend, reason in (("webgpu", "no graphics adapter"), ("webgl", "no file for it")):
        with pytest.raises(ApiError) as refusal:
            cut(app, backend=backend)
        assert refusal.value.fields["code"] == "backend_unavailable"
        assert reason in refusal.value.fields["message"]
    with pytest.raises(ApiError) as refusal:
        cut(app, backend="cuda")
    assert refusal.value.fields["code"] == "invalid_argument"
    assert cut(app, backend="wasm")["backend"] == "wasm"


def test_a_small_device_gets_one_thread_little_memory_and_the_small_network(
    browser: Browser, planless_site_dir: Path
) -> None:
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    with visit(browser, planless_site_dir, user_agent=iphone) as app:
        # The page has loaded the network on its own; its engine's memory tells its maximum.
        fields = cut(app)
        assert (fields["model"], fields["backend"], fields["threads"]) == ("u2netp", "wasm", 1)
        assert cut(app, model="modnet")["model"] == "modnet"
        grown = inference_worker(app).evaluate(
            """() => {
              const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true })
              try { return memory.grow(20000) } catch (error) { return error.name }
            }"""
        )
        assert grown == "RangeError"


KEPT = """
async () => {
  const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)))
  const requests = await Promise.all(opened.map((cache) => cache.keys()))
  return requests.flat().map(({ url }) => url)
}
"""
ONNX_RUNTIME = {
    "ort.wasm.min.js",
    "ort-wasm-simd-threaded.js",
    "ort-wasm-simd-threaded.wasm",
}


@pytest.mark.parametrize(
    ("site", "engine"),
    [
        # test_own_engine.py has a shorter one
        pytest.param("small_site_dir", set(), marks=pytest.mark.soak),
        ("planless_site_dir", ONNX_RUNTIME),
    ],
)
def test_a_device_fetches_and_keeps_only_what_it_runs(
    gpu_browser: Browser, site: str, engine: set[str], request: pytest.FixtureRequest
) -> None:
    context = gpu_browser.new_context()
    watch = Watch(context)
    with running(make_server(request.getfixturevalue(site))) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        fetched = {url.rpartition("/")[2] for url in watch.requests}
        kept = {url.rpartition("/")[2] for url in app.page.evaluate(KEPT)}
        for names in (fetched, kept):
            assert {name for name in names if name.startswith("ort")} == engine
        (network,) = (name for name in fetched if name.endswith(".onnx"))
        assert network.startswith("modnet.wasm.")
        context.close()


@pytest.mark.soak  # test_offline.py has our own engine on such a host
def test_onnx_runtime_comes_from_a_host_that_knows_few_types(
    browser: Browser, planless_site_dir: Path
) -> None:
    context = browser.new_context()
    with plain_host(planless_site_dir) as url:
        app = App(context.new_page(), url).open()
        wait_until(app.page, "crossOriginIsolated && Boolean(window.gossamer)")
        fields = cut(app)
        assert (fields["runtime"], fields["backend"]) == ("onnxruntime", "wasm")
        assert (fields["threads"] > 1, fields["notices"]) == (True, [])
    context.close()


# ---- what fails ----------------------------------------------------------------------------------


@pytest.mark.soak  # 20 s of SwiftShader; test_verify.py catches the same Conv alone
def test_a_network_that_webgpu_computes_wrongly_is_demoted(
    gpu_browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    """MODNet without its padded channels: wrong on WebGPU, with no error, and right elsewhere."""
    (unpadded,) = (small_site_dir / "models").glob("modnet.wasm.fp32.*")
    site = with_other_file(
        small_site_dir, tmp_path, "modnet", "webgpu", lambda _: unpadded.read_bytes()
    )
    with visit(gpu_browser, site) as app:
        fields = cut(app, model="modnet", backend=["webgpu", "wasm"])
        assert fields["backend"] == "wasm"
        (notice,) = fields["notices"]
        assert re.match(r"WebGPU computes wrong numbers on this device .*took over\.$", notice)


@pytest.mark.soak
def test_wrong_weights_are_demoted_and_the_verdict_is_remembered_until_it_is_reset(
    gpu_browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    site = with_other_file(small_site_dir, tmp_path, "u2netp", "webgl", with_other_weights)
    with visit(gpu_browser, site) as app:
        fields = cut(app, model="u2netp", **SOFTWARE)
        assert fields["backend"] == "wasm"
        assert "WebGL computes wrong numbers" in fields["notices"][0]
        with pytest.raises(ApiError) as refusal:
            cut(app, model="u2netp", backend="webgl")
        assert refusal.value.fields["code"] == "backend_unavailable"
        assert "wrong numbers" in refusal.value.fields["message"]
        app.page.reload()
        wait_until(app.page, "Boolean(window.gossamer)")
        assert states(app.page, "u2netp")[("webgl", "fp32", 1)] == "failed"
        fields = cut(app, model="u2netp", **SOFTWARE)
        assert (fields["backend"], fields["notices"]) == ("wasm", [])
        app.page.evaluate("window.gossamer.resetEngines()")
        assert set(states(app.page, "u2netp").values()) == {"untried"}
        assert "wrong numbers" in cut(app, model="u2netp", **SOFTWARE)["notices"][0]


@pytest.mark.soak
def test_a_file_that_does_not_load_is_demoted(
    gpu_browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    site = with_other_file(
        small_site_dir, tmp_path, "u2netp", "webgl", lambda _: b"not a network at all"
    )
    with visit(gpu_browser, site) as app:
        fields = cut(app, model="u2netp", **SOFTWARE)
        assert fields["backend"] == "wasm"
        assert "WebGL" in fields["notices"][0]
        assert "could not be started" in fields["notices"][0]
        with pytest.raises(ApiError) as refusal:
            cut(app, model="u2netp", backend="webgl")
        assert "could not be started" in refusal.value.fields["message"]


@pytest.mark.soak
def test_a_file_that_does_not_arrive(
    gpu_browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(small_site_dir, tmp_path / "site")
    (missing,) = (site / "models").glob("u2netp.webgl.*")
    missing.rename(site / "elsewhere.onnx")
    with visit(gpu_browser, site) as app:
        fields = cut(app, model="u2netp", **SOFTWARE)
        assert (fields["backend"], fields["threads"] > 1) == ("wasm", True)
        assert "WebGL could not be fetched" in fields["notices"][0]
        with pytest.raises(ApiError) as refusal:
            cut(app, model="u2netp", backend="webgl")
        assert refusal.value.fields["code"] == "model_unavailable"
        # It counts as soon as it is there.
        (site / "elsewhere.onnx").rename(missing)
        assert cut(app, model="u2netp", **SOFTWARE)["backend"] == "webgl"


# What the page shows to a person, and takes away after some seconds.
KEEP_NOTICES = """
() => {
  window.shownNotices = []
  const bar = document.querySelector('.notices')
  const keep = () => window.shownNotices.push(...Array.from(bar.querySelectorAll('p'),
    (line) => line.checkVisibility() ? line.textContent : ''))
  new MutationObserver(keep).observe(bar, { childList: true, subtree: true })
}
"""
# From now on a run of ONNX Runtime ends like this.
AT_RUN = """
async (ending) => {
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name)
  const ort = await import(loaded.find((name) => name.includes('/ort.wasm.min.js')))
  ort.InferenceSession.prototype.run = () => {
    if (ending === 'closed') self.close()
    while (ending === 'hung') {}
    return new Promise(() => {})
  }
}
"""
# Nobody needs to wait for as long as the page does.
HURRY = """
() => {
  const later = window.setTimeout
  window.setTimeout = (run, delay_ms, ...given) =>
    later(run, delay_ms < 20_000 ? delay_ms : delay_ms / 10, ...given)
}
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("closed", "was stopped by the browser"),
        pytest.param("hung", "gave no answer in time", marks=pytest.mark.soak),
    ],
)
def test_a_worker_that_dies_or_hangs_in_a_run(
    browser: Browser, planless_site_dir: Path, fault: str, told: str
) -> None:
    with visit(browser, planless_site_dir) as app:
        assert cut(app)["threads"] > 1
        app.page.evaluate(KEEP_NOTICES)
        app.page.evaluate(HURRY)
        inference_worker(app).evaluate(AT_RUN, fault)
        fields = cut(app)
        assert (fields["backend"], fields["threads"]) == ("wasm", 1)
        (notice,) = fields["notices"]
        assert told in notice
        assert notice.endswith("WebAssembly on one thread took over.")
        assert notice in app.page.evaluate("window.shownNotices")


def test_an_engine_that_runs_out_of_memory(browser: Browser, planless_site_dir: Path) -> None:
    with visit(browser, planless_site_dir) as app:
        cut(app)
        app.page.evaluate("window.gossamer.resetEngines()")
        states(app.page, "modnet")  # starts a worker, with no engine in it yet
        inference_worker(app).evaluate(
            "() => { WebAssembly.Memory.prototype.grow = () => { throw new RangeError() } }"
        )
        fields = cut(app)
        assert (fields["backend"], fields["threads"]) == ("wasm", 1)
        (notice,) = fields["notices"]
        assert re.match(r"WebAssembly on \d threads ran out of memory\. WebAssembly on one", notice)


@pytest.mark.soak
def test_a_worker_is_recycled_between_photos(browser: Browser, planless_site_dir: Path) -> None:
    with visit(browser, planless_site_dir) as app:
        cut(app, model="modnet")
        before = inference_worker(app).evaluate("performance.timeOrigin")
        runs = app.page.evaluate(
            """async () => {
              const pixels = new ImageData(64, 64)
              pixels.data.fill(200)
              for (let run = 0; run < 110; run++) {
                const { notices } = await window.gossamer.segmentForeground(pixels)
                if (notices.length) throw new Error(notices[0])
              }
              return 'all'
            }"""
        )
        assert runs == "all"
        assert inference_worker(app).evaluate("performance.timeOrigin") > before
