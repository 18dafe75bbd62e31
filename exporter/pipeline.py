"""The order of an export. What each step does is in passes/."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from exporter.catalog import Network
from exporter.errors import ExporterError, PassError, SourceError
from exporter.passes import (
    ceil_mode,
    constants_to_initializers,
    downsample,
    drop_expand,
    explicit_pads,
    fix_shapes,
    fold_batchnorm,
    fold_sliced_batchnorm,
    input_size,
    pad_conv_channels,
    prune_outputs,
    raise_opset,
    simplify,
    slice_ends,
)
from exporter.precision import LOSSY, lossy_passes, require_supported
from exporter.report import Report, silent
from exporter.source import check_mattes, read_source
from exporter.verify import (
    MEAN_DIFFERENCE_LOSSY,
    Difference,
    compare,
    range_of,
    run_network,
    sample_inputs,
)
from exporter.writable import write_whole

__all__ = [
    "BACKENDS",
    "Artefact",
    "Step",
    "export_network",
    "float_model",
    "format_artefact",
    "with_size",
]

Rewrite = Callable[[onnx.ModelProto], onnx.ModelProto]

_EVERYWHERE = (
    "prune_outputs",
    "fix_shapes",
    "simplify",
    "explicit_pads",
    "ceil_mode",
    "fold_batchnorm",
    "raise_opset",
)
# What each backend wants besides, in this order; the files under passes/ say why.
BACKENDS = {
    "wasm": _EVERYWHERE,
    "webgl": (
        *_EVERYWHERE,
        "require_floor",
        "fold_sliced_batchnorm",
        "slice_ends",
        "constants_to_initializers",
        "drop_expand",
        "downsample",
    ),
    "webgpu": (*_EVERYWHERE, "require_floor", "fold_sliced_batchnorm", "pad_conv_channels"),
}

# What the same arithmetic in another order may change in a matte of range 0..1: a rounding error,
# a hundredth of what 8 bits can show. `range_of` scales it.
MAX_DIFFERENCE = 4e-5
MEAN_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Step:
    """The graph after one pass, and its difference from the source network, of a range of 1."""

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
    size: tuple[int, int] | None = None,
    report: Report = silent,
) -> Artefact:
    """Writes <name>.<backend>.<precision>.<first 10 hex of its sha256>.onnx into `out_dir`.

    `size` (height, width) takes the place of the catalog's input size. The same source gives the
    same bytes. Raises ExporterError, and then leaves no file behind.
    """
    if backend not in BACKENDS:
        raise ExporterError(f"Expected one of {', '.join(BACKENDS)}, received {backend}.")
    require_supported(backend, precision)
    source, network = _sized_source(network, local, size, report)
    model, steps = _rewrite(source, network, backend, precision, report)
    _require_valid(model, network)
    try:
        return _write(model, steps, network, backend, precision, out_dir)
    except OSError as error:
        raise ExporterError(
            f"{network.name}: Expected a folder that can be written to at {out_dir}: {error}"
        ) from error


def _require_valid(model: onnx.ModelProto, network: Network) -> None:
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SourceError(
            f"{network.name}: Expected an ONNX file whose shapes fit each other, received: "
            f"{' '.join(str(error).split())}. Export the network again, with the shapes that it "
            "has, or open ones."
        ) from error


def _sized_source(
    network: Network, local: Path | None, size: tuple[int, int] | None, report: Report
) -> tuple[onnx.ModelProto, Network]:
    source = read_source(network, local=local, report=report)
    if size is None:
        return source, network
    network = with_size(network, *size)
    spec = network.input
    return input_size.apply(source, name=spec.name, height=spec.height, width=spec.width), network


def float_model(
    network: Network, *, local: Path | None = None, report: Report = silent
) -> onnx.ModelProto:
    """The graph of the float32 artefact for WASM, which quantising starts from."""
    source = read_source(network, local=local, report=report)
    return _rewrite(source, network, "wasm", "fp32", report)[0]


def with_size(network: Network, height: int, width: int) -> Network:
    """The catalog's entry with another input size, for which nobody has measured a wider look."""
    return replace(network, input=replace(network.input, height=height, width=width), wider=None)


def _passes(network: Network, backend: str) -> dict[str, Rewrite]:
    spec = network.input
    shape = (1, 3, spec.height, spec.width)
    passes: dict[str, Rewrite] = {
        "prune_outputs": lambda model: prune_outputs.apply(model, output=network.output.name),
        "fix_shapes": lambda model: fix_shapes.apply(model, name=spec.name, shape=shape),
        "simplify": simplify.apply,
        "explicit_pads": explicit_pads.apply,
        "ceil_mode": ceil_mode.apply,
        "require_floor": ceil_mode.require_floor,
        "fold_batchnorm": fold_batchnorm.apply,
        "raise_opset": raise_opset.apply,
        "fold_sliced_batchnorm": fold_sliced_batchnorm.apply,
        "slice_ends": slice_ends.apply,
        "constants_to_initializers": constants_to_initializers.apply,
        "drop_expand": drop_expand.apply,
        "downsample": downsample.apply,
        "pad_conv_channels": pad_conv_channels.apply,
    }
    return {name: passes[name] for name in BACKENDS[backend]}


def _rewrite(
    source: onnx.ModelProto, network: Network, backend: str, precision: str, report: Report
) -> tuple[onnx.ModelProto, tuple[Step, ...]]:
    passes = {**_passes(network, backend), **lossy_passes(network, precision)}
    inputs = sample_inputs(network.input)
    report(f"Running {network.name} as published")
    expected = run_network(source, network, inputs)
    check_mattes(network, expected, [value.name for value in source.graph.output])
    most = range_of(expected, network.output)
    steps = [_step("source", source, Difference(0.0, 0.0), 0.0)]
    model = source
    for name, apply in passes.items():
        report(f"Rewriting {network.name}: {name}", len(steps), len(passes))
        start_s = time.perf_counter()
        rewritten = apply(model)
        duration_ms = 1000 * (time.perf_counter() - start_s)
        difference = steps[-1].difference
        if rewritten != model:
            difference = compare(expected, run_network(rewritten, network, inputs)) / most
        if name not in LOSSY:
            _require_same(name, difference)
        else:
            _require_similar(name, difference)
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


def _require_similar(name: str, difference: Difference) -> None:
    if difference.mean > MEAN_DIFFERENCE_LOSSY:
        raise PassError(
            f"{name}: Expected the output of the source network within {MEAN_DIFFERENCE_LOSSY:g} "
            f"in the mean, received a difference of {difference.mean:.3g}. {_REMEDIES[name]}"
        )


_CALIBRATE = "Run `gossamer calibrate` again, with more photos or a smaller --budget."
_REMEDIES = {
    "quantize": _CALIBRATE,
    "four_bit_weights": _CALIBRATE,
    "half_precision": "Its numbers do not fit into 16 bits: export it with --precision fp32.",
}


def _step(name: str, model: onnx.ModelProto, difference: Difference, duration_ms: float) -> Step:
    return Step(
        name=name,
        nodes=len(model.graph.node),
        opset=max(entry.version for entry in model.opset_import),
        bytes=model.ByteSize(),
        difference=difference,
        duration_ms=duration_ms,
    )


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
    write_whole(path, contents)
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
    rows = ["{:26}{:>6}{:>7}{:>13}{:>11}{:>11}{:>7}".format("", *titles)]
    rows += [
        f"{step.name:26}{step.nodes:6}{step.opset:7}{step.bytes:13,}"
        f"{step.difference.max:11.1e}{step.difference.mean:11.1e}{step.duration_ms:7.0f}"
        for step in artefact.steps
    ]
    return "\n".join([*rows, f"{artefact.path}  {artefact.bytes:,} bytes, {artefact.sha256}"])
