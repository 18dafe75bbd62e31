"""The order of an export. What each step does is in passes/."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from exporter.catalog import Network
from exporter.errors import ExporterError, PassError
from exporter.origins import fetch
from exporter.passes import ceil_mode, fix_shapes, prune_outputs, raise_opset, simplify
from exporter.report import Report, silent
from exporter.verify import Difference, compare, run_network, sample_inputs

__all__ = ["Artefact", "Step", "export_network", "format_artefact"]

Rewrite = Callable[[onnx.ModelProto], onnx.ModelProto]

# What the same arithmetic in another order may change in a matte of range 0..1: a rounding error,
# a hundredth of what 8 bits can show.
MAX_DIFFERENCE = 4e-5
MEAN_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Step:
    """The graph after one pass, and its difference from the source network."""

    name: str
    nodes: int
    opset: int
    bytes: int
    difference: Difference
    duration_ms: float


@dataclass(frozen=True)
class Artefact:
    """A file of the site. The first of `steps` is the source."""

    name: str
    backend: str
    precision: str
    path: Path
    sha256: str
    bytes: int
    network: Network
    steps: tuple[Step, ...]


def export_network(
    network: Network,
    *,
    backend: str = "wasm",
    precision: str = "fp32",
    out_dir: Path,
    local: Path | None = None,
    report: Report = silent,
) -> Artefact:
    """Writes <name>.<backend>.<precision>.<first 10 hex of its sha256>.onnx into `out_dir`.

    The same source gives the same bytes. Raises ExporterError, and then leaves no file behind.
    """
    if (backend, precision) != ("wasm", "fp32"):
        raise ExporterError(f"Expected wasm and fp32, received {backend} and {precision}.")
    source = _read(fetch(network.part, local=local, report=report), network)
    model, steps = _rewrite(source, network, report)
    onnx.checker.check_model(model, full_check=True)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        return _write(model, steps, network, backend, precision, out_dir)
    except OSError as error:
        raise ExporterError(
            f"{network.name}: Expected a folder that can be written to at {out_dir}: {error}"
        ) from error


def _passes(network: Network) -> dict[str, Rewrite]:
    spec = network.input
    shape = (1, 3, spec.height, spec.width)
    return {
        "prune_outputs": lambda model: prune_outputs.apply(model, output=network.output.name),
        "fix_shapes": lambda model: fix_shapes.apply(model, name=spec.name, shape=shape),
        "simplify": simplify.apply,
        "ceil_mode": ceil_mode.apply,
        "raise_opset": raise_opset.apply,
    }


def _rewrite(
    source: onnx.ModelProto, network: Network, report: Report
) -> tuple[onnx.ModelProto, tuple[Step, ...]]:
    passes = _passes(network)
    inputs = sample_inputs(network.input)
    report(f"Running {network.name} as published")
    expected = run_network(source, network, inputs)
    steps = [_step("source", source, Difference(0.0, 0.0), 0.0)]
    model = source
    for name, apply in passes.items():
        report(f"Rewriting {network.name}: {name}", len(steps), len(passes))
        start_s = time.perf_counter()
        rewritten = apply(model)
        duration_ms = 1000 * (time.perf_counter() - start_s)
        difference = steps[-1].difference
        if rewritten != model:
            difference = compare(expected, run_network(rewritten, network, inputs))
        _require_same(name, difference)
        model = rewritten
        steps.append(_step(name, model, difference, duration_ms))
    return model, tuple(steps)


def _require_same(name: str, difference: Difference) -> None:
    if difference.max > MAX_DIFFERENCE or difference.mean > MEAN_DIFFERENCE:
        raise PassError(
            f"{name}: Expected the output of the source network within {MAX_DIFFERENCE:g} at most "
            f"and {MEAN_DIFFERENCE:g} in the mean, received differences of {difference.max:.3g} "
            f"and {difference.mean:.3g}. The pass is wrong for this network."
        )


def _step(name: str, model: onnx.ModelProto, difference: Difference, duration_ms: float) -> Step:
    return Step(
        name=name,
        nodes=len(model.graph.node),
        opset=max(entry.version for entry in model.opset_import),
        bytes=model.ByteSize(),
        difference=difference,
        duration_ms=duration_ms,
    )


def _read(path: Path, network: Network) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except DecodeError as error:
        raise ExporterError(
            f"{network.name}: Expected an ONNX file, received {path}: {error}"
        ) from error


def _write(
    model: onnx.ModelProto,
    steps: tuple[Step, ...],
    network: Network,
    backend: str,
    precision: str,
    out_dir: Path,
) -> Artefact:
    contents = model.SerializeToString(deterministic=True)
    sha256 = hashlib.sha256(contents).hexdigest()
    path = out_dir / f"{network.name}.{backend}.{precision}.{sha256[:10]}.onnx"
    unfinished = out_dir / f".{path.name}.{os.getpid()}"
    try:
        unfinished.write_bytes(contents)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return Artefact(
        name=network.name,
        backend=backend,
        precision=precision,
        path=path,
        sha256=sha256,
        bytes=len(contents),
        network=network,
        steps=steps,
    )


def format_artefact(artefact: Artefact) -> str:
    """The before/after table."""
    titles = ("nodes", "opset", "bytes", "max diff", "mean diff", "ms")
    rows = ["{:14}{:>6}{:>7}{:>13}{:>11}{:>11}{:>7}".format("", *titles)]
    rows += [
        f"{step.name:14}{step.nodes:6}{step.opset:7}{step.bytes:13,}"
        f"{step.difference.max:11.1e}{step.difference.mean:11.1e}{step.duration_ms:7.0f}"
        for step in artefact.steps
    ]
    return "\n".join([*rows, f"{artefact.path}  {artefact.bytes:,} bytes, {artefact.sha256}"])
