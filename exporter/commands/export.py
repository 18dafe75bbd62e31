"""`gossamer export`"""

import argparse
import itertools
from pathlib import Path

from exporter.commands.networks import add_spec_argument, choose_networks, parse_size
from exporter.commands.stdout import print_out
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "network",
        nargs="+",
        help="names that `gossamer models` lists, or an ONNX file of your own with --spec",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="the network's ONNX file, instead of fetching it",
    )
    parser.add_argument(
        "--backend",
        nargs="+",
        default=["wasm"],
        choices=("wasm", "webgl", "webgpu"),
        help="a file for each of them (default: wasm)",
    )
    parser.add_argument(
        "--precision",
        default="fp32",
        choices=("fp32", "int8", "fp16"),
        help="int8 is for wasm, fp16 for webgpu (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        metavar="N|HxW",
        help="the input's height and width in px (default: the catalogue's)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/models"),
        help="where the exported files go (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.calibrate import format_sizes
    from exporter.calibration import read_calibration
    from exporter.pipeline import export_network, format_artefact

    choices = choose_networks(arguments.network, arguments.spec, arguments.weights)
    for (network, local), backend in itertools.product(choices, arguments.backend):
        artefact = export_network(
            network,
            backend=backend,
            precision=arguments.precision,
            out_dir=arguments.out,
            local=local,
            size=arguments.size,
            report=TerminalReport(),
        )
        print_out(format_artefact(artefact) + "\n")
        if artefact.precision == "int8":
            print_out("\n".join(["", *format_sizes(read_calibration(network)), ""]))
    return 0
