"""Reads a published network, and says in one sentence why it cannot be exported.

    file ──> readable? ──> operators known? ──> 32 bits ──> input and output as specified?
         ──> the specified names ──> the specified size ──> the specified activation ──> source

What the passes and the comparisons call the source has the names, the size and the range of its
specification, and numbers of 32 bits, whatever the published file has.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, inliner

from exporter.catalog import InputSpec, Network
from exporter.errors import SourceError
from exporter.origins import fetch
from exporter.passes import full_precision, input_size
from exporter.passes.graph import copy_of
from exporter.report import Report, silent

__all__ = ["check_mattes", "into_one_file", "read_source", "weights_outside"]

# What computes with integers, in ONNX and in ONNX Runtime's own operators.
_QUANTISED = ("QuantizeLinear", "DynamicQuantizeLinear", "QLinear", "ConvInteger", "MatMulInteger")
# A rounding error of a Sigmoid, and of the sums behind it.
_RANGE_TOLERANCE = 1e-3


def read_source(
    network: Network, *, local: Path | None = None, report: Report = silent
) -> onnx.ModelProto:
    """`local` is the file where it need not be fetched. Raises FetchError and SourceError."""
    path = fetch(network.part, local=local, report=report)
    model = _load(path, local or path, network)
    _check_operators(model, network)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise _invalid(network, local or path, error) from error
    model = full_precision.apply(model)
    _check_input(model, network)
    _check_output(model, network)
    return _activate(_resize(_rename(model, network), network), network)


def check_mattes(
    network: Network, outputs: Sequence[npt.NDArray[np.float32]], names: Sequence[str]
) -> None:
    """Raises SourceError where what the source computes cannot be what was specified. `names` are
    those of all its outputs."""
    spec = network.input
    expected = (1, 1, spec.height, spec.width)
    for output in outputs:
        if output.dtype != np.float32:
            raise SourceError(
                f"{network.name}: Expected an output {network.output.name!r} of float32, received "
                f"{output.dtype}. Export the network again with a Cast to float at its end."
            )
        if output.shape != expected:
            raise SourceError(
                f"{network.name}: Expected an output {network.output.name!r} of {expected}, "
                f"received {output.shape}. {_remedy(network, output.shape, names)}"
            )
        low, high = float(output.min()), float(output.max())
        # NaN is neither below nor above anything.
        if not (np.isfinite(low) and np.isfinite(high)):
            raise SourceError(
                f"{network.name}: Expected finite numbers, received NaN or infinity for a "
                f"photograph. Check scale, mean and std in {network.written_in}."
            )
        if network.output.normalise == "none" and (
            low < -_RANGE_TOLERANCE or high > 1 + _RANGE_TOLERANCE
        ):
            raise SourceError(
                f"{network.name}: Expected a matte from 0 to 1, received numbers from {low:.3g} to "
                f"{high:.3g}. Set output.activation = 'sigmoid', or output.normalise = 'minmax', "
                f"in {network.written_in}."
            )


def _remedy(network: Network, shape: Sequence[int], names: Sequence[str]) -> str:
    """For an output of another shape than that of a matte."""
    others = ", ".join(repr(name) for name in names if name != network.output.name)
    if tuple(shape[:2]) == (1, 1) and len(shape) == 4:
        change = (
            f"Choose another input.height and input.width in {network.written_in}, or export the "
            "network again with a Resize to the input's size at its end."
        )
    elif len(shape) != 4:
        change = "Export the network again with a Reshape to four axes at its end."
    else:
        change = (
            "Export the network again with one channel at its end, that of the subject, as Softmax "
            "and Slice make of several."
        )
    if others:
        change += f" Or set output.name in {network.written_in} to another one: {others}."
    return change


# ---- what can be wrong with a file ---------------------------------------------------------------


def _load(path: Path, named: Path, network: Network) -> onnx.ModelProto:
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, OSError) as error:
        raise SourceError(
            f"{network.name}: Expected an ONNX file with its weights inside, received {named}: "
            f"{error}. Fetch or export it again."
        ) from error
    outside = weights_outside(model)
    if outside:
        raise SourceError(
            f"{network.name}: Expected an ONNX file with its weights inside, received {named}, "
            f"which has them in {outside}. {into_one_file(named)}"
        )
    # No bytes at all are a valid message of this format, with nothing in it.
    if not model.graph.node or not model.opset_import:
        raise SourceError(
            f"{network.name}: Expected an ONNX file, received {named}, which has no nodes."
        )
    if model.functions:
        try:
            model = inliner.inline_local_functions(model)
        except onnx.checker.ValidationError as error:  # they call each other without an end
            raise _invalid(network, named, error) from error
    # Exporters list every family of operators that they know.
    used = {"", *(node.domain for node in _nodes(model.graph))}
    imports = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(imports)
    return model


def _invalid(network: Network, named: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{network.name}: Expected a valid ONNX file, received {named}: "
        f"{' '.join(str(error).split())} Fetch or export it again."
    )


def weights_outside(model: onnx.ModelProto) -> str:
    """The name of a file beside the ONNX file with weights in it, or ''."""
    nodes = chain(_nodes(model.graph), *map(_nodes, model.functions))
    inside = (one.t for node in nodes for one in node.attribute)
    for tensor in [*model.graph.initializer, *inside]:
        if tensor.data_location == TensorProto.EXTERNAL:
            return next((one.value for one in tensor.external_data if one.key == "location"), "?")
    return ""


def into_one_file(named: Path) -> str:
    inside = named.with_stem(f"{named.stem}-inside")
    return (
        'Put them into one file: python -c "import onnx; '
        f"onnx.save(onnx.load('{named}'), '{inside}')\""
    )


def _check_operators(model: onnx.ModelProto, network: Network) -> None:
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    for node in _nodes(model.graph):
        # Where numbers were rounded and cut off nobody can tell from what the network means: a
        # quantiser may have left out a Relu that the codes imply.
        if node.op_type.startswith(_QUANTISED):
            raise SourceError(
                f"{network.name}: Expected a network in float, received one that is quantised "
                f"already: {node.op_type} in the node {node.name or node.output[0]!r}. Bring the "
                "float network that it was made of; Gossamer quantises it: `gossamer calibrate`, "
                "then `gossamer export --precision int8`."
            )
        domain = node.domain or "ai.onnx"
        try:
            version = versions[domain]
            onnx.defs.get_schema(node.op_type, version, "" if domain == "ai.onnx" else domain)
        except (KeyError, onnx.defs.SchemaError):
            raise SourceError(
                f"{network.name}: Expected operators of ONNX, received {node.op_type} of {domain} "
                f"{versions.get(domain, '')} in the node {node.name or node.output[0]!r}. Export "
                "the network again with standard operators."
            ) from None


def _nodes(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in [attribute.g, *attribute.graphs]:
                yield from _nodes(body)


def _check_input(model: onnx.ModelProto, network: Network) -> None:
    inputs = _inputs(model)
    names = ", ".join(repr(value.name) for value in inputs)
    spec = network.input
    if spec.renamed and len(inputs) != 1:
        raise SourceError(
            f"{network.name}: Expected one input, received {names}. Networks with several cannot "
            "be used."
        )
    if not spec.renamed and [value.name for value in inputs] != [spec.name]:
        raise SourceError(
            f"{network.name}: Expected the one input {spec.name!r}, as {network.written_in} says, "
            f"received {names}. Set input.name there."
        )
    _check_tensor(inputs[0], spec, network)


def _check_tensor(value: onnx.ValueInfoProto, spec: InputSpec, network: Network) -> None:
    tensor = value.type.tensor_type
    known = [dimension.dim_value for dimension in tensor.shape.dim]
    expected = (1, 3, *(spec.published or (spec.height, spec.width)))
    fits = len(known) == 4 and all(k in (0, e) for k, e in zip(known, expected, strict=True))
    if not fits or tensor.elem_type != TensorProto.FLOAT:
        received = "x".join(str(size or "?") for size in known)
        number = TensorProto.DataType.Name(tensor.elem_type).lower()
        raise SourceError(
            f"{network.name}: Expected an input of float {'x'.join(map(str, expected))}, as "
            f"{network.written_in} says, received {value.name!r} of {number} {received}. "
            f"{_remedy_of_input(tensor.elem_type, known)}"
        )


def _remedy_of_input(number: int, known: Sequence[int]) -> str:
    if number != TensorProto.FLOAT:
        return "Export the network again with an input of float32."
    if len(known) != 4:
        return "Export the network again with an input of four axes."
    if known[0] not in (0, 1):
        return "Export the network again for one picture at a time."
    if known[1] in (0, 3):
        return "Set input.height and input.width there, or export the network again."
    if known[3] == 3:
        return "Export the network again with its channels before height and width."
    return "Export the network again with an input of three channels: red, green and blue."


def _check_output(model: onnx.ModelProto, network: Network) -> None:
    names = [value.name for value in model.graph.output]
    if not network.output.renamed and network.output.name not in names:
        raise SourceError(
            f"{network.name}: Expected the output {network.output.name!r}, as "
            f"{network.written_in} says, received {', '.join(map(repr, names))}. Set output.name "
            "there."
        )


# ---- the specified names and range ---------------------------------------------------------------


def _rename(model: onnx.ModelProto, network: Network) -> onnx.ModelProto:
    names = {}
    if network.input.renamed:
        names[_inputs(model)[0].name] = network.input.name
    if network.output.renamed:
        names[model.graph.output[0].name] = network.output.name
    if not names or all(old == new for old, new in names.items()):
        return model
    taken = {name for node in _nodes(model.graph) for name in [*node.input, *node.output]}
    for old, new in names.items():
        if old != new and new in taken:
            raise SourceError(
                f"{network.name}: Expected {new!r} to be free for {old!r}, received a network that "
                f"uses both. Write the name {old!r} into {network.written_in}."
            )
    renamed = copy_of(model)
    graph = renamed.graph
    for value in [*graph.input, *graph.output, *graph.value_info]:
        value.name = names.get(value.name, value.name)
    for node in _nodes(graph):
        for edges in (node.input, node.output):
            for index, name in enumerate(edges):
                edges[index] = names.get(name, name)
    return renamed


def _resize(model: onnx.ModelProto, network: Network) -> onnx.ModelProto:
    spec = network.input
    if spec.published is None:
        return model
    return input_size.apply(model, name=spec.name, height=spec.height, width=spec.width)


def _activate(model: onnx.ModelProto, network: Network) -> onnx.ModelProto:
    """... ──> output    becomes    ... ──> raw ──> Sigmoid ──> output"""
    if network.output.activation == "none":
        return model
    name = network.output.name
    raw = f"{name}/raw"
    activated = copy_of(model)
    for node in _nodes(activated.graph):
        for edges in (node.input, node.output):
            for index, edge in enumerate(edges):
                edges[index] = raw if edge == name else edge
    activated.graph.node.append(helper.make_node("Sigmoid", [raw], [name], name=f"{name}/sigmoid"))
    return activated


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Old files list their weights among the inputs."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in stored]
