"""Lets a network be run at another size than the one it was published for.

input (1, 3, 320, 320)   ──>   input (1, 3, 64, 64), every other size follows
"""

import onnx

from exporter.errors import PassError
from exporter.passes.graph import copy_of

__all__ = ["apply"]


def apply(model: onnx.ModelProto, *, name: str, height: int, width: int) -> onnx.ModelProto:
    """Raises PassError where the input is not there, or the graph is bound to its size."""
    resized = copy_of(model)
    graph = resized.graph
    inputs = {value.name: value for value in graph.input}
    if name not in inputs:
        raise PassError(f"input_size: Expected an input {name!r}, received {', '.join(inputs)}.")
    dimensions = inputs[name].type.tensor_type.shape.dim
    if len(dimensions) != 4:
        raise PassError(f"input_size: Expected {name!r} with 4 axes, received {len(dimensions)}.")
    if [d.dim_value for d in dimensions[2:]] == [height, width]:
        return resized
    for dimension, size in zip(dimensions, (1, 3, height, width), strict=True):
        dimension.dim_value = size
    # What was written down for the other size would contradict what is inferred now.
    del graph.value_info[:]
    for value in graph.output:
        for dimension in value.type.tensor_type.shape.dim:
            dimension.Clear()
    try:
        return onnx.shape_inference.infer_shapes(resized, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise PassError(
            f"input_size: Expected a network that can be run at {height}x{width}: {error}. "
            "Choose another size."
        ) from error
