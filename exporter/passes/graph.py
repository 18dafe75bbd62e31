"""What several passes ask of a graph."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

__all__ = [
    "attribute",
    "attributes",
    "constants",
    "copy_of",
    "drop",
    "drop_unread",
    "name_of",
    "read_by",
    "readers",
    "set_initializer",
    "shapes",
    "unused_name",
]


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    return attributes(node).get(name, default)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def name_of(node: onnx.NodeProto) -> str:
    """As messages name it: the output is there where the exporter wrote no name."""
    return f"{node.op_type} {node.name or node.output[0]}"


def constants(model: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    """What does not depend on the picture: initializers and Constant nodes."""
    graph = model.graph
    known = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        value = attribute(node, "value", None) if node.op_type == "Constant" else None
        if value is not None:
            known[node.output[0]] = onnx.numpy_helper.to_array(value)
    return known


def shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Of every value whose rank is known; a size that is not known is 0."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    known = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in [*graph.input, *graph.value_info, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
    known.update((tensor.name, tuple(tensor.dims)) for tensor in graph.initializer)
    return known


def readers(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    """The nodes that read each value, also those that read it inside the body of an If or Loop.

    A value that the graph returns has an empty node among its readers: it cannot be replaced.
    """
    found: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in read_by(node):
            found[name].append(node)
    for value in graph.output:
        found[value.name].append(onnx.NodeProto())
    return found


def read_by(node: onnx.NodeProto) -> Iterator[str]:
    """The names that a node reads, also inside the body of an If or Loop, which may return one."""
    yield from dict.fromkeys(node.input)
    for one in node.attribute:
        for body in [one.g, *one.graphs]:
            for inner in body.node:
                yield from read_by(inner)
            yield from (value.name for value in body.output)


def drop(field: Any, unwanted: Callable[[Any], bool]) -> None:
    """Removes elements of a repeated field in place."""
    for index in reversed(range(len(field))):
        if unwanted(field[index]):
            del field[index]


def set_initializer(graph: onnx.GraphProto, name: str, values: npt.NDArray[Any]) -> None:
    """Adds it, or replaces the one of that name."""
    tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
    for existing in graph.initializer:
        if existing.name == name:
            existing.CopyFrom(tensor)
            return
    graph.initializer.append(tensor)


def drop_unread(graph: onnx.GraphProto) -> None:
    """Removes constants that nothing reads any more, and what was noted about values now gone."""
    read = readers(graph)
    drop(graph.node, lambda node: node.op_type == "Constant" and node.output[0] not in read)
    drop(graph.initializer, lambda tensor: tensor.name not in read)
    made = {name for node in graph.node for name in node.output}
    drop(graph.value_info, lambda value: value.name not in made)


def unused_name(graph: onnx.GraphProto, wish: str) -> str:
    """`wish`, or `wish_2` and so on where a value has that name already."""
    taken = {tensor.name for tensor in graph.initializer}
    taken |= {name for node in graph.node for name in [*node.input, *node.output]}
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    return name
