"""`gossamer site`"""

import argparse
from pathlib import Path

from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        action="append",
        metavar="NETWORK",
        help="a name that `gossamer models` lists; the first one is the default (default: u2netp)",
    )
    parser.add_argument(
        "--precision",
        default="fp32",
        choices=("fp32", "int8"),
        help="int8 is smaller and faster, fp32 as exact as published (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("dist"),
        help="the folder of the site, replaced when the new one is whole (default: %(default)s)",
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="also writes the site as one ZIP, which works from any folder of any static host",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.bundle import write_bundle
    from exporter.site import build_site

    report = TerminalReport()
    site = build_site(
        arguments.model or ["u2netp"],
        arguments.out,
        precision=arguments.precision,
        report=report,
    )
    if arguments.bundle:
        bundle = write_bundle(site, arguments.bundle)
        report(f"Wrote {bundle} ({bundle.stat().st_size / 1e6:.1f} MB)", 0, 0)
    return 0
