"""Sets ceil_mode to 0 in pooling nodes whose sizes divide evenly, where it changes nothing.

    320x320 ──> MaxPool 2x2, stride 2, ceil_mode 1   ──>   MaxPool 2x2, stride 2, ceil_mode 0

WebGL and the older WebGPU provider refuse ceil_mode 1.
"""

import onnx

from exporter.errors import PassError
from exporter.passes.graph import attribute, copy_of, name_of, shapes

__all__ = ["apply"]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where rounding up and down differ."""
    plain = copy_of(model)
    pooling = [node for node in plain.graph.node if attribute(node, "ceil_mode", 0) == 1]
    if not pooling:
        return plain
    sizes = shapes(model)
    for node in pooling:
        _require_even_sizes(node, sizes.get(node.input[0], ()))
        for one in node.attribute:
            if one.name == "ceil_mode":
                one.i = 0
    return plain


def _require_even_sizes(node: onnx.NodeProto, shape: tuple[int, ...]) -> None:
    place = f"ceil_mode: {name_of(node)}"
    if attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise PassError(f"{place}: Expected explicit pads, received auto_pad.")
    sizes = shape[2:]
    if not sizes or not all(sizes):
        raise PassError(f"{place}: Expected a fixed input size, received {shape or 'none'}.")
    rank = len(sizes)
    kernel = attribute(node, "kernel_shape", [1] * rank)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    pads = attribute(node, "pads", [0] * 2 * rank)
    for axis, size in enumerate(sizes):
        window = (kernel[axis] - 1) * dilations[axis] + 1
        steps = size + pads[axis] + pads[axis + rank] - window
        if steps % strides[axis]:
            raise PassError(
                f"{place}: Expected a size that its stride of {strides[axis]} divides evenly, "
                f"received {'x'.join(map(str, sizes))}. Choose another input size."
            )
