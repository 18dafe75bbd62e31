"""`gossamer export`"""

import argparse
import itertools
import sys
from pathlib import Path

from exporter.commands.networks import add_spec_argument, choose_network
from exporter.errors import ExporterError
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
        "--size", type=int, metavar="N", help="an input of N x N px (default: the catalogue's)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/models"),
        help="where the exported files go (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.pipeline import export_network, format_artefact

    names: list[str] = arguments.network
    for option in ("spec", "weights"):
        if getattr(arguments, option) and len(names) > 1:
            raise ExporterError(
                f"Expected one network with --{option}, received {', '.join(names)}."
            )
    choices = [choose_network(name, arguments.spec, arguments.weights) for name in names]
    for (network, local), backend in itertools.product(choices, arguments.backend):
        artefact = export_network(
            network,
            backend=backend,
            precision=arguments.precision,
            out_dir=arguments.out,
            local=local,
            size=(arguments.size, arguments.size) if arguments.size else None,
            report=TerminalReport(),
        )
        sys.stdout.write(format_artefact(artefact) + "\n")
        sys.stdout.flush()
    return 0
