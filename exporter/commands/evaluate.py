"""`gossamer eval`"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.catalog import Network, choose_network
from exporter.commands.networks import add_spec_argument
from exporter.commands.stdout import print_out
from exporter.report import TerminalReport
from exporter.terminal import shown_line

if TYPE_CHECKING:
    from exporter.native import NativeNetwork

__all__ = ["add_arguments", "run"]


# What the looks and the specialist of the other candidate are where no option names them.
_AS_THE_FIRST = (True, False, None)


@dataclass(frozen=True)
class _Choice:
    """What one candidate is made of, as the arguments name it."""

    artefact: str | None
    refine: str
    wider_look: bool
    second_look: bool
    specialist: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="with manifest.csv: set,stem,image,gt")
    parser.add_argument(
        "--model",
        default="u2netp",
        metavar="NETWORK",
        help="a name, or an ONNX file of your own with --spec (default: %(default)s)",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--artefact",
        metavar="FILE",
        help="a file of that network, or `source` for the published one (default: as exported)",
    )
    parser.add_argument(
        "--refine",
        default="default",
        metavar="OPTIONS",
        help="default, none, or the options as a JSON object (default: %(default)s)",
    )
    parser.add_argument(
        "--against",
        metavar="FILE",
        help="compare with another file of the network, or with `source`",
    )
    parser.add_argument(
        "--against-refine",
        metavar="OPTIONS",
        help="compare with another refinement of the same matte, or of that of --against: found "
        "with the same looks and specialist where no --against option names others",
    )
    parser.add_argument(
        "--no-wider-look",
        action="store_false",
        dest="wider_look",
        help="do not look for lost parts of the subject; a named file never does",
    )
    parser.add_argument(
        "--against-no-wider-look",
        action="store_false",
        dest="against_wider_look",
        help="compare with what is found without it",
    )
    parser.add_argument(
        "--second-look", action="store_true", help="run the network on the subject's box too"
    )
    parser.add_argument(
        "--against-second-look", action="store_true", help="compare with a second look"
    )
    parser.add_argument(
        "--specialist",
        metavar="NETWORK",
        help="take this network's edges where it agrees, as `auto` does on a site that ships it",
    )
    parser.add_argument(
        "--against-specialist", metavar="NETWORK", help="compare with what a specialist makes of it"
    )
    parser.add_argument(
        "--set", action="append", metavar="NAME", help="only this set of the folder"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write every score")


def run(arguments: argparse.Namespace) -> int:
    from exporter.errors import EvaluationError
    from exporter.evaluate import (
        Candidate,
        evaluate,
        format_evaluation,
        read_manifest,
        to_json,
    )
    from exporter.native import parse_refinement

    if arguments.json:
        _expect_place(arguments.json)
    pairs = read_manifest(arguments.folder)
    wanted = arguments.set or []
    if unknown := sorted(set(wanted) - {pair.set for pair in pairs}):
        known = ", ".join(sorted({pair.set for pair in pairs}))
        raise EvaluationError(
            f"{arguments.folder}: Expected sets among {known}, received {', '.join(unknown)}."
        )
    network, local = choose_network(arguments.model, arguments.spec)
    choices = _choices(arguments)
    networks = {
        (choice.artefact, choice.wider_look): _open(
            network, local, choice.artefact, wider_look=choice.wider_look
        )
        for choice in choices
    }
    specialists = {
        choice.specialist: _open(_specialist(choice.specialist), None, None)
        for choice in choices
        if choice.specialist
    }
    candidates = [
        Candidate(
            _label(network, choice),
            networks[choice.artefact, choice.wider_look],
            parse_refinement(choice.refine),
            choice.second_look,
            specialists.get(choice.specialist or ""),
        )
        for choice in choices
    ]
    chosen = [pair for pair in pairs if not wanted or pair.set in wanted]
    evaluation = evaluate(chosen, candidates, report=TerminalReport())
    if arguments.json:
        _write(arguments.json, to_json(evaluation))
    print_out(format_evaluation(evaluation) + "\n")
    for failure in evaluation.failures:
        sys.stderr.write(f"gossamer: {shown_line(failure)}\n")
    return 1 if evaluation.failures else 0


def _choices(arguments: argparse.Namespace) -> list[_Choice]:
    first = _Choice(
        arguments.artefact,
        arguments.refine,
        arguments.wider_look,
        arguments.second_look,
        arguments.specialist,
    )
    looks = (
        arguments.against_wider_look,
        arguments.against_second_look,
        arguments.against_specialist,
    )
    if looks == _AS_THE_FIRST:
        looks = first.wider_look, first.second_look, first.specialist
    other = _Choice(
        arguments.against or arguments.artefact,
        arguments.against_refine or arguments.refine,
        *looks,
    )
    return [first] if other == first else [first, other]


def _specialist(name: str) -> Network:
    """Raises EvaluationError for a network that is never asked."""
    from exporter.catalog import find_network, load_networks
    from exporter.errors import EvaluationError

    network = find_network(name)
    if network.agreement is None:
        known = ", ".join(one.name for one in load_networks().values() if one.agreement is not None)
        raise EvaluationError(
            f"{name}: Expected a specialist, which models/catalog.toml gives an `agreement`: "
            f"{known}. The edges of others are never taken."
        )
    return network


def _open(
    network: Network, local: Path | None, artefact: str | None, *, wider_look: bool = False
) -> "NativeNetwork":
    from exporter.exported import exported_file, wider_file
    from exporter.native import NativeNetwork
    from exporter.source import read_source

    report = TerminalReport()
    if artefact is None:
        file = exported_file(network, local=local, report=report)
        wider = wider_file(network, local=local, report=report) if wider_look else None
        return NativeNetwork(network, file, wider=wider)
    if artefact == "source":
        return NativeNetwork(network, read_source(network, local=local, report=report))
    return NativeNetwork(network, Path(artefact))


def _label(network: Network, choice: _Choice) -> str:
    words = [network.name if choice.artefact is None else Path(choice.artefact).name]
    if choice.specialist:
        words.append(f"or {choice.specialist}")
    if choice.refine != "default":
        words.append(f"refine {choice.refine}")
    if not choice.wider_look:
        words.append("no wider look")
    if choice.second_look:
        words.append("second look")
    return ", ".join(words)


def _expect_place(path: Path) -> None:
    """Before minutes of work are lost. Raises EvaluationError."""
    from exporter.errors import EvaluationError
    from exporter.writable import try_folder

    if path.is_dir():
        raise EvaluationError(f"{path}: Expected a file to write to, received a folder.")
    if path.exists() and not path.is_file():
        return  # a device
    try:
        try_folder(path.parent)
    except OSError as error:
        raise EvaluationError(f"{path}: Expected a place to write to: {error}") from error


def _write(path: Path, text: str) -> None:
    from exporter.errors import EvaluationError
    from exporter.writable import write_whole

    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise EvaluationError(f"{path}: Expected a place to write to: {error}") from error
