"""What passes between a run and its workers: everything here can be pickled."""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from exporter.addresses import told_address, told_text
from exporter.confidence import is_unsure
from exporter.cut import CutJob
from exporter.errors import BatchError
from exporter.finder import FindSettings
from exporter.origins import sha256_of

__all__ = ["BatchJob", "Engine", "Outcome", "Photo"]


class Photo(NamedTuple):
    """`source` is a path or an address that fsspec knows, `name` that of the cut-out: its path in
    the target, with slashes."""

    source: str
    name: str


@dataclass(frozen=True)
class BatchJob:
    """What is made of every photo, and the address that the files go to."""

    find: FindSettings
    cut: CutJob
    target: str

    def record(self) -> dict[str, Any]:
        """What decides about the bytes of the files, as JSON has it: equal for equal jobs. Raises
        BatchError where a file that it needs is not there."""
        values = {**asdict(self.find), **asdict(self.cut)}
        if self.find.spec is not None and self.find.key is None:  # then the model is a file, too
            values["model"] = _sha256_of(Path(self.find.model))
        for name in ("spec", "backdrop"):  # the same file may lie elsewhere tomorrow
            if values[name] is not None:
                values[name] = _sha256_of(values[name])
        record: dict[str, Any] = json.loads(json.dumps(values))
        return record


def _sha256_of(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise BatchError(f"{path}: Expected a file that can be read: {error}") from error


@dataclass(frozen=True)
class Outcome:
    """What became of a photo: a row of the summary.

    `source` is its address as it may be told, `target` its name in the target, `reason` why it
    failed: a line, and perhaps more below. `seconds` are its worker's, `height` and `width` the
    photo's, upright, `bytes` the cut-out's; `model` is the network whose edges it has, `confidence`
    how sure the one that found the subject is of it, `worker` the host and the process. `stops`: no
    other photo would fare better.
    """

    source: str
    target: str
    status: Literal["done", "skipped", "failed"]
    reason: str | None = None
    seconds: float | None = None
    height: int | None = None
    width: int | None = None
    bytes: int | None = None
    model: str | None = None
    confidence: float | None = None
    attempts: int | None = None
    worker: str | None = None
    stops: bool = False

    def __post_init__(self) -> None:
        told = told_address(self.source)
        if self.reason is not None:
            reason = told_text(self.reason.replace(self.source, told))
            object.__setattr__(self, "reason", reason)
        object.__setattr__(self, "source", told)

    @property
    def is_unsure(self) -> bool:
        """Whether somebody should look at the cut-out."""
        return is_unsure(self.confidence)


#: Cuts the photos out in any order and tells what became of each when it ends. Closed before its
#: end, it leaves nothing half-written. Raises ExporterError where it cannot start.
Engine = Callable[[Sequence[Photo], BatchJob], Generator[Outcome]]
