"""Makes all numbers of 16 bits 32 bits wide: what is published in half precision is not rounded.

input 16 ──> Conv (weights in 16) ──> output 16
input 32 ──> Conv (weights in 32) ──> output 32

Weights keep their values. Between operators ONNX Runtime rounds to 16 bits in some places and not
in others, so that a rewritten file could not be proven equal.
"""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from exporter.passes.graph import copy_of

__all__ = ["apply"]

# Where a node says what kind of numbers it makes.
_KINDS = frozenset({"dtype", "to"})


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    widened = copy_of(model)
    _widen(widened.graph)
    return widened


def _widen(graph: onnx.GraphProto) -> None:
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            _widen_tensor(attribute.t)
            if attribute.name in _KINDS and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
            for body in [attribute.g, *attribute.graphs]:
                _widen(body)


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
