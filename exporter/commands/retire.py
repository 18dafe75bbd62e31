"""`gossamer retire`"""

import argparse
from pathlib import Path

from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("retired"),
        help="a folder for the two files that take the place of the site on its host "
        "(default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.retired_site import retire_site

    folder = retire_site(arguments.out)
    TerminalReport()(f"Wrote {folder}: put both files where the site was", 0, 0)
    return 0
