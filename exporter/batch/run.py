"""The order of a run."""

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from exporter.batch.job import BatchJob, Engine, Outcome
from exporter.batch.places import Target, open_target
from exporter.batch.progress import Progress
from exporter.batch.sources import find_photos
from exporter.batch.summary import SUMMARY, Summary
from exporter.errors import BatchError
from exporter.finder import exported_networks
from exporter.report import Report, silent

__all__ = ["RECORD", "Sum", "run_batch"]

#: What the files in a target were made with.
RECORD = "gossamer-batch.json"


@dataclass(frozen=True)
class Sum:
    """How many photos: `skipped` were there before; `unsure`, of those that are done, have no clear
    subject."""

    done: int
    skipped: int
    failed: int
    unsure: int = 0


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
    ending = f"{job.cut.content}.{job.cut.extension}"
    photos = find_photos(source, job.target, ending, report=report)
    with target.held():
        names = _finished_names(target, job)
        skipped = [photo for photo in photos if photo.name in names]
        waiting = [photo for photo in photos if photo.name not in names]
        if waiting and job.find.key is None:  # once here, instead of by all workers at a time
            exported_networks(job.find, report=report)
        summary = Summary(target, skipped)
        progress = Progress(report, len(photos), len(skipped), interval_s=interval_s)
        failed = unsure = 0
        try:
            with closing(engine(waiting, job)) as outcomes:
                for outcome in outcomes:
                    summary.add(outcome)
                    failed += outcome.status == "failed"
                    unsure += outcome.is_unsure
                    progress.add(failed=outcome.status == "failed")
                    _tell_failure(outcome, report)
        finally:
            summary.write()
    return Sum(len(waiting) - failed, len(skipped), failed, unsure)


def _finished_names(target: Target, job: BatchJob) -> set[str]:
    """Of all files in the target, which are of this job. Raises BatchError."""
    record = job.record()
    try:
        names = target.names()
        if RECORD in names and names - {RECORD, SUMMARY}:  # a job that made nothing binds nobody
            _expect_equal(json.loads(target.read(RECORD)), record, job.target)
        else:
            target.write(RECORD, json.dumps(record, indent=2).encode())
    except BatchError:
        raise
    # File systems have errors of their own, without a common base.
    except Exception as error:
        raise BatchError(
            f"{job.target}: Expected a target that can be listed and written to, with a whole "
            f"{RECORD} or none: {error}"
        ) from error
    return names


def _expect_equal(before: dict[str, Any], record: dict[str, Any], target: str) -> None:
    """Files of two kinds in one folder could not be told apart."""
    changed = [
        f"{key} was {before.get(key)!r} and is {record.get(key)!r}"
        for key in sorted(before.keys() | record.keys())
        if before.get(key) != record.get(key)
    ]
    if changed:
        raise BatchError(
            f"{target}: Expected the options that its files were made with: {'; '.join(changed)}. "
            f"Name another target, or delete {RECORD} there to keep its files and go on with the "
            "new options."
        )


def _tell_failure(outcome: Outcome, report: Report) -> None:
    reason = (outcome.reason or "").partition("\n")[0]
    if outcome.status == "failed":
        report(reason if outcome.source in reason else f"{outcome.source}: {reason}")
    if outcome.stops:
        raise BatchError(f"{reason}. Make room: the same command goes on where this one stopped.")
