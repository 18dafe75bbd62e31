from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from exporter.serve import running
from tests.unit.exporter.graphs import graph_of, specification
from tests.unit.exporter.origin_server import Server
from tests.unit.exporter.small_photos import make_photos


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def disc(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A network that finds the same disc in every picture, and at once: its file and its
    specification."""
    folder = tmp_path_factory.mktemp("disc")
    graph = """
        disc (float[1, 3, 64, 64] picture) => (float[1, 1, 64, 64] matte)
        <float[1, 3, 1, 1] nothing = {0.0, 0.0, 0.0}>
        { empty = Conv (picture, nothing)
          matte = Add (empty, disc) }
    """
    model = graph_of(graph, weights={"disc": (1, 1, 64, 64)})
    y, x = np.mgrid[:64, :64] - 31.5
    disc_hw = np.clip((20 - np.hypot(y, x)) / 4 + 0.5, 0, 1).astype(np.float32)
    (weights,) = (one for one in model.graph.initializer if one.name == "disc")
    weights.CopyFrom(onnx.numpy_helper.from_array(disc_hw[None, None], "disc"))
    file, spec = folder / "disc.onnx", folder / "disc.toml"
    onnx.save(model, file)
    spec.write_text(specification(64, 64, "none"))
    return file, spec


@pytest.fixture(scope="session")
def few_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four and two in a folder among them, beside what are none."""
    folder = tmp_path_factory.mktemp("batch") / "photos"
    make_photos(folder, 4)
    make_photos(folder / "inner", 2)
    (folder / "notes.txt").write_text("no photo")
    (folder / ".hidden.jpg").write_text("no photo")
    return folder
