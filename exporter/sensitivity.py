"""What a change of one unit costs at the output, all else as it was.

A few units that follow each other share a graph, which starts at the first of them: what comes
before computes what it always does, and is kept. Each unit stands in it twice, and a gate of its
own says which one counts:

x ──> unit ──────────────┐
x ──> unit as changed ───┴> Where(gate) ──> the rest of the network
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from exporter.calibration import Sensitivity
from exporter.catalog import Network
from exporter.mattes import FloatArray, difference, matte_of
from exporter.native import postprocess
from exporter.passes.graph import copy_of, read_by
from exporter.quantize import Ranges, quantize
from exporter.report import Report, silent
from exporter.sessions import open_session
from exporter.units import SAME_RANGE, Unit, find_units, without_weights

__all__ = ["choosable_units", "effects", "sweep"]

#: Changes a graph that is one unit and nothing else.
Change = Callable[[onnx.ModelProto, Unit], onnx.ModelProto]

#: To open a graph takes as long as to run it a few times.
_UNITS_A_GRAPH = 8


def choosable_units(model: onnx.ModelProto) -> list[Unit]:
    return [unit for unit in find_units(model) if unit.operator not in SAME_RANGE]


def sweep(
    model: onnx.ModelProto,
    network: Network,
    ranges: Ranges,
    inputs: Sequence[FloatArray],
    *,
    report: Report = silent,
) -> list[Sensitivity]:
    """Every choosable unit in int8 alone, the most harmful first."""
    units = choosable_units(model)
    rows = []
    for unit, mean, worst in effects(
        model, network, units, inputs, lambda alone, _: quantize(alone, ranges)
    ):
        rows.append(Sensitivity(unit.name, unit.operator, mean, worst))
        report(f"Quantising the units of {network.name} one by one", len(rows), len(units))
    return sorted(rows, key=lambda row: (-row.mean, row.unit))


def effects(
    model: onnx.ModelProto,
    network: Network,
    units: Sequence[Unit],
    inputs: Sequence[FloatArray],
    change: Change,
) -> Iterator[tuple[Unit, float, float]]:
    """(unit, mean, worst) of the differences of mattes that the change of each unit makes."""
    groups = [
        units[start : start + _UNITS_A_GRAPH] for start in range(0, len(units), _UNITS_A_GRAPH)
    ]
    kept = _activations(model, network, groups, inputs)
    expected = [postprocess(feeds[network.output.name], network.output) for feeds in kept]
    for group in groups:
        rest = _from_units_on(model, group)
        read = [value.name for value in rest.graph.input]
        session = open_session(_gated(model, rest, group, change))
        for unit in group:
            gates = {_gate(other): np.array(other is unit) for other in group}
            differences = [
                difference(
                    matte_of(session, {**{name: feeds[name] for name in read}, **gates}, network),
                    matte,
                )
                for feeds, matte in zip(kept, expected, strict=True)
            ]
            yield unit, float(np.mean(differences)), max(differences)


def _activations(
    model: onnx.ModelProto,
    network: Network,
    groups: Sequence[Sequence[Unit]],
    inputs: Sequence[FloatArray],
) -> list[Mapping[str, FloatArray]]:
    """For each input, every tensor that the rest of the graph may start from."""
    light = without_weights(model)
    names = {value.name for group in groups for value in _from_units_on(light, group).graph.input}
    probe = copy_of(model)
    names -= {network.input.name}
    known = {value.name: value for value in probe.graph.value_info}
    probe.graph.output.extend(known[name] for name in sorted(names))
    session = open_session(probe)
    outputs = [value.name for value in probe.graph.output]
    kept: list[Mapping[str, FloatArray]] = []
    for input_nchw in inputs:
        tensors = session.run(outputs, {network.input.name: input_nchw})
        kept.append({network.input.name: input_nchw, **dict(zip(outputs, tensors, strict=True))})
    return kept


def _from_units_on(model: onnx.ModelProto, units: Sequence[Unit]) -> onnx.ModelProto:
    """The units and what depends on them: the rest computes what it always does."""
    first = {name for unit in units for name in unit.nodes}
    changed: set[str] = set()
    nodes = []
    for node in model.graph.node:
        if node.name in first or not changed.isdisjoint(read_by(node)):
            nodes.append(node)
            changed |= set(node.output)
    return _part_of(model, nodes, model.graph.output)


def _alone(model: onnx.ModelProto, unit: Unit) -> onnx.ModelProto:
    known = {value.name: value for value in (*model.graph.value_info, *model.graph.output)}
    nodes = [node for node in model.graph.node if node.name in unit.nodes]
    return _part_of(model, nodes, [known[unit.output]])


def _part_of(
    model: onnx.ModelProto,
    nodes: Sequence[onnx.NodeProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """These nodes with their constants; what else they read becomes an input."""
    read = {name for node in nodes for name in read_by(node) if name}
    constants = [
        node
        for node in model.graph.node
        if node.op_type == "Constant" and node.output[0] in read and node not in nodes
    ]
    written = {name for node in (*constants, *nodes) for name in node.output}
    stored = [tensor for tensor in model.graph.initializer if tensor.name in read]
    missing = read - written - {tensor.name for tensor in stored}
    known = [*model.graph.input, *model.graph.value_info]
    part = helper.make_model(
        helper.make_graph(
            [*constants, *nodes],
            model.graph.name,
            [value for value in known if value.name in missing],
            outputs,
            stored,
        ),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    assert isinstance(part, onnx.ModelProto)
    return part


def _gated(
    model: onnx.ModelProto, rest: onnx.ModelProto, group: Sequence[Unit], change: Change
) -> onnx.ModelProto:
    """`rest` with every unit of the group in two forms, and a gate for each."""
    graph = rest.graph
    ends = {unit.nodes[-1]: unit for unit in group}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        nodes.append(node)
        unit = ends.get(node.name)
        if unit is None:
            continue
        node.output[0] = f"{unit.output}/exact"
        changed = _renamed(change(_alone(model, unit), unit).graph, unit)
        nodes += changed.node
        graph.initializer.extend(changed.initializer)
        graph.input.append(helper.make_tensor_value_info(_gate(unit), TensorProto.BOOL, []))
        forms = [_gate(unit), changed.output[0].name, node.output[0]]
        nodes.append(helper.make_node("Where", forms, [unit.output], _gate(unit)))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return rest


def _gate(unit: Unit) -> str:
    return f"{unit.name}/gate"


def _renamed(graph: onnx.GraphProto, unit: Unit) -> onnx.GraphProto:
    """With names of its own for everything but what the unit reads."""

    def own(name: str) -> str:
        return f"{unit.name}/changed/{name}" if name and name not in unit.inputs else name

    for node in graph.node:
        node.name = own(node.name)
        for names in (node.input, node.output):
            names[:] = [own(name) for name in names]
    for tensor in graph.initializer:
        tensor.name = own(tensor.name)
    for value in graph.output:
        value.name = own(value.name)
    return graph
