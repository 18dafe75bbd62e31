"""Cuts a graph into the pieces that are quantised or kept in float as one.

x ──> Conv ──> Relu ──> y       one unit, named after the Conv: the engine runs it as one kernel,
                                so nothing between the two has a range of its own
a, b ──> Add ──> y              every other operator that has an int8 kernel is a unit alone

A unit of SAME_RANGE has no choice of its own: it takes over the codes of what it reads, if any.
"""

from dataclasses import dataclass
from math import prod

import onnx

from exporter.errors import PassError
from exporter.passes.graph import readers, shapes

__all__ = ["SAME_RANGE", "Unit", "find_units", "without_weights"]

# Their outputs are picked or averaged from their input: one range serves both sides.
SAME_RANGE = frozenset({"AveragePool", "MaxPool", "Resize", "Slice"})

_ALONE = frozenset({"Add", "Concat"}) | SAME_RANGE
_ACTIVATIONS = frozenset({"Clip", "Relu"})
_FEW_BYTES = 1024


@dataclass(frozen=True)
class Unit:
    """`inputs` are activations only; `macs` counts the multiplications of a Conv, `elements` the
    numbers that the unit writes."""

    name: str
    operator: str
    nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    macs: int
    elements: int


def find_units(model: onnx.ModelProto) -> list[Unit]:
    """In the order of the graph. Raises PassError where nodes lack names of their own."""
    graph = model.graph
    _require_names(graph)
    sizes = shapes(without_weights(model))
    stored = {tensor.name for tensor in graph.initializer}
    stored |= {node.output[0] for node in graph.node if node.op_type == "Constant"}
    read = readers(graph)
    units = []
    for node in graph.node:
        nodes, macs = [node], 0
        if node.op_type == "Conv" and set(node.input[1:]) - {""} <= stored:
            following = read[node.output[0]]
            if len(following) == 1 and following[0].op_type in _ACTIVATIONS:
                nodes.append(following[0])
            macs = prod(sizes[node.output[0]]) * prod(sizes[node.input[1]][1:])
        elif node.op_type not in _ALONE:
            continue
        # The further inputs of Conv, Resize and Slice are weights and sizes.
        inputs = tuple(node.input if node.op_type in ("Add", "Concat") else node.input[:1])
        if stored & set(inputs):
            continue
        names, output = tuple(part.name for part in nodes), nodes[-1].output[0]
        units.append(Unit(names[0], node.op_type, names, inputs, output, macs, prod(sizes[output])))
    return units


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph to look at and not to run: large tensors keep their sizes only."""
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    for field in ("node", "input", "output", "value_info"):
        getattr(light.graph, field).extend(getattr(model.graph, field))
    light.graph.name = model.graph.name
    for tensor in model.graph.initializer:
        if tensor.ByteSize() > _FEW_BYTES:
            light.graph.initializer.add(
                name=tensor.name, dims=tensor.dims, data_type=tensor.data_type
            )
        else:
            light.graph.initializer.append(tensor)
    return light


def _require_names(graph: onnx.GraphProto) -> None:
    names = [node.name for node in graph.node if node.op_type != "Constant"]
    if "" in names or len(set(names)) < len(names):
        raise PassError(
            "quantize: Expected a name of its own on every node, received nodes without one or two "
            "of the same. Name the nodes of the ONNX file."
        )
