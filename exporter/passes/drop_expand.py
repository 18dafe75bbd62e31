"""Leaves the repetition of a value to the node that reads it.

(1, 960, 1, 1) ──> Expand to (1, 960, 16, 16) ──> Mul   ──>   (1, 960, 1, 1) ──> Mul

WebGL has no Expand, and its Mul, like everybody's, repeats by itself. It is how a squeeze and
excitation block weighs its channels.
"""

import numpy as np
import onnx

from exporter.errors import PassError
from exporter.passes.graph import copy_of, drop, drop_unread, name_of, readers, shapes

__all__ = ["apply"]

_BROADCASTING = ("Add", "Div", "Mul", "Pow", "Sub")


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where a reader needs the repeated value itself."""
    dropped = copy_of(model)
    graph = dropped.graph
    expands = [node for node in graph.node if node.op_type == "Expand"]
    if not expands:
        return dropped
    sizes, read = shapes(model), readers(graph)
    for expand in expands:
        narrow, wide = expand.input[0], expand.output[0]
        for reader in read[wide]:
            if not _repeats_by_itself(reader, narrow, wide, sizes):
                raise PassError(
                    f"drop_expand: {name_of(expand)}: Expected only nodes that broadcast to read "
                    f"it, received {name_of(reader) if reader.output else 'an output'}."
                )
            for place, name in enumerate(reader.input):
                if name == wide:
                    reader.input[place] = narrow
    drop(graph.node, lambda node: node.op_type == "Expand")
    drop_unread(graph)
    return dropped


def _repeats_by_itself(
    reader: onnx.NodeProto, narrow: str, wide: str, sizes: dict[str, tuple[int, ...]]
) -> bool:
    """Whether the other operand alone gives the result its size."""
    if reader.op_type not in _BROADCASTING:
        return False
    shapes_read = [sizes.get(narrow if name == wide else name, (0,)) for name in reader.input]
    if not all(all(shape) for shape in shapes_read):
        return False
    return np.broadcast_shapes(*shapes_read) == sizes.get(reader.output[0])
