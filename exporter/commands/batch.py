"""`gossamer batch`"""

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from exporter.addresses import told_address
from exporter.commands.cut_options import add_cut_arguments, cut_job, find_settings
from exporter.commands.numbers import whole_number
from exporter.errors import BatchError
from exporter.report import TerminalReport

if TYPE_CHECKING:
    from exporter.batch.job import Engine

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Cuts out photos by the thousand. A run that is repeated, or was cut off, goes on where it "
        "stopped: what has its name in TARGET is finished. TARGET also gets a summary, "
        "gossamer-batch.parquet, and the options, gossamer-batch.json."
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a folder, a pattern such as 'photos/*.jpg', or a text file with one path or address"
        " a line, and after a tab the name of its cut-out where it is to have one of its own;"
        " here, s3://, gs://, https:// and whatever fsspec reaches",
    )
    parser.add_argument(
        "target", metavar="TARGET", help="a folder: here, or in s3://, gs:// or az://"
    )
    parser.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="worker processes of this machine, or actors of a Ray cluster (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=whole_number(1),
        metavar="COUNT",
        help="each has the networks, on one thread, and one photo at a time (default: one for each"
        " core)",
    )
    parser.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="of a Ray cluster that runs: auto, or HOST:PORT (default: one on this machine, for"
        " this run)",
    )
    add_cut_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    _expect_packages()
    from exporter.batch.job import BatchJob
    from exporter.batch.run import run_batch
    from exporter.batch.summary import SUMMARY

    report = TerminalReport()
    job = BatchJob(find_settings(arguments), cut_job(arguments), arguments.target)
    try:
        total = run_batch(
            arguments.source,
            job,
            _engine(arguments),
            report=report,
            interval_s=0.2 if sys.stderr.isatty() else 5.0,
        )
    except KeyboardInterrupt:
        report("Stopped. The same command goes on where this one stopped.")
        raise
    report(
        f"Cut out: {total.done:,}. There before: {total.skipped:,}. Failed: {total.failed:,}. "
        f"To be checked, as the subject is not clear: {total.unsure:,}. "
        f"The list is {told_address(arguments.target).rstrip('/')}/{SUMMARY}"
    )
    return 1 if total.failed else 0


def _engine(arguments: argparse.Namespace) -> "Engine":
    """Raises BatchError."""
    if arguments.engine == "ray":
        from exporter.batch.on_ray import cut_on_ray

        return partial(cut_on_ray, workers=arguments.workers, address=arguments.ray_address)
    if arguments.ray_address:
        raise BatchError(
            f"Expected --engine ray with --ray-address {arguments.ray_address}, received --engine "
            f"{arguments.engine}."
        )
    from exporter.batch.local import core_count, cut_locally

    return partial(cut_locally, workers=arguments.workers or core_count())


def _expect_packages() -> None:
    try:
        import fsspec  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise BatchError(
            f"gossamer batch: Expected the packages that it needs beside the others: {error}. "
            "Run this in Gossamer's folder: pip install --editable '.[batch]'"
        ) from error
