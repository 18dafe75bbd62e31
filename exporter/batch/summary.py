"""What became of every photo, as a Parquet file in the target."""

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exporter.batch.job import Outcome, Photo
from exporter.batch.places import Target
from exporter.errors import BatchError

__all__ = ["SUMMARY", "Summary"]

SUMMARY = "gossamer-batch.parquet"

_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("seconds", pa.float64()),
        pa.field("height", pa.int32()),
        pa.field("width", pa.int32()),
        pa.field("bytes", pa.int64()),
        pa.field("model", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("attempts", pa.int32()),
        pa.field("worker", pa.string()),
    ]
)
_ROWS_PER_TABLE = 10_000


class Summary:
    """Collects outcomes in columns, a few hundred bytes each; those of `skipped`, which were there
    before, from the last summary of the target. Raises BatchError where that cannot be read."""

    def __init__(self, target: Target, skipped: Sequence[Photo]) -> None:
        known = _rows_of_last(target, skipped)
        names = set(known["target"].to_pylist())
        bare = [Outcome(*photo, "skipped") for photo in skipped if _utf8(photo.name) not in names]
        self._target = target
        self._tables = [known, _table(bare)]
        self._outcomes: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        if len(self._outcomes) == _ROWS_PER_TABLE:
            self._tables.append(_table(self._outcomes))
            self._outcomes = []

    def write(self) -> None:
        """Raises BatchError."""
        file = io.BytesIO()
        pq.write_table(pa.concat_tables([*self._tables, _table(self._outcomes)]), file)
        try:
            self._target.write(SUMMARY, file.getvalue())
        # File systems have errors of their own, without a common base.
        except Exception as error:
            raise BatchError(f"{SUMMARY}: Expected a target to write it to: {error}") from error


def _table(outcomes: Sequence[Outcome]) -> pa.Table:
    return pa.Table.from_pylist([_row(one) for one in outcomes], _SCHEMA)


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        name: _utf8(value) if isinstance(value, str) else value
        for name, value in asdict(outcome).items()
    }


def _utf8(text: str) -> str:
    """Bytes of a file's name that are no UTF-8 are escaped: Parquet cannot hold them."""
    return text.encode(errors="backslashreplace").decode()


def _rows_of_last(target: Target, skipped: Sequence[Photo]) -> pa.Table:
    if not (skipped and target.has(SUMMARY)):
        return _table([])
    try:
        table = pq.read_table(io.BytesIO(target.read(SUMMARY)), schema=_SCHEMA)
    except (OSError, ValueError) as error:
        raise BatchError(
            f"{SUMMARY}: Expected the summary of the last run in the target: {error}. Delete it: "
            "its files stay finished."
        ) from error
    there = pa.array([_utf8(photo.name) for photo in skipped], pa.string())
    finished = pc.and_(pc.is_in(table["target"], there), pc.not_equal(table["status"], "failed"))
    rows = table.filter(finished)
    return rows.set_column(
        rows.schema.get_field_index("status"),
        _SCHEMA.field("status"),
        pa.repeat("skipped", len(rows)),
    )
