"""Sets ceil_mode to 0 in pooling nodes whose sizes divide evenly, where it changes nothing.

    320x320 ──> MaxPool 2x2, stride 2, ceil_mode 1   ──>   MaxPool 2x2, stride 2, ceil_mode 0

WebGL and the older WebGPU provider refuse ceil_mode 1.
"""

from typing import Any

import onnx

from exporter.errors import PassError

__all__ = ["apply"]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where rounding up and down differ."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    pooling = [node for node in plain.graph.node if _attribute(node, "ceil_mode", 0) == 1]
    if not pooling:
        return plain
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in [*inferred.input, *inferred.value_info]
    }
    for node in pooling:
        _require_even_sizes(node, shapes.get(node.input[0], []))
        for attribute in node.attribute:
            if attribute.name == "ceil_mode":
                attribute.i = 0
    return plain


def _require_even_sizes(node: onnx.NodeProto, shape: list[int]) -> None:
    place = f"ceil_mode: {node.op_type} {node.name or node.output[0]}"
    if _attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise PassError(f"{place}: Expected explicit pads, received auto_pad.")
    sizes = shape[2:]
    if not sizes or not all(sizes):
        raise PassError(f"{place}: Expected a fixed input size, received {shape or 'none'}.")
    rank = len(sizes)
    kernel = _attribute(node, "kernel_shape", [1] * rank)
    strides = _attribute(node, "strides", [1] * rank)
    dilations = _attribute(node, "dilations", [1] * rank)
    pads = _attribute(node, "pads", [0] * 2 * rank)
    for axis, size in enumerate(sizes):
        window = (kernel[axis] - 1) * dilations[axis] + 1
        steps = size + pads[axis] + pads[axis + rank] - window
        if steps % strides[axis]:
            raise PassError(
                f"{place}: Expected a size that its stride of {strides[axis]} divides evenly, "
                f"received {'x'.join(map(str, sizes))}. Choose another input size."
            )


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            return onnx.helper.get_attribute_value(attribute)
    return default
