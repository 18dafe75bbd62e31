"""`gossamer models`"""

import argparse

from exporter.commands.stdout import print_out

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # takes no options


def run(arguments: argparse.Namespace) -> int:
    del arguments
    from exporter.catalog import format_networks, load_networks
    from exporter.origins import cached

    networks = load_networks().values()
    table = format_networks({network: cached(network.part) for network in networks})
    print_out(table + "\n")
    return 0
