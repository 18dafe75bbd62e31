"""Which network a command is about: one of the catalogue, or a file with a specification."""

import argparse
from pathlib import Path

from exporter.catalog import Network, choose_network
from exporter.errors import ExporterError

__all__ = ["add_spec_argument", "choose_networks", "parse_size"]


def add_spec_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spec",
        type=Path,
        metavar="TOML",
        help="describes a network of your own: written as an entry of models/catalog.toml, with "
        "[input] and [output]",
    )


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) of `N` or `HEIGHTxWIDTH`."""
    height, is_pair, width = text.partition("x")
    try:
        size = int(height), int(width if is_pair else height)
    except ValueError:
        size = 0, 0
    if min(size) < 1:
        raise argparse.ArgumentTypeError(
            f"Expected N or HEIGHTxWIDTH in whole pixels, received {text!r}."
        )
    return size


def choose_networks(
    names: list[str], spec: Path | None, weights: Path | None
) -> list[tuple[Network, Path | None]]:
    """Several of the catalogue, or one with a specification or a file. Raises ExporterError."""
    for option, value in (("spec", spec), ("weights", weights)):
        if value and len(names) > 1:
            raise ExporterError(
                f"Expected one network with --{option}, received {', '.join(names)}."
            )
    return [choose_network(name, spec, weights) for name in names]
