"""Keeps one output and the nodes that it needs.

conv ──> sigmoid ──> fused  (kept)          conv ──> sigmoid ──> fused
  └────> sigmoid ──> side 1          ──>
  └────> sigmoid ──> side 2
"""

import onnx

from exporter.errors import PassError
from exporter.passes.graph import copy_of, drop, read_by

__all__ = ["apply"]


def apply(model: onnx.ModelProto, *, output: str) -> onnx.ModelProto:
    """Raises PassError where the graph has no output of that name."""
    names = [value.name for value in model.graph.output]
    if output not in names:
        raise PassError(
            f"prune_outputs: Expected an output named {output!r}, received {', '.join(names)}. "
            "Set output.name in models/catalog.toml."
        )
    pruned = copy_of(model)
    graph = pruned.graph
    needed = _needed_values(graph, output)
    drop(graph.output, lambda value: value.name != output)
    drop(graph.node, lambda node: needed.isdisjoint(node.output))
    drop(graph.initializer, lambda tensor: tensor.name not in needed)
    drop(graph.value_info, lambda value: value.name not in needed)
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
                waiting.extend(read_by(producers[name]))
    return needed
