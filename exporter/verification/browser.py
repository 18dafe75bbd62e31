"""Runs a network with ONNX Runtime Web, or with our own engine, in real Chromium, on a page served
from this machine."""

import base64
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.catalog import load_runtime
from exporter.chromium import chromium_arguments, find_chromium
from exporter.errors import BackendError, ExporterError
from exporter.ort_web import RUNTIME_FILES, unpack_runtime
from exporter.report import Report, silent
from exporter.serve import make_server, running
from exporter.winograd.kernel import ENGINE, compile_kernels
from exporter.winograd.plan import plan_of

__all__ = ["OWN_ENGINE", "SOFTWARE_GPU", "BrowserLab", "WebRun", "open_lab"]

FloatArray = npt.NDArray[np.float32]

#: Beside the backends of ONNX Runtime Web; it runs files for WASM.
OWN_ENGINE = "winograd"

_PAGE = Path(__file__).parent / "page"
#: SwiftShader computes on the CPU what a graphics card would: slow, the same everywhere.
SOFTWARE_GPU = (
    "--enable-unsafe-webgpu",
    "--enable-unsafe-swiftshader",
    "--enable-features=Vulkan",
    "--use-webgpu-adapter=swiftshader",
)
_GPU = ("--enable-unsafe-webgpu", "--ignore-gpu-blocklist")


@dataclass(frozen=True)
class WebRun:
    """One output for each input. `runs_ms` are in their order: the first one compiles.

    `race_ms` and `rival_ms` are warm runs on the first input, in turn with those of the rival.
    """

    outputs: list[FloatArray]
    create_ms: float
    runs_ms: list[float]
    race_ms: list[float] = field(default_factory=list)
    rival_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class BrowserLab:
    """The page's folder and address. Every run gets a Chromium of its own, which it may crash."""

    folder: Path
    url: str
    with_gpu: bool

    def run(
        self,
        backend: str,
        contents: bytes,
        inputs: list[FloatArray],
        *,
        input_name: str,
        output_name: str,
        threads: int = 2,
        time_limit_s: float = 300,
        rival: bytes = b"",
        rounds: int = 9,
    ) -> WebRun:
        """Runs the ONNX file `contents` on inputs of one shape, and after that in turn with another
        one that takes the same; a rival of OWN_ENGINE runs in ONNX Runtime Web on WASM. Raises
        BackendError."""
        paths = [f"input-{index}.bin" for index in range(len(inputs))]
        (self.folder / "network.onnx").write_bytes(contents)
        for path, values in zip(paths, inputs, strict=True):
            (self.folder / path).write_bytes(values.astype("<f4").tobytes())
        job = {
            "backend": "wasm" if backend == OWN_ENGINE else backend,
            "model": "network.onnx",
            "inputs": paths,
            "dims": list(inputs[0].shape),
            "inputName": input_name,
            "outputName": output_name,
            "threads": threads,
            "timeLimitMs": 1000 * time_limit_s,
        }
        if backend == OWN_ENGINE:
            job |= {"plan": self._add_plan(contents)}
        if rival:
            (self.folder / "rival.onnx").write_bytes(rival)
            job |= {"rival": "rival.onnx", "rounds": rounds}
        answer = self._evaluate(backend, job)
        if "error" in answer:
            # The further lines are about a file format that this is not.
            reason = answer["error"].partition("\n")[0]
            raise BackendError(f"{backend}: Expected a network that it runs: {reason}")
        return WebRun(
            outputs=[_decode(output) for output in answer["outputs"]],
            create_ms=answer["createMs"],
            runs_ms=answer["runsMs"],
            race_ms=answer.get("raceMs", []),
            rival_ms=answer.get("rivalMs", []),
        )

    def _add_plan(self, contents: bytes) -> str:
        plan = plan_of(contents)
        if plan is None:
            raise BackendError(
                f"{OWN_ENGINE}: Expected a network that our own engine runs, received one with "
                "other operators, or too large. Leave it to wasm."
            )
        (self.folder / "plan").write_bytes(plan)
        kernel = self.folder / "winograd-threads.wasm"
        kernel.write_bytes(compile_kernels()["winograd-threads"])
        return "plan"

    def _evaluate(self, backend: str, job: dict[str, Any]) -> dict[str, Any]:
        # In a thread of its own: Playwright refuses one that has an event loop, as notebooks have.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._evaluate_here, backend, job).result()

    def _evaluate_here(self, backend: str, job: dict[str, Any]) -> dict[str, Any]:
        from playwright.sync_api import Error, sync_playwright

        arguments = chromium_arguments(*(_GPU if self.with_gpu else SOFTWARE_GPU))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=find_chromium(), args=arguments
                )
                try:
                    page = browser.new_page()
                    page.goto(self.url)
                    answer: dict[str, Any] = page.evaluate("(job) => window.runJob(job)", job)
                finally:
                    browser.close()
        except Error as error:
            message = error.message.splitlines()[0]
            raise BackendError(
                f"{backend}: Expected Chromium to run the page: {message}"
            ) from error
        return answer


@contextmanager
def open_lab(*, with_gpu: bool = False, report: Report = silent) -> Iterator[BrowserLab]:
    """Serves the page on loopback while the context is open.

    `with_gpu` takes this machine's graphics card in place of SwiftShader. Raises ExporterError.
    """
    try:
        import playwright  # noqa: F401
    except ImportError as error:
        raise ExporterError(
            "Expected Playwright, which drives the browser, and found none. "
            "Run this in Gossamer's folder: pip install --editable '.[verify]'"
        ) from error
    with tempfile.TemporaryDirectory(prefix="gossamer-verify-") as name:
        folder = Path(name)
        for path in _PAGE.iterdir():
            shutil.copyfile(path, folder / path.name)
        shutil.copyfile(ENGINE, folder / ENGINE.name)
        runtime = load_runtime()["onnxruntime-web"]
        unpack_runtime(runtime, RUNTIME_FILES, folder / "ort", report=report)
        with running(make_server(folder)) as server:
            yield BrowserLab(folder, server.url, with_gpu)


def _decode(output: dict[str, Any]) -> FloatArray:
    values = np.frombuffer(base64.b64decode(output["float32"]), "<f4")
    return values.reshape(output["dims"]).astype(np.float32)
