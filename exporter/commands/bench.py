"""`gossamer bench`"""

import argparse
from pathlib import Path

from exporter.bench.document import PARTS, format_comparison, read_document, write_document
from exporter.commands.numbers import whole_number
from exporter.commands.stdout import print_out
from exporter.errors import BenchError
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="a photo to measure with, enlarged to each size",
    )
    parser.add_argument(
        "--part",
        nargs="+",
        choices=PARTS,
        help="what to measure (default: everything; quality where --eval names pictures)",
    )
    parser.add_argument(
        "--megapixels",
        nargs="+",
        type=int,
        choices=(1, 6, 12, 24),
        default=[1, 6, 12, 24],
        help="(default: all)",
    )
    parser.add_argument(
        "--rounds", type=whole_number(1), default=5, metavar="COUNT", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--eval",
        type=Path,
        metavar="DIR",
        dest="labelled",
        help="labelled pictures, as for `gossamer eval`, to measure quality beside speed",
    )
    parser.add_argument(
        "--every",
        type=whole_number(1),
        default=4,
        metavar="N",
        help="of the labelled pictures every N-th (default: %(default)s)",
    )
    parser.add_argument(
        "--no-peer",
        action="store_true",
        help="without the peer, which is installed by npm, several hundred megabytes",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench"),
        metavar="DIR",
        help="bench.json, index.html, and what is measured (default: %(default)s)",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("BEFORE", "AFTER"),
        help="measure nothing: compare two bench.json",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.compare:
        before, after = map(read_document, arguments.compare)
        print_out(format_comparison(before, after) + "\n")
        return 0

    from exporter.bench.report import format_document, write_page
    from exporter.bench.run import Plan, run_bench

    if arguments.picture is None:
        raise BenchError("Expected a photo to measure with: --picture FILE.")
    parts = arguments.part or [one for one in PARTS if one != "quality" or arguments.labelled]
    plan = Plan(
        picture=arguments.picture,
        folder=arguments.out,
        parts=parts,
        megapixels=sorted(set(arguments.megapixels)),
        rounds=arguments.rounds,
        with_peer=not arguments.no_peer,
        labelled=arguments.labelled,
        every=arguments.every,
    )
    document = run_bench(plan, report=TerminalReport())
    write_document(document, arguments.out / "bench.json")
    write_page(document, arguments.out / "index.html")
    print_out(format_document(document) + "\n")
    print_out(f"\nReport: {arguments.out / 'index.html'}\n")
    return 0
