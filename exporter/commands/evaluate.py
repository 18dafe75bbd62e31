"""`gossamer eval`"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.commands.networks import add_spec_argument, choose_network
from exporter.report import TerminalReport

if TYPE_CHECKING:
    from exporter.catalog import Network
    from exporter.native import NativeNetwork

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="with manifest.csv: set,stem,image,gt,gt_kind")
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
        help="compare with another refinement of the same matte, or of that of --against",
    )
    parser.add_argument(
        "--second-look", action="store_true", help="run the network on the subject's box too"
    )
    parser.add_argument(
        "--against-second-look", action="store_true", help="compare with a second look"
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

    pairs = read_manifest(arguments.folder)
    wanted = arguments.set or []
    if unknown := sorted(set(wanted) - {pair.set for pair in pairs}):
        known = ", ".join(sorted({pair.set for pair in pairs}))
        raise EvaluationError(
            f"{arguments.folder}: Expected sets among {known}, received {', '.join(unknown)}."
        )
    network, local = choose_network(arguments.model, arguments.spec)
    choices = [(arguments.artefact, arguments.refine, arguments.second_look)]
    if arguments.against or arguments.against_refine or arguments.against_second_look:
        choices.append(
            (
                arguments.against or arguments.artefact,
                arguments.against_refine or arguments.refine,
                arguments.against_second_look,
            )
        )
    networks = {artefact: _open(network, local, artefact) for artefact, *_ in choices}
    candidates = [
        Candidate(
            _label(network, artefact, refine, second_look),
            networks[artefact],
            parse_refinement(refine),
            second_look,
        )
        for artefact, refine, second_look in choices
    ]
    chosen = [pair for pair in pairs if not wanted or pair.set in wanted]
    evaluation = evaluate(chosen, candidates, report=TerminalReport())
    sys.stdout.write(format_evaluation(evaluation) + "\n")
    if arguments.json:
        _write(arguments.json, to_json(evaluation))
    return 0


def _open(network: "Network", local: Path | None, artefact: str | None) -> "NativeNetwork":
    from exporter.exported import exported_file
    from exporter.native import NativeNetwork
    from exporter.source import read_source

    report = TerminalReport()
    if artefact is None:
        return NativeNetwork(network, exported_file(network, local=local, report=report))
    if artefact == "source":
        return NativeNetwork(network, read_source(network, local=local, report=report))
    return NativeNetwork(network, Path(artefact))


def _label(network: "Network", artefact: str | None, refine: str, second_look: bool) -> str:
    file = network.name if artefact is None else Path(artefact).name
    refined = file if refine == "default" else f"{file}, refine {refine}"
    return f"{refined}, second look" if second_look else refined


def _write(path: Path, text: str) -> None:
    from exporter.errors import EvaluationError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"{path}: Expected a place to write to: {error}") from error
