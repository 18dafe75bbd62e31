"""`gossamer verify`"""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.catalog import choose_network
from exporter.commands.networks import add_spec_argument, parse_size
from exporter.commands.numbers import finite_number
from exporter.commands.stdout import print_out
from exporter.report import TerminalReport

if TYPE_CHECKING:
    import onnx

    from exporter.verification.proof import Bounds, Proof
    from exporter.verification.subject import Subject

__all__ = ["add_arguments", "run"]

_NATIVE = "native"
_WEB = ("wasm", "webgl", "webgpu")
_OWN_ENGINE = "winograd"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="any ONNX file with one picture as its input; without it, --network is exported for "
        "each backend and that is verified",
    )
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument(
        "--source",
        type=Path,
        metavar="FILE",
        help="the ONNX file that it was made from (default: the file itself, native)",
    )
    origin.add_argument(
        "--network",
        metavar="NAME",
        help="the source: a name that `gossamer models` lists, or an ONNX file with --spec",
    )
    add_spec_argument(parser)
    parser.add_argument(
        "--precision",
        default="fp32",
        metavar="P",
        help="what --network is exported in, without a FILE (default: %(default)s)",
    )
    parser.add_argument(
        "--against",
        metavar="P|FILE",
        help="compare the speed in a browser, in one page, with another precision of --network or "
        "another ONNX file that takes the same input",
    )
    parser.add_argument(
        "--backend",
        nargs="+",
        choices=(_NATIVE, *_WEB, _OWN_ENGINE),
        help="winograd is our own engine on wasm (default: native, and the one in the file's name "
        "or all of ONNX Runtime Web; int8 runs on wasm alone)",
    )
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="the pictures (default: two of our own)"
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        metavar="N|HxW",
        help="height and width in px, for inputs that leave them open; the software GPU is slow "
        "above 128",
    )
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="write index.html and verify.json there"
    )
    parser.add_argument(
        "--gpu", action="store_true", help="use this machine's GPU, not Chromium's software one"
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        default=300,
        metavar="S",
        help="for each backend, in seconds (default: %(default)s)",
    )
    bounds = parser.add_argument_group("bounds (default: by the file, wider for int8 and fp16)")
    for name, of_what in (
        ("--max-difference", "of any pixel of 0..1"),
        ("--mean-difference", "over all pixels"),
        ("--min-iou", "of the binarised mattes"),
    ):
        bounds.add_argument(name, type=finite_number, metavar="X", help=of_what)


def run(arguments: argparse.Namespace) -> int:
    """0 where every bound holds, else 1."""
    from exporter.errors import VerifyError
    from exporter.verification.report import format_proof, write_report

    if not arguments.file and not arguments.network:
        raise VerifyError("Expected a FILE to verify or --network NAME to export, received none.")
    proofs = []
    for proof in _prove_all(arguments):
        print_out(format_proof(proof) + "\n\n")
        proofs.append(proof)
    if arguments.report:
        print_out(f"Report: {write_report(proofs, arguments.report)}\n")
    return 0 if all(proof.holds for proof in proofs) else 1


def _prove_all(arguments: argparse.Namespace) -> Iterator["Proof"]:
    from exporter.verification.browser import open_lab
    from exporter.verification.golden import golden_inputs
    from exporter.verification.proof import prove

    report = TerminalReport()
    with contextlib.ExitStack() as stack:
        lab = None
        for subject, backends in _subjects(arguments):
            if lab is None and set(backends) - {_NATIVE}:
                lab = stack.enter_context(open_lab(with_gpu=arguments.gpu, report=report))
            yield prove(
                subject,
                golden_inputs(subject.input, arguments.photos),
                backends,
                lab=lab,
                bounds=_bounds(arguments, subject),
                time_limit_s=arguments.time_limit,
                report=report,
            )


def _bounds(arguments: argparse.Namespace, subject: "Subject") -> "Bounds":
    from exporter.verification.proof import bounds_of

    chosen = {
        "max": arguments.max_difference,
        "mean": arguments.mean_difference,
        "iou": arguments.min_iou,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    return replace(bounds_of(subject.artefact), **given)


def _subjects(arguments: argparse.Namespace) -> Iterator[tuple["Subject", list[str]]]:
    """What is verified, and on which backends."""
    return _file_subject(arguments) if arguments.file else _exported_subjects(arguments)


def _file_subject(arguments: argparse.Namespace) -> Iterator[tuple["Subject", list[str]]]:
    from exporter.source import read_source
    from exporter.verification.subject import read_model, subject_of

    artefact = read_model(arguments.file)
    network, source, source_name = None, None, "itself, native"
    if arguments.network:
        network, local = choose_network(arguments.network, arguments.spec)
        source = read_source(network, local=local, report=TerminalReport())
        source_name = f"{network.name} as published"
    elif arguments.source:
        source, source_name = read_model(arguments.source), arguments.source.name
    subject = subject_of(
        arguments.file.name,
        artefact,
        source,
        source_name=source_name,
        network=network,
        size=arguments.size,
    )
    backends = arguments.backend or _default_backends(subject)
    yield _with_rival(subject, arguments.against) if arguments.against else subject, backends


def _exported_subjects(arguments: argparse.Namespace) -> Iterator[tuple["Subject", list[str]]]:
    from exporter.pipeline import export_network
    from exporter.precision import PRECISIONS
    from exporter.source import read_source
    from exporter.verification.subject import read_model, subject_of

    network, local = choose_network(arguments.network, arguments.spec)
    fitting = PRECISIONS.get(arguments.precision, _WEB)
    wanted = arguments.backend or [_NATIVE, *fitting]
    size = arguments.size

    def exported(backend: str, precision: str) -> tuple[str, "onnx.ModelProto"]:
        with tempfile.TemporaryDirectory(prefix="gossamer-export-") as folder:
            artefact = export_network(
                network,
                backend=backend,
                precision=precision,
                out_dir=Path(folder),
                local=local,
                size=size,
                report=TerminalReport(),
            )
            return artefact.path.name, read_model(artefact.path)

    for backend in [name for name in wanted if name != _NATIVE] or fitting[:1]:
        made_for = "wasm" if backend == _OWN_ENGINE else backend
        name, artefact = exported(made_for, arguments.precision)
        subject = subject_of(
            name,
            artefact,
            read_source(network, local=local),
            source_name=f"{network.name} as published",
            network=network,
            size=size,
        )
        if arguments.against in PRECISIONS:
            rival_name, rival = exported(made_for, arguments.against)
            subject = replace(subject, rival=rival, rival_name=rival_name)
        elif arguments.against:
            subject = _with_rival(subject, arguments.against)
        yield subject, [name for name in wanted if name in (_NATIVE, backend)]


def _with_rival(subject: "Subject", path: str) -> "Subject":
    from exporter.verification.subject import read_model

    return replace(subject, rival=read_model(Path(path)), rival_name=Path(path).name)


def _default_backends(subject: "Subject") -> list[str]:
    from exporter.verification.subject import is_quantised

    named = [backend for backend in _WEB if f".{backend}." in subject.name]
    if is_quantised(subject.artefact):
        named = ["wasm"]
    return [_NATIVE, *(named or _WEB)]
