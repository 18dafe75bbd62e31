"""`gossamer calibrate`"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.networks import add_spec_argument, choose_networks
from exporter.commands.numbers import whole_number
from exporter.commands.stdout import print_out
from exporter.report import TerminalReport

if TYPE_CHECKING:
    from exporter.catalog import Int8Budget

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "network",
        nargs="+",
        help="names that `gossamer models` lists, or an ONNX file of your own with --spec",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--calibration",
        type=Path,
        required=True,
        metavar="DIR",
        help="photos of the kind that people will use",
    )
    parser.add_argument(
        "--photos",
        type=whole_number(0),
        default=100,
        metavar="COUNT",
        help="how many of them give the ranges, 0 for all (default: %(default)s)",
    )
    parser.add_argument(
        "--sweep-photos",
        type=whole_number(0),
        default=2,
        metavar="COUNT",
        help="how many each unit is quantised on alone (default: %(default)s)",
    )
    parser.add_argument(
        "--search-photos",
        type=whole_number(0),
        default=12,
        metavar="COUNT",
        help="how many each choice is measured on (default: %(default)s)",
    )
    budget = parser.add_argument_group("budget (default: the catalogue's or the specification's)")
    budget.add_argument(
        "--budget",
        type=float,
        metavar="DIFFERENCE",
        help="what int8 may change in the matte, 0..1: a mean without the most different tenth of "
        "the photos",
    )
    budget.add_argument(
        "--most-bytes",
        type=whole_number(0),
        metavar="BYTES",
        help="store weights in fewer bits where the file would be larger (0: any size)",
    )
    budget.add_argument(
        "--most-float-work",
        type=float,
        metavar="SHARE",
        help="of the network's work, 0..1: what may stay in float, where int8 saves no time",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="the network's ONNX file, instead of fetching"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where <network>.json goes (default: models/calibration)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.calibrate import Settings, calibrate_network, format_calibration
    from exporter.calibration import CALIBRATIONS, check_folder, write_calibration

    settings = Settings(
        range_photos=arguments.photos,
        sweep_photos=arguments.sweep_photos,
        search_photos=arguments.search_photos,
    )
    folder = arguments.out or CALIBRATIONS
    check_folder(folder)
    for network, local in choose_networks(arguments.network, arguments.spec, arguments.weights):
        calibration = calibrate_network(
            replace(network, int8=_budget(arguments, network.int8)),
            arguments.calibration,
            settings,
            local=local,
            report=TerminalReport(),
        )
        path = write_calibration(calibration, folder)
        print_out(f"{format_calibration(calibration)}\n{path}\n\n")
    return 0


def _budget(arguments: argparse.Namespace, default: "Int8Budget") -> "Int8Budget":
    chosen = {
        "difference": arguments.budget,
        "most_bytes": arguments.most_bytes,
        "most_float_work": arguments.most_float_work,
    }
    return replace(default, **{name: value for name, value in chosen.items() if value is not None})
