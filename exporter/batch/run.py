"""The order of a run."""

import json
from contextlib import closing
from dataclasses import dataclass

from exporter.batch.job import BatchJob, Engine, Outcome
from exporter.batch.places import Target, open_target
from exporter.batch.progress import Progress
from exporter.batch.sources import find_photos
from exporter.batch.summary import Summary
from exporter.errors import BatchError
from exporter.finder import exported_networks
from exporter.report import Report, silent

__all__ = ["RECORD", "Sum", "run_batch"]

#: What the files in a target were made with.
RECORD = "gossamer-batch.json"


@dataclass(frozen=True)
class Sum:
    """How many photos: `skipped` were there before."""

    done: int
    skipped: int
    failed: int


def run_batch(
    source: str,
    job: BatchJob,
    engine: Engine,
    *,
    report: Report = silent,
    interval_s: float = 5.0,
) -> Sum:
    """Cuts out what the target does not have yet, and writes the summary, also where it is
    interrupted. Raises ExporterError where nothing can be cut out, or no more."""
    target = open_target(job.target)
    job.cut.check_backdrop()
    photos = find_photos(source, job.target, f"{job.cut.content}.{job.cut.extension}")
    with target.held():
        names = _names(target, job)
        _check_record(target, job, names)
        skipped = [photo for photo in photos if photo.name in names]
        waiting = [photo for photo in photos if photo.name not in names]
        if waiting and not job.find.key:  # once here, instead of by every worker at the same time
            exported_networks(job.find.model, job.find.spec, job.find.precision, report=report)
        summary = Summary()
        progress = Progress(report, len(photos), len(skipped), interval_s=interval_s)
        failed = 0
        try:
            with closing(engine(waiting, job)) as outcomes:
                for outcome in outcomes:
                    summary.add(outcome)
                    failed += outcome.status == "failed"
                    progress.add(failed=outcome.status == "failed")
                    _tell_failure(outcome, report)
        finally:
            summary.write(target, skipped)
    return Sum(len(waiting) - failed, len(skipped), failed)


def _names(target: Target, job: BatchJob) -> set[str]:
    try:
        return target.names()
    # File systems have errors of their own, without a common base.
    except Exception as error:
        raise BatchError(f"{job.target}: Expected a target that can be listed: {error}") from error


def _check_record(target: Target, job: BatchJob, names: set[str]) -> None:
    """Files of two kinds in one folder could not be told apart."""
    record = job.record()
    if RECORD not in names:
        target.write(RECORD, json.dumps(record, indent=2).encode())
        return
    before = json.loads(target.read(RECORD))
    changed = [
        f"{key} was {before.get(key)!r} and is {record.get(key)!r}"
        for key in sorted(before.keys() | record.keys())
        if before.get(key) != record.get(key)
    ]
    if changed:
        raise BatchError(
            f"{job.target}: Expected the options that its files were made with: "
            f"{'; '.join(changed)}. Name another target, or delete {RECORD} there to keep its "
            "files and go on with the new options."
        )


def _tell_failure(outcome: Outcome, report: Report) -> None:
    reason = (outcome.reason or "").partition("\n")[0]
    if outcome.status == "failed":
        report(reason if outcome.source in reason else f"{outcome.source}: {reason}")
    if outcome.stops:
        raise BatchError(f"{reason}. Make room: the same command goes on where this one stopped.")
