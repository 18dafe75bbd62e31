"""Renders the matrix of engines into docs/benchmarks.md: `make matrix`."""

import json
import shutil
from pathlib import Path
from typing import Any

from exporter.catalog import find_network

from .matrix import NETWORKS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
#: What the last run has measured, and what the page shows.
MEASURED = ROOT / "build" / "engines.json"
COMMITTED = Path(__file__).parent / "matrix.json"

_START, _END = "<!-- engines: make matrix writes this -->", "<!-- engines: end -->"
_KEYS = ("engine", "backend", "precision", "threads", "network")
_BACKENDS = {"webgpu": "WebGPU", "webgl": "WebGL", "wasm": "WASM"}


def render(document: dict[str, Any]) -> str:
    """The table as Markdown, a line for each way to run networks that an engine has or lacks."""
    titles = [find_network(name).title for name in NETWORKS]
    lines = [f"| engine | backend | {' | '.join(titles)} |", "|---" * (2 + len(titles)) + "|"]
    for engine in dict.fromkeys(row["engine"] for row in document["rows"]):
        rows = [row for row in document["rows"] if row["engine"] == engine]
        title = f"{engine} {_short(rows[0]['version'])}"
        for backend in dict.fromkeys(map(_backend, rows)):
            cells = {row["network"]: _cell(row) for row in rows if _backend(row) == backend}
            values = " | ".join(cells.get(name, "") for name in NETWORKS)
            lines.append(f"| {title} | {backend} | {values} |")
        for missing in document["missing"].get(engine, []):
            backend, _, reason = missing.partition(": ")
            lines.append(f"| {title} | {backend} | {reason} |" + " |" * (len(titles) - 1))
    return "\n".join(lines)


def keys(document: dict[str, Any]) -> set[tuple[Any, ...]]:
    """What a matrix says, without times, digits and versions."""
    rows = {tuple(row[key] for key in _KEYS) for row in document["rows"]}
    return rows | {(name, text) for name, texts in document["missing"].items() for text in texts}


def table_in(page: str) -> str:
    """The table that stands in the page."""
    return page.partition(_START)[2].partition(_END)[0].strip()


def main() -> None:
    shutil.copyfile(MEASURED, COMMITTED)
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(_START)
    table = render(json.loads(COMMITTED.read_text(encoding="utf-8")))
    tail = rest.partition(_END)[2]
    PAGE.write_text(f"{head}{_START}\n\n{table}\n\n{_END}{tail}", encoding="utf-8")


def _backend(row: dict[str, Any]) -> str:
    if row["backend"] == "wasm":
        return "WASM, threads" if row["threads"] > 1 else "WASM, one thread"
    return f"{_BACKENDS[row['backend']]} {row['precision']}, SwiftShader"


def _short(version: str) -> str:
    major, minor, *_ = version.split(".")
    return major if int(major) > 9 else f"{major}.{minor}"


def _cell(row: dict[str, Any]) -> str:
    return f"{row['max_difference']:.0e}, {row['infer_ms']:,.0f} ms"


if __name__ == "__main__":
    main()
