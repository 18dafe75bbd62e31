"""Stores constants as initializers.

Constant ──> y ──> Resize   ──>   initializer y ──> Resize

WebGL reads the scales of a Resize only from an initializer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from exporter.errors import PassError
from exporter.passes.graph import attributes, copy_of, drop, name_of

__all__ = ["apply"]

_TYPES = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError for a constant that is sparse or text."""
    stored = copy_of(model)
    graph = stored.graph
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = onnx.numpy_helper.from_array(_value(node), node.output[0])
            graph.initializer.append(tensor)
    drop(graph.node, lambda node: node.op_type == "Constant")
    return stored


def _value(node: onnx.NodeProto) -> npt.NDArray[Any]:
    ((name, value),) = attributes(node).items()
    if name == "value":
        return onnx.numpy_helper.to_array(value)
    if name not in _TYPES:
        raise PassError(f"constants_to_initializers: {name_of(node)}: Expected numbers.")
    return np.array(value, _TYPES[name])
