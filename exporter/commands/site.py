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
        help="a name that `gossamer models` lists; the first one is the default (default: u2netp "
        "and modnet)",
    )
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "fp32", "int8"),
        help="on WASM: int8 is smaller and faster, fp32 as exact as published, auto what the "
        "catalogue says of each network (default: %(default)s)",
    )
    parser.add_argument(
        "--backend",
        nargs="+",
        default=["wasm", "webgpu"],
        choices=("wasm", "webgpu", "webgl"),
        help="what the networks may run on; a visitor fetches what runs on his device and nothing "
        "else (default: wasm webgpu)",
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="N",
        help="networks of N x N px in place of the published size, to try out slow GPUs",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("dist"),
        help="the folder of the site, replaced when the new one is whole (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.site import SiteChoices, build_site

    choices = SiteChoices(
        backends=tuple(dict.fromkeys(arguments.backend)),
        precision=arguments.precision,
        size=(arguments.size, arguments.size) if arguments.size else None,
    )
    networks = arguments.model or ["u2netp", "modnet"]
    build_site(networks, arguments.out, choices=choices, report=TerminalReport())
    return 0
