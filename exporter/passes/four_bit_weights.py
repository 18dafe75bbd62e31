"""Stores int8 weights of -8..7 in four bits each; ONNX Runtime makes them int8 again at load.

codes int8 ──> Dequantize ──> Conv   ──>   codes int4 ──> Cast to int8 ──> Dequantize ──> Conv

The Cast is computed once, before the Conv is fused: it runs as any other int8 Conv, at half the
bytes on the way. INT4 came with opset 21 and IR 10.
"""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from exporter.errors import PassError
from exporter.passes.graph import copy_of, drop_unread

__all__ = ["OPSET", "apply"]

OPSET, _IR_VERSION = 21, 10


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every int8 weight tensor without larger codes. Raises PassError for an older opset."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if max(versions) < OPSET:
        raise PassError(
            f"four_bit_weights: Expected opset {OPSET}, received {max(versions)}. Run raise_opset."
        )
    codes = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    }
    codes = {name: one for name, one in codes.items() if one.min() >= -8 and one.max() <= 7}
    packed = copy_of(model)
    if not codes:
        return packed
    packed.ir_version = max(packed.ir_version, _IR_VERSION)
    graph = packed.graph
    nodes = []
    for node in graph.node:
        name = node.input[0] if node.op_type == "DequantizeLinear" else ""
        if name in codes:
            wide = f"{name}/int8"
            nodes.append(
                onnx.helper.make_node("Cast", [name], [wide], wide, to=onnx.TensorProto.INT8)
            )
            node = _reading(node, wide)
        nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    for tensor in graph.initializer:
        if tensor.name in codes:
            packed_codes = _pack(codes[tensor.name])
            tensor.CopyFrom(
                onnx.helper.make_tensor(
                    tensor.name, onnx.TensorProto.INT4, tensor.dims, packed_codes, raw=True
                )
            )
    drop_unread(graph)
    return packed


def _pack(codes: npt.NDArray[np.int8]) -> bytes:
    """Two codes a byte, the first one in the lower half."""
    halves = codes.ravel().astype(np.uint8) & 15
    halves = np.append(halves, np.zeros(halves.size % 2, np.uint8))
    return (halves[0::2] | halves[1::2] << 4).tobytes()


def _reading(node: onnx.NodeProto, name: str) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[0] = name
    return copy
