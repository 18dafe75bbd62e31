"""Our own engine in real Chromium, and what takes over where it fails for real. The page has loaded
another network by itself."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from exporter.js_modules import short_hash

from .app import ApiError, App, wait_until
from .test_backends import HURRY, cut, inference_worker, visit

OURS = {"model": "u2netp", "backend": "wasm"}


def engines(page: Page) -> list[tuple[str, str]]:
    report: dict[str, Any] = page.evaluate("window.gossamer.inspectEngines({ model: 'u2netp' })")
    return [
        (re.sub(r"\d threads", "threads", engine["title"]), engine["state"])
        for engine in report["engines"]
        if engine["backend"] == "wasm"
    ]


def changed(site: Path, folder: Path, pattern: str, change: Callable[[Path], object]) -> Path:
    """A copy of a site in which every file that fits was changed, under names that say so."""
    copy = shutil.copytree(site, folder / "site")
    found = [*copy.glob(pattern)]
    assert found
    (build,) = (copy / "js").glob("build.*.js")
    for path in found:
        change(path)
        if path.exists():
            name = re.sub(r"\.[0-9a-f]{10}\.", f".{short_hash(path.read_bytes())}.", path.name)
            build.write_text(build.read_text().replace(path.name, name))
            path.rename(path.with_name(name))
    return copy


@pytest.mark.soak  # tests/engines/ sees the same, and the last test here what is fetched
def test_it_comes_first(browser: Browser, small_site_dir: Path) -> None:
    with visit(browser, small_site_dir) as app:
        fields = cut(app, **OURS)
        assert (fields["backend"], fields["precision"], fields["notices"]) == ("wasm", "fp32", [])
        assert fields["threads"] > 1
        assert engines(app.page) == [
            ("WebAssembly on threads", "passed"),
            ("WebAssembly on one thread", "untried"),
            ("ONNX Runtime on threads", "untried"),
            ("ONNX Runtime on one thread", "untried"),
        ]


@pytest.mark.soak
def test_a_kernel_that_does_not_arrive(
    browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    site = changed(small_site_dir, tmp_path, "wasm/winograd*.wasm", Path.unlink)
    with visit(browser, site) as app:
        fields = cut(app, **OURS)
        assert (fields["backend"], fields["threads"] > 1) == ("wasm", True)
        (notice,) = fields["notices"]
        assert re.search(r"WebAssembly on \d threads could not be fetched", notice)
        assert re.search(r"ONNX Runtime on \d threads took over\.$", notice)
        assert ("WebAssembly on threads", "untried") in engines(app.page)


@pytest.mark.soak
def test_a_kernel_that_is_damaged(browser: Browser, small_site_dir: Path, tmp_path: Path) -> None:
    def damage(path: Path) -> None:
        path.write_bytes(path.read_bytes()[:5000])

    site = changed(small_site_dir, tmp_path, "wasm/winograd*.wasm", damage)
    with visit(browser, site) as app:
        (notice,) = cut(app, **OURS)["notices"]
        assert "could not be started" in notice
        assert re.search(r"ONNX Runtime on \d threads took over\.$", notice)
        assert ("WebAssembly on threads", "failed") in engines(app.page)


# f32x4.pmax, by which a Relu ends, and f32x4.pmin.
PMAX, PMIN = b"\xfd\xeb\x01", b"\xfd\xea\x01"


@pytest.mark.parametrize(
    "site", [pytest.param("small_site_dir", marks=pytest.mark.soak), "site_dir"]
)
def test_a_kernel_that_computes_something_else(
    browser: Browser, request: pytest.FixtureRequest, tmp_path: Path, site: str
) -> None:
    """Told by a picture of the network's own size, and by one of half that where it is large."""

    def damage(path: Path) -> None:
        assert PMAX in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(PMAX, PMIN))

    copy = changed(request.getfixturevalue(site), tmp_path, "wasm/winograd*.wasm", damage)
    with visit(browser, copy) as app:
        assert cut(app, **OURS)["backend"] == "wasm"
        states = dict(engines(app.page))
        assert states["WebAssembly on threads"] == "failed"
        assert states["ONNX Runtime on threads"] == "passed"
        found = app.page.evaluate("window.gossamer.inspectEngines({ model: 'u2netp' })")
        assert any("computes wrong numbers" in one["reason"] for one in found["engines"])


@pytest.mark.soak
def test_a_plan_that_is_damaged(browser: Browser, small_site_dir: Path, tmp_path: Path) -> None:
    def damage(path: Path) -> None:
        numbers = np.frombuffer(path.read_bytes(), "<i4").copy()
        numbers[16 + 28 + 1] ^= 1  # whether the second step ends with a Relu
        path.write_bytes(numbers.tobytes())

    site = changed(small_site_dir, tmp_path, "wasm/*.plan", damage)
    with visit(browser, site) as app:
        (notice,) = cut(app, **OURS)["notices"]
        assert "this is no plan of a network, or a damaged one" in notice
        assert re.search(r"ONNX Runtime on \d threads took over\.$", notice)


@pytest.mark.soak
def test_a_thread_that_does_not_start(
    browser: Browser, small_site_dir: Path, tmp_path: Path
) -> None:
    site = changed(small_site_dir, tmp_path, "js/workers/winograd-thread.*.js", Path.unlink)
    with visit(browser, site) as app:
        fields = cut(app, **OURS)
        assert fields["threads"] == 1
        (notice,) = fields["notices"]
        assert re.match(r"WebAssembly on \d threads could not be started", notice)
        assert notice.endswith("WebAssembly on one thread took over.")


@pytest.mark.soak
def test_memory_that_cannot_be_shared(browser: Browser, small_site_dir: Path) -> None:
    with visit(browser, small_site_dir) as app:
        cut(app, **OURS)
        app.page.evaluate("window.gossamer.resetEngines()")
        engines(app.page)  # starts a worker, with no engine in it yet
        inference_worker(app).evaluate(
            """() => {
              const { instantiate } = WebAssembly
              WebAssembly.instantiate = (module, imports) => {
                const { buffer } = imports.env.memory
                if (buffer instanceof ArrayBuffer) return instantiate(module, imports)
                throw new RangeError('WebAssembly.Memory(): could not allocate memory')
              }
            }"""
        )
        fields = cut(app, **OURS)
        assert fields["threads"] == 1
        (notice,) = fields["notices"]
        assert re.match(r"WebAssembly on \d threads ran out of memory\. WebAssembly on one", notice)


@pytest.mark.soak
def test_a_run_that_never_ends(browser: Browser, small_site_dir: Path) -> None:
    with visit(browser, small_site_dir) as app:
        assert cut(app, **OURS)["threads"] > 1
        app.page.evaluate(HURRY)
        # The first thing that a run does: the threads share its memory.
        inference_worker(app).evaluate(
            """() => {
              const { set } = Float32Array.prototype
              Float32Array.prototype.set = function (...given) {
                while (this.buffer instanceof SharedArrayBuffer) {}
                return set.apply(this, given)
              }
            }"""
        )
        fields = cut(app, **OURS)
        assert fields["threads"] == 1
        (notice,) = fields["notices"]
        assert "gave no answer in time" in notice
        assert notice.endswith("WebAssembly on one thread took over.")


@pytest.mark.soak
def test_an_engine_that_another_build_has_changed_is_proven_anew(
    browser: Browser, small_site_dir: Path
) -> None:
    with visit(browser, small_site_dir) as app:
        cut(app, **OURS)
        stored = "Object.keys(localStorage).find((key) => key.startsWith('gossamer-engines'))"
        app.page.evaluate(
            f"""() => {{
              const key = {stored}
              const text = localStorage.getItem(key)
              localStorage.setItem(key, text.replaceAll('winograd-threads.', 'winograd-threads.0'))
            }}"""
        )
        app.page.reload()
        wait_until(app.page, "Boolean(window.gossamer)")
        cut(app, **OURS)
        text = app.page.evaluate(f"localStorage.getItem({stored})")
        of_network = r"[0-9a-f]{10}\.wasm wasm/u2netp\."
        assert len(re.findall(rf"winograd-threads\.{of_network}", text)) == 1
        assert len(re.findall(rf"winograd-threads\.0{of_network}", text)) == 1


def test_a_photo_waits_for_what_resizes_it(
    browser: Browser, quick_site_dir: Path, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden"
    site = changed(quick_site_dir, tmp_path, "wasm/lanczos*.wasm", lambda path: path.rename(hidden))
    with visit(browser, site) as app:
        with pytest.raises(ApiError) as refusal:
            cut(app)
        fields = refusal.value.fields
        assert (fields["code"], fields["stage"]) == ("model_unavailable", "preprocess")
        assert "What resizes photos could not be loaded: the site answered 404" in fields["message"]
        (name,) = (path.name for path in (quick_site_dir / "wasm").glob("lanczos*.wasm"))
        hidden.rename(site / "wasm" / name)
        assert cut(app)["notices"] == []


def test_a_site_that_needs_no_other_engine_fetches_none(page: Page, quick_server: str) -> None:
    app = App(page, quick_server).open()
    assert cut(app)["notices"] == []
    loaded = inference_worker(app).evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => name)"
    )
    assert any("/winograd-threads." in name for name in loaded)
    assert not any("onnxruntime-web" in name for name in loaded)
