"""Writes the input's size into the graph, so that every size in it is known before it runs.

input (batch, 3, height, width)   ──>   input (1, 3, 320, 320)
"""

from collections.abc import Sequence

import onnx

from exporter.errors import PassError
from exporter.passes.graph import copy_of

__all__ = ["apply"]


def apply(model: onnx.ModelProto, *, name: str, shape: Sequence[int]) -> onnx.ModelProto:
    """Raises PassError where the input is not there, or cannot have that size."""
    fixed = copy_of(model)
    graph = fixed.graph
    stored = {tensor.name for tensor in graph.initializer}
    inputs = {value.name: value for value in graph.input if value.name not in stored}
    if list(inputs) != [name]:
        raise PassError(
            f"fix_shapes: Expected one input named {name!r}, received {', '.join(inputs)}. "
            "Set input.name in models/catalog.toml."
        )
    dimensions = inputs[name].type.tensor_type.shape.dim
    known = [dimension.dim_value for dimension in dimensions]
    if len(known) != len(shape) or any(k not in (0, s) for k, s in zip(known, shape, strict=True)):
        raise PassError(
            f"fix_shapes: Expected an input that can be {tuple(shape)}, received "
            f"{tuple(size or '?' for size in known)}. Set input.height and input.width in "
            "models/catalog.toml."
        )
    if known == list(shape):
        return fixed
    for dimension, size in zip(dimensions, shape, strict=True):
        dimension.dim_value = size
    # Sizes that were written down for any input are now too vague, and inference keeps them. The
    # outputs' are inferred anew: one name may stand for the height and the width.
    del graph.value_info[:]
    for value in graph.output:
        for dimension in value.type.tensor_type.shape.dim:
            if not dimension.dim_value:
                dimension.Clear()
    try:
        return onnx.shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise PassError(
            f"fix_shapes: Expected a network that can be run at {tuple(shape)}: {error}. Choose "
            "another input.height and input.width in models/catalog.toml."
        ) from error
