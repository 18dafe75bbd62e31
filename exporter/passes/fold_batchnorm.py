"""Folds a BatchNormalization into the Conv in front of it.

conv W, b ──> batch norm   ──>   conv W g, (b - mean) g + bias         g = scale / sqrt(var + eps)
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from exporter.passes.graph import (
    attribute,
    constants,
    copy_of,
    drop,
    drop_unread,
    readers,
    set_initializer,
    unused_name,
)

__all__ = ["apply", "is_foldable", "scale_outputs"]

Constants = Mapping[str, npt.NDArray[Any]]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Leaves what cannot be folded: a Conv that others read too, weights that are computed."""
    folded = copy_of(model)
    graph = folded.graph
    known, read = constants(folded), readers(graph)
    convs = {node.output[0]: node for node in graph.node if node.op_type == "Conv"}
    gone = set()
    for norm in graph.node:
        conv = convs.get(norm.input[0]) if norm.op_type == "BatchNormalization" else None
        if conv is None or not is_foldable(norm, conv, known) or len(read[norm.input[0]]) > 1:
            continue
        scale_outputs(graph, conv, norm, known, first=0)
        conv.output[0] = norm.output[0]
        gone.add(norm.output[0])
    if gone:
        drop(graph.node, lambda n: n.op_type == "BatchNormalization" and n.output[0] in gone)
        drop_unread(graph)
    return folded


def is_foldable(norm: onnx.NodeProto, conv: onnx.NodeProto, known: Constants) -> bool:
    """Whether all their weights are known, and the norm is not one that learns."""
    weights = [*norm.input[1:], *filter(None, conv.input[1:])]
    return all(name in known for name in weights) and not attribute(norm, "training_mode", 0)


def scale_outputs(
    graph: onnx.GraphProto, conv: onnx.NodeProto, norm: onnx.NodeProto, known: Constants, first: int
) -> None:
    """Applies the norm to the channels of the Conv's output that begin at `first`."""
    scale, bias, mean, variance = (known[name].astype(np.float64) for name in norm.input[1:5])
    gain = scale / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))
    weights = known[conv.input[1]].astype(np.float64)
    has_bias = len(conv.input) > 2 and conv.input[2]
    offsets = known[conv.input[2]].astype(np.float64) if has_bias else np.zeros(len(weights))
    channels = slice(first, first + len(gain))
    weights[channels] *= gain.reshape(-1, *[1] * (weights.ndim - 1))
    offsets[channels] = (offsets[channels] - mean) * gain + bias
    # Under new names: another node may read the old weights.
    names = [unused_name(graph, f"{conv.output[0]}_{part}") for part in ("weights", "bias")]
    for name, values in zip(names, (weights, offsets), strict=True):
        set_initializer(graph, name, values.astype(np.float32))
    del conv.input[1:]
    conv.input.extend(names)
