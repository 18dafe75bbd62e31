"""`gossamer serve`"""

import argparse
from pathlib import Path

from exporter.commands.stdout import print_out

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dist",
        type=Path,
        metavar="DIR",
        default=Path("dist"),
        help="the folder of the site (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=8000, metavar="PORT", help="(default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    from exporter.serve import make_server

    with make_server(arguments.dist, arguments.port) as server:
        print_out(f"Gossamer is at {server.url} (Ctrl+C stops it)\n")
        server.serve_forever()
    return 0
