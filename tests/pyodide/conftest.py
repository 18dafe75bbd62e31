"""The pinned Pyodide under Node, with the sources of pyside_logic as they are now."""

import json
import shutil
import subprocess
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exporter.catalog import load_runtime
from exporter.clang import compile_library
from exporter.origins import fetch

SOURCES = Path(__file__).parents[2] / "pyside_logic"
SESSION = Path(__file__).with_name("session.mjs")


class PyodideSession:
    """Runs Python in Pyodide. `shared` is a folder of this machine that Pyodide sees as /shared."""

    def __init__(self, process: "subprocess.Popen[str]", shared: Path) -> None:
        self._process = process
        self.shared = shared

    def run(self, code: str, **given: Any) -> Any:
        """What `code` returns, as JSON. `code` is the inside of an async function, in which `given`
        is a dict."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"code": textwrap.dedent(code).strip(), "given": given}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"Pyodide ended with {self._process.wait()}"
        reply = json.loads(line)
        assert "error" not in reply, reply["error"]
        return reply["answer"]

    def save(self, name: str, array: np.ndarray) -> str:
        """The path in Pyodide of `array` as an .npy file."""
        np.save(self.shared / name, array)
        return f"/shared/{name}"

    def load(self, name: str) -> np.ndarray:
        loaded: np.ndarray = np.load(self.shared / name)
        return loaded


@pytest.fixture(scope="session")
def pyodide_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official npm package, with the official NumPy wheel beside it under its own name."""
    runtime = load_runtime()
    folder = tmp_path_factory.mktemp("pyodide")
    with tarfile.open(fetch(runtime["pyodide"])) as archive:
        # Python before 3.11.4, such as Debian 12's, has no filters; the archive's hash is pinned.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder, **safely)
    package = folder / "package"
    lock = json.loads((package / "pyodide-lock.json").read_text())
    shutil.copyfile(fetch(runtime["numpy"]), package / lock["packages"]["numpy"]["file_name"])
    return package


@pytest.fixture(scope="session")
def python_in_pyodide(
    pyodide_package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PyodideSession]:
    node = shutil.which("node")
    assert node, "the Makefile provides Node"
    shared = tmp_path_factory.mktemp("shared")
    ours = shutil.copytree(SOURCES, tmp_path_factory.mktemp("ours") / SOURCES.name)
    compiled = ours / "compiled"
    (compiled / "loops.wasm").write_bytes(compile_library(compiled.glob("*.c")))
    with subprocess.Popen(
        [node, str(SESSION), str(pyodide_package), str(ours.parent), str(shared)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield PyodideSession(process, shared)
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=30) == 0
