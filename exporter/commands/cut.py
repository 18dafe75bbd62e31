"""`gossamer cut`"""

import argparse
import sys
from pathlib import Path

from exporter.commands.networks import add_spec_argument, choose_network
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photo", nargs="+", type=Path, help="the files to cut out")
    parser.add_argument(
        "-o", "--out", required=True, type=Path, metavar="DIR", help="where the cut-outs go"
    )
    parser.add_argument(
        "--model",
        default="u2netp",
        metavar="NETWORK",
        help="a name, or an ONNX file of your own with --spec (default: %(default)s)",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--format", choices=("png",), default="png", help="of the cut-outs (default: %(default)s)"
    )
    parser.add_argument(
        "--refine",
        default="default",
        metavar="OPTIONS",
        help="default, none, or the options as a JSON object (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.cut import cut_photos
    from exporter.exported import exported_file
    from exporter.native import NativeNetwork, parse_refinement

    report = TerminalReport()
    refinement = parse_refinement(arguments.refine)
    network, local = choose_network(arguments.model, arguments.spec)
    failures = cut_photos(
        arguments.photo,
        arguments.out,
        NativeNetwork(network, exported_file(network, local=local, report=report)),
        refinement,
        extension=arguments.format,
        report=report,
    )
    for failure in failures:
        sys.stderr.write(f"gossamer: {failure.reason}\n")
    return 1 if failures else 0
