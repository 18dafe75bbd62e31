"""Sets ceil_mode to 0 in pooling nodes whose sizes divide evenly, where it changes nothing.

    320x320 ──> MaxPool 2x2, stride 2, ceil_mode 1   ──>   MaxPool 2x2, stride 2, ceil_mode 0

WebGL and the older WebGPU provider refuse ceil_mode 1. WASM does not: a node that needs it keeps it
there, and `require_floor` says which one it is where it cannot be run.
"""

import onnx

from exporter.errors import PassError
from exporter.passes.graph import attribute, copy_of, name_of, shapes

__all__ = ["apply", "require_floor"]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    plain = copy_of(model)
    pooling = _rounding_up(plain)
    if not pooling:
        return plain
    sizes = shapes(model)
    for node in pooling:
        if _divides_evenly(node, sizes.get(node.input[0], ())[2:]):
            for one in node.attribute:
                if one.name == "ceil_mode":
                    one.i = 0
    return plain


def require_floor(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model. Raises PassError with the node's name where one still rounds up."""
    for node in _rounding_up(model):
        sizes = shapes(model).get(node.input[0], ())[2:]
        raise PassError(
            f"require_floor: {name_of(node)}: Expected a size that its stride of "
            f"{max(attribute(node, 'strides', [1]))} divides evenly, received "
            f"{'x'.join(str(size or '?') for size in sizes) or 'none'}. Choose another input size, "
            "or WASM alone, which can round up."
        )
    return model


def _rounding_up(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if attribute(node, "ceil_mode", 0) == 1]


def _divides_evenly(node: onnx.NodeProto, sizes: tuple[int, ...]) -> bool:
    has_pads = attribute(node, "auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    if not has_pads or not sizes or not all(sizes):
        return False
    rank = len(sizes)
    kernel = attribute(node, "kernel_shape", [1] * rank)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    pads = attribute(node, "pads", [0] * 2 * rank)
    windows = [(kernel[axis] - 1) * dilations[axis] + 1 for axis in range(rank)]
    steps = [sizes[axis] + pads[axis] + pads[axis + rank] - windows[axis] for axis in range(rank)]
    return not any(steps[axis] % strides[axis] for axis in range(rank))
