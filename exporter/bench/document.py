"""What a run of the bench has measured, as JSON that another run can be compared with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from exporter.errors import BenchError
from exporter.writable import write_whole

__all__ = [
    "FORMAT",
    "PARTS",
    "Document",
    "Row",
    "format_comparison",
    "read_document",
    "write_document",
]

FORMAT = 1

#: What a run can measure.
PARTS = ("warm", "cold", "transfer", "network", "quality")


@dataclass(frozen=True)
class Row:
    """One contestant in one discipline: `times_ms` has every measured run, by stage, after
    `warm_ups` that are not in it. `values` holds what is no time: bytes, errors of alpha."""

    part: str
    contestant: str
    case: str
    times_ms: Mapping[str, Sequence[float]] = field(default_factory=dict)
    values: Mapping[str, float | str | None] = field(default_factory=dict)
    warm_ups: int = 0
    is_peer: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.part, self.contestant, self.case

    def median_ms(self, stage: str = "total") -> float | None:
        times = self.times_ms.get(stage)
        return median(times) if times else None


@dataclass(frozen=True)
class Document:
    """`about` says what the figures depend on: machine, browser, versions, hashes, start."""

    about: Mapping[str, Any]
    rows: Sequence[Row]

    def of_part(self, part: str) -> list[Row]:
        return [row for row in self.rows if row.part == part]


def write_document(document: Document, path: Path) -> None:
    """The file is there whole or not at all."""
    fields = {"format": FORMAT, **asdict(document)}
    write_whole(path, (json.dumps(fields, indent=1, allow_nan=False) + "\n").encode())


def read_document(path: Path) -> Document:
    """Raises BenchError."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["format"] != FORMAT:
            raise BenchError(
                f"{path}: Expected format {FORMAT}, received {fields['format']}. Measure again."
            )
        return Document(fields["about"], [Row(**row) for row in fields["rows"]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path}: Expected a file that `gossamer bench` wrote: {error}") from error


def format_comparison(before: Document, after: Document) -> str:
    """A line for each time that both have measured; above 1 `after` is faster. Absolute times of
    two runs say little; the peer's lines tell how far the machine itself has moved."""
    earlier = {row.key: row for row in before.rows}
    pairs = [
        (earlier[row.key], row)
        for row in after.rows
        if row.key in earlier and row.median_ms() and earlier[row.key].median_ms()
    ]
    if not pairs:
        return "Nothing that both have measured."
    width = max(len(_title(row)) for _, row in pairs)
    lines = [f"{'':{width}}{'before ms':>11}{'after ms':>11}{'ratio':>8}"]
    for old, new in pairs:
        old_ms, new_ms = old.median_ms() or 0.0, new.median_ms() or 1.0
        lines.append(f"{_title(new):{width}}{old_ms:11.0f}{new_ms:11.0f}{old_ms / new_ms:8.2f}")
    return "\n".join(lines)


def _title(row: Row) -> str:
    return f"{row.part}: {row.contestant}, {row.case}"
