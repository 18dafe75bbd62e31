"""`gossamer cut`"""

import argparse
import sys
from pathlib import Path

from exporter.commands.cut_options import add_cut_arguments, cut_job, find_settings
from exporter.report import TerminalReport
from exporter.terminal import shown_line

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", nargs="+", type=Path, help="the files to cut out")
    parser.add_argument(
        "-o", "--out", required=True, type=Path, metavar="DIR", help="where the cut-outs go"
    )
    add_cut_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from exporter.cut import cut_photos
    from exporter.finder import finder_of

    report = TerminalReport()
    job = cut_job(arguments)
    find = finder_of(find_settings(arguments), report=report)
    told = cut_photos(arguments.photo, arguments.out, find, job, report=report)
    for photo in told.unsure:
        line = shown_line(f"{photo}: The subject is not clear: check its cut-out.")
        sys.stderr.write(f"gossamer: {line}\n")
    for failure in told.failures:
        sys.stderr.write(f"gossamer: {shown_line(failure.reason)}\n")
    return 1 if told.failures else 0
