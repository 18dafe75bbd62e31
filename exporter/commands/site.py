"""`gossamer site`"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.catalog import SHIPPED
from exporter.commands.numbers import whole_number
from exporter.report import TerminalReport

if TYPE_CHECKING:
    from exporter.site_models import SiteChoices

__all__ = ["add_arguments", "add_choices", "choices_of", "run"]


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Which networks, and what of each."""
    parser.add_argument(
        "--model",
        action="append",
        metavar="NETWORK",
        help="a name that `gossamer models` lists; the first one is the default (default: "
        f"{' and '.join(SHIPPED)})",
    )
    parser.add_argument(
        "--precision",
        default="auto",
        choices=("auto", "fp32", "int8"),
        help="on WASM: int8 is smaller, fp32 as exact as published, auto what the "
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
        type=whole_number(1),
        metavar="N",
        help="networks of N x N px, a multiple of 32, in place of their own size: their time goes "
        "with its square, and U2-Net-P loses little down to 256",
    )


def choices_of(arguments: argparse.Namespace) -> "SiteChoices":
    """What `add_choices` has asked for, but for the networks' names."""
    from exporter.site_models import SiteChoices

    return SiteChoices(
        backends=tuple(dict.fromkeys(arguments.backend)),
        precision=arguments.precision,
        size=(arguments.size, arguments.size) if arguments.size is not None else None,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choices(parser)
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
    from exporter.bundle import check_target, write_bundle
    from exporter.site import build_site

    choices = choices_of(arguments)
    networks = arguments.model or SHIPPED
    report = TerminalReport()
    if arguments.bundle:
        check_target(arguments.out, arguments.bundle)
    site = build_site(networks, arguments.out, choices=choices, report=report)
    if arguments.bundle:
        bundle = write_bundle(site, arguments.bundle)
        report(f"Wrote {bundle} ({bundle.stat().st_size / 1e6:.1f} MB)", 0, 0)
    return 0
