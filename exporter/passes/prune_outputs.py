"""Keeps one output and the nodes that it needs.

conv ──> sigmoid ──> fused  (kept)          conv ──> sigmoid ──> fused
  └────> sigmoid ──> side 1          ──>
  └────> sigmoid ──> side 2
"""

from collections.abc import Iterator
from typing import Any

import onnx

from exporter.errors import PassError

__all__ = ["apply"]


def apply(model: onnx.ModelProto, *, output: str) -> onnx.ModelProto:
    """Raises PassError where the graph has no output of that name."""
    names = [value.name for value in model.graph.output]
    if output not in names:
        raise PassError(
            f"prune_outputs: Expected an output named {output!r}, received {', '.join(names)}. "
            "Set output.name in models/catalog.toml."
        )
    pruned = onnx.ModelProto()
    pruned.CopyFrom(model)
    graph = pruned.graph
    needed = _needed_values(graph, output)
    _keep(graph.output, [value for value in graph.output if value.name == output])
    _keep(graph.node, [node for node in graph.node if needed & set(node.output)])
    _keep(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed])
    _keep(graph.value_info, [value for value in graph.value_info if value.name in needed])
    return pruned


def _needed_values(graph: onnx.GraphProto, output: str) -> set[str]:
    producers = {name: node for node in graph.node for name in node.output}
    needed: set[str] = set()
    waiting = [output]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            if name in producers:
                waiting.extend(_read_values(producers[name]))
    return needed


def _read_values(node: onnx.NodeProto) -> Iterator[str]:
    """Also what the bodies of If and Loop read from the graph around them."""
    yield from node.input
    for attribute in node.attribute:
        for body in [attribute.g, *attribute.graphs]:
            for inner in body.node:
                yield from _read_values(inner)
            yield from (value.name for value in body.output)


def _keep(field: Any, kept: list[Any]) -> None:
    # Protobuf wants copies of what the deletion is about to invalidate.
    copies = [type(element).FromString(element.SerializeToString()) for element in kept]
    del field[:]
    field.extend(copies)
