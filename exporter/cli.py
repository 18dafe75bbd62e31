"""`gossamer`: the table of its subcommands. What each of them does is in commands/."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exporter.commands import (
    batch,
    bench,
    calibrate,
    check_site,
    cut,
    evaluate,
    export,
    lib,
    models,
    retire,
    serve,
    site,
    verify,
)
from exporter.commands.interrupts import interrupt_on_sigterm
from exporter.errors import ExporterError, PictureError
from exporter.terminal import shown, shown_line

__all__ = ["main"]


@dataclass(frozen=True)
class Command:
    """`add_arguments` declares the options, `run` does the work and returns the exit status."""

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = (
    Command("models", "list the networks", models.add_arguments, models.run),
    Command("export", "make a network's file", export.add_arguments, export.run),
    Command("calibrate", "measure for int8", calibrate.add_arguments, calibrate.run),
    Command("cut", "cut photos out on this machine", cut.add_arguments, cut.run),
    Command("batch", "cut out photos by the thousand", batch.add_arguments, batch.run),
    Command("eval", "measure on labelled pictures", evaluate.add_arguments, evaluate.run),
    Command("bench", "measure the site beside a peer", bench.add_arguments, bench.run),
    Command("verify", "prove a file equal to its source", verify.add_arguments, verify.run),
    Command("site", "build the site", site.add_arguments, site.run),
    Command("retire", "take a site down or move it", retire.add_arguments, retire.run),
    Command("lib", "write a package for other sites", lib.add_arguments, lib.run),
    Command("check-site", "is a site whole on its host?", check_site.add_arguments, check_site.run),
    Command("serve", "serve the site to this machine", serve.add_arguments, serve.run),
)


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
    """Returns the exit status: 0, 1 with a message on stderr, or 130 where Ctrl+C or SIGTERM has
    stopped it; argparse itself exits with 2."""
    interrupt_on_sigterm()
    try:
        arguments = _parser().parse_args(argv)
        status: int = arguments.run(arguments)
    except ExporterError as error:
        # Of a picture's name comes the only new line that is none of ours.
        show = shown_line if isinstance(error, PictureError) else shown
        sys.stderr.write(f"gossamer: {show(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return status
