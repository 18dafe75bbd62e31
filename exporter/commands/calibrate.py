"""`gossamer calibrate`"""

import argparse
import sys
from pathlib import Path

from exporter.commands.networks import add_spec_argument, choose_network
from exporter.report import TerminalReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "network", help="a name that `gossamer models` lists, or an ONNX file of your own"
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
        type=int,
        default=0,
        metavar="COUNT",
        help="how many of them give the ranges (default: all)",
    )
    parser.add_argument(
        "--sweep-photos",
        type=int,
        default=3,
        metavar="COUNT",
        help="how many each unit is quantised on alone (default: %(default)s)",
    )
    parser.add_argument(
        "--search-photos",
        type=int,
        default=12,
        metavar="COUNT",
        help="how many each choice is measured on (default: %(default)s)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=0.0015,
        metavar="DIFFERENCE",
        help="what int8 may change in the matte, as a mean of 0..1 (default: %(default)s)",
    )
    parser.add_argument(
        "--most-bytes",
        type=int,
        default=0,
        metavar="BYTES",
        help="store weights in fewer bits where the file would be larger (default: any size)",
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
    from exporter.calibration import CALIBRATIONS, write_calibration

    network, local = choose_network(arguments.network, arguments.spec, arguments.weights)
    calibration = calibrate_network(
        network,
        arguments.calibration,
        Settings(
            range_photos=arguments.photos,
            sweep_photos=arguments.sweep_photos,
            search_photos=arguments.search_photos,
            budget=arguments.budget,
            most_bytes=arguments.most_bytes,
        ),
        local=local,
        report=TerminalReport(),
    )
    path = write_calibration(calibration, arguments.out or CALIBRATIONS)
    sys.stdout.write(f"{format_calibration(calibration)}\n{path}\n")
    return 0
