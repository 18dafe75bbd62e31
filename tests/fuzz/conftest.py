"""How many inputs each entry was tried with: `build/fuzz.json`, and the end of pytest's report."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.web.conftest import run_js

__all__ = ["run_js"]  # a fixture

REPORT = Path(__file__).parents[2] / "build" / "fuzz.json"

Tried = Callable[[str, int], None]


@pytest.fixture(scope="session")
def tried(request: pytest.FixtureRequest) -> Tried:
    """`tried(entry, inputs)` adds to the report."""
    counts: dict[str, int] = {}

    def add(entry: str, inputs: int) -> None:
        counts[entry] = counts.get(entry, 0) + inputs
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(counts, indent=2) + "\n")

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if REPORT.exists():
        counts = json.loads(REPORT.read_text())
        terminalreporter.section("damaged and hostile inputs tried")
        for entry, inputs in counts.items():
            terminalreporter.line(f"{inputs:>9,}  {entry}")
