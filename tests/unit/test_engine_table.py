"""The table of engines in docs/benchmarks.md is the committed matrix, and nothing else."""

import json

from exporter.catalog import find_network
from tests.engines.matrix import NETWORKS
from tests.engines.table import COMMITTED, PAGE, render, table_in


def test_the_page_shows_the_committed_matrix() -> None:
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert table_in(PAGE.read_text(encoding="utf-8")) == render(document)


def test_the_matrix_has_every_engine_that_the_tests_drive() -> None:
    rows = json.loads(COMMITTED.read_text(encoding="utf-8"))["rows"]
    for network in NETWORKS:
        assert find_network(network)
        found = {(row["engine"], row["backend"]) for row in rows if row["network"] == network}
        assert found == {
            ("Chromium", "webgpu"),
            ("Chromium", "webgl"),
            ("Chromium", "wasm"),
            ("Firefox", "wasm"),
            ("WebKitGTK", "wasm"),
        }


def test_every_number_is_that_of_native_onnxruntime() -> None:
    rows = json.loads(COMMITTED.read_text(encoding="utf-8"))["rows"]
    assert max(row["max_difference"] for row in rows if row["precision"] == "fp32") < 1e-3
