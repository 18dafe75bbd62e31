"""`gossamer`: one function a subcommand, and the table that names them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import ExporterError
from exporter.report import TerminalReport

__all__ = ["main"]


@dataclass(frozen=True)
class Command:
    """`add_arguments` declares the options, `run` does the work and returns the exit status."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


# ---- gossamer export -----------------------------------------------------------------------------


def _add_export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", help="a name that `gossamer models` lists")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="the network's ONNX file, instead of fetching it",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("build/models"),
        help="where the exported file goes (default: %(default)s)",
    )


def _run_export(arguments: argparse.Namespace) -> int:
    # Imported here: onnx and onnxruntime take a second, and `gossamer models` needs neither.
    from exporter.catalog import find_network
    from exporter.pipeline import export_network, format_artefact

    artefact = export_network(
        find_network(arguments.network),
        out_dir=arguments.out,
        local=arguments.weights,
        report=TerminalReport(),
    )
    _print(format_artefact(artefact))
    return 0


# ---- gossamer models -----------------------------------------------------------------------------


def _add_models_arguments(parser: argparse.ArgumentParser) -> None:
    del parser  # takes no options


def _run_models(arguments: argparse.Namespace) -> int:
    del arguments
    from exporter.catalog import format_networks, load_networks
    from exporter.origins import cached

    networks = load_networks().values()
    _print(format_networks({network: cached(network.part) for network in networks}))
    return 0


# ---- gossamer site -------------------------------------------------------------------------------


def _add_site_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        action="append",
        metavar="NETWORK",
        help="a name that `gossamer models` lists; the first one is the default (default: u2netp)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("dist"),
        help="the folder of the site, replaced when the new one is whole (default: %(default)s)",
    )


def _run_site(arguments: argparse.Namespace) -> int:
    from exporter.site import build_site

    build_site(arguments.model or ["u2netp"], arguments.out, report=TerminalReport())
    return 0


# ---- gossamer serve ------------------------------------------------------------------------------


def _add_serve_arguments(parser: argparse.ArgumentParser) -> None:
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


def _run_serve(arguments: argparse.Namespace) -> int:
    from exporter.serve import make_server

    with make_server(arguments.dist, arguments.port) as server:
        _print(f"Gossamer is at {server.url} (Ctrl+C stops it)")
        sys.stdout.flush()
        server.serve_forever()
    return 0


# ---- the table -----------------------------------------------------------------------------------

COMMANDS = (
    Command("models", "list the networks", _add_models_arguments, _run_models),
    Command("export", "make a network's file", _add_export_arguments, _run_export),
    Command("site", "build the site", _add_site_arguments, _run_site),
    Command("serve", "serve the site to this machine", _add_serve_arguments, _run_serve),
)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gossamer", description="Builds the site that cuts the subject out of a photo."
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.summary)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 1 with a message on stderr; argparse itself exits with 2."""
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except ExporterError as error:
        sys.stderr.write(f"gossamer: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return status
