"""`gossamer lib`"""

import argparse
from pathlib import Path

from exporter.catalog import SHIPPED
from exporter.commands import site
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    site.add_choices(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/lib/gossamer"),
        help="the package's folder, replaced when the new one is whole (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.library import build_library

    choices = site.choices_of(arguments)
    build_library(
        arguments.model or SHIPPED, arguments.out, choices=choices, report=TerminalReport()
    )
    return 0
