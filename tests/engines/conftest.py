"""Collects the support matrix of the run, writes it, and compares it with the README's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .drivers import Engine
from .matrix import Row
from .table import COMMITTED, MEASURED, keys

ORDER = ("webgpu", "webgl", "wasm")


class Matrix:
    """What was measured, and what engines say that they lack."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._missing: dict[str, list[str]] = {}

    def add(self, row: Row) -> None:
        self._rows.append(row)

    def lacks(self, engine: Engine, missing: list[str]) -> None:
        self._missing[engine.name] = missing

    def document(self) -> dict[str, Any]:
        rows = sorted(self._rows, key=lambda row: (row.engine, ORDER.index(row.backend)))
        return {"rows": [row.to_dict() for row in rows], "missing": self._missing}


@pytest.fixture(scope="session")
def matrix() -> Iterator[Matrix]:
    matrix = Matrix()
    yield matrix
    document = matrix.document()
    if document["rows"]:
        MEASURED.parent.mkdir(exist_ok=True)
        MEASURED.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    # A run of some tests only has some of the rows.
    unknown = keys(document) - keys(json.loads(COMMITTED.read_text(encoding="utf-8")))
    assert not unknown, f"the README's table says nothing of {unknown}: run `make matrix`"
