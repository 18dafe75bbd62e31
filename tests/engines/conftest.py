"""Collects the support matrix of the run."""

from typing import Any

import pytest

from .drivers import Engine
from .matrix import Row

_ORDER = ("webgpu", "webgl", "wasm")


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
        rows = sorted(self._rows, key=lambda row: (row.engine, _ORDER.index(row.backend)))
        return {"rows": [row.to_dict() for row in rows], "missing": self._missing}


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    return Matrix()
