"""Gives convolutions a number of input channels that is a multiple of 4.

64 ──┐                                64 ──┐
32 ──┼── Concat 99 ──> Conv   ──>     32 ──┼── Concat 100 ──> Conv, weights 0 for the last channel
 3 ──┘                                 3 ──┤
                                    0: 1 ──┘

WebGPU in ONNX Runtime Web 1.30 computes a 3x3 Conv wrongly, without a word, where the number of its
input channels is a multiple of 3 above 3 and none of 4 (6, 9, 15, ... 99: MODNet has that one). A
1x1 Conv is right with any number.
"""

import numpy as np
import onnx

from exporter.errors import PassError
from exporter.passes.graph import (
    attribute,
    constants,
    copy_of,
    drop_unread,
    name_of,
    readers,
    set_initializer,
    shapes,
    unused_name,
)

__all__ = ["apply"]

_COLOURS = 3
_VECTOR = 4


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where its size or its weights are not known."""
    padded = copy_of(model)
    graph = padded.graph
    known = constants(model)
    sizes = shapes(model)
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        channels = sizes.get(conv.input[0], (0, 0))[1]
        missing = -channels % _VECTOR
        is_pointwise = set(sizes.get(conv.input[1], ())[2:]) == {1}
        if missing == 0 or channels <= _COLOURS or is_pointwise or attribute(conv, "group", 1) != 1:
            continue
        shape = sizes[conv.input[0]]
        if not all(shape) or conv.input[1] not in known:
            raise PassError(
                f"pad_conv_channels: {name_of(conv)}: Expected a fixed input size and constant "
                f"weights, received {shape}."
            )
        weights = np.pad(known[conv.input[1]], [(0, 0), (0, missing), *[(0, 0)] * (len(shape) - 2)])
        name = unused_name(graph, f"{conv.output[0]}_weights")
        set_initializer(graph, name, weights)
        conv.input[1] = name
        _widen(graph, conv, (shape[0], missing, *shape[2:]))
    drop_unread(graph)
    return padded


def _widen(graph: onnx.GraphProto, conv: onnx.NodeProto, shape: tuple[int, ...]) -> None:
    """Puts zeros of that shape behind the channels that the Conv reads."""
    source = conv.input[0]
    zeros, size = (unused_name(graph, f"{conv.output[0]}_{part}") for part in ("zeros", "size"))
    set_initializer(graph, size, np.array(shape, np.int64))
    # Made when the network is loaded: as an initializer it would be a plane of zeros in the file.
    make_zeros = onnx.helper.make_node("ConstantOfShape", [size], [zeros], name=zeros)
    concat = next((n for n in graph.node if source in n.output and n.op_type == "Concat"), None)
    is_channels = concat is not None and attribute(concat, "axis", 0) in (1, 1 - len(shape))
    if concat is not None and is_channels and len(readers(graph)[source]) == 1:
        concat.input.append(zeros)
        new, before = [make_zeros], concat
        for value in [v for v in graph.value_info if v.name == source]:
            graph.value_info.remove(value)
    else:
        wide = unused_name(graph, f"{conv.output[0]}_input")
        conv.input[0] = wide
        join = onnx.helper.make_node("Concat", [source, zeros], [wide], name=wide, axis=1)
        new, before = [make_zeros, join], conv
    place = next(i for i, node in enumerate(graph.node) if node.output[0] == before.output[0])
    for node in reversed(new):
        graph.node.insert(place, node)
