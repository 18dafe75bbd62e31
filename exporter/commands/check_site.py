"""`gossamer check-site`"""

import argparse

from exporter.commands.stdout import print_out
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "url", metavar="URL", help="the site's folder, such as https://example.org/photos/"
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.site_check import check_site

    checked = check_site(arguments.url, TerminalReport())
    for finding in sorted(checked.findings, key=lambda one: one.kind != "fault"):
        print_out(f"{finding}\n")
    faults, advice = checked.count("fault"), checked.count("advice")
    print_out(
        f"{checked.root}: build {checked.version[:10]}, {checked.files} files,"
        f" {checked.bytes / 1e6:.1f} MB; faults: {faults}, advice: {advice}\n"
    )
    return 1 if faults else 0
