"""Writes out the padding that auto_pad leaves to the runtime.

64x64 ──> Conv 3x3, stride 2, SAME_UPPER   ──>   64x64 ──> Conv 3x3, stride 2, pads 0 0 1 1

WebGL and WebGPU compute a strided Conv with auto_pad wrongly (microsoft/onnxruntime#26734).
"""

from collections.abc import Mapping

import onnx

from exporter.errors import PassError
from exporter.passes.graph import attribute, copy_of, name_of, shapes

__all__ = ["apply"]

_WINDOWED = ("AveragePool", "Conv", "ConvTranspose", "LpPool", "MaxPool")


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where a size is not known."""
    explicit = copy_of(model)
    automatic = [
        node
        for node in explicit.graph.node
        if node.op_type in _WINDOWED and attribute(node, "auto_pad", b"NOTSET") != b"NOTSET"
    ]
    sizes = shapes(model) if automatic else {}
    for node in automatic:
        pads = _pads(node, sizes)
        kept = [a for a in node.attribute if a.name not in ("auto_pad", "pads")]
        kept.append(onnx.helper.make_attribute("pads", pads))
        copies = [onnx.AttributeProto.FromString(a.SerializeToString()) for a in kept]
        del node.attribute[:]
        node.attribute.extend(copies)
    return explicit


def _pads(node: onnx.NodeProto, sizes: Mapping[str, tuple[int, ...]]) -> list[int]:
    """First all the leading ones, then all the trailing ones, as ONNX has them."""
    mode = attribute(node, "auto_pad", b"NOTSET")
    spatial = sizes.get(node.input[0], ())[2:]
    rank = len(spatial)
    kernel = attribute(node, "kernel_shape", None) or sizes.get(node.input[1], ())[2:]
    if mode == b"VALID" and kernel:
        return [0] * 2 * len(kernel)
    if node.op_type == "ConvTranspose":
        raise PassError(f"explicit_pads: {name_of(node)}: Expected explicit pads, received {mode}.")
    if not rank or not all(spatial):
        raise PassError(f"explicit_pads: {name_of(node)}: Expected a fixed input size.")
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    before, after = [], []
    for size, taps, stride, dilation in zip(spatial, kernel, strides, dilations, strict=True):
        window = (taps - 1) * dilation + 1
        total = max(0, (-(-size // stride) - 1) * stride + window - size)
        smaller, larger = total // 2, total - total // 2
        before.append(smaller if mode == b"SAME_UPPER" else larger)
        after.append(larger if mode == b"SAME_UPPER" else smaller)
    return before + after
