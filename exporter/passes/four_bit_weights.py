"""Stores int8 weights of -8..7 two in a byte; ONNX Runtime makes them int8 again at load.

codes int8 ──> Dequantize ──> Conv

pairs uint8 ──> Cast ──> Gather ──> Reshape ──> Dequantize ──> Conv
              table int8 ──┘

The table holds the two codes of each of the 256 bytes. All of it is constant, so it is computed
once, before the Conv is fused, which then runs as any other int8 Conv. ONNX's own INT4 says it in
one Cast, but ONNX Runtime Web 1.30 computes that Cast in every run.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from exporter.passes.graph import (
    attribute,
    constants,
    copy_of,
    drop,
    drop_unread,
    set_initializer,
)

__all__ = ["apply", "codes_of", "unpack"]

Chain = tuple[onnx.NodeProto, onnx.NodeProto, onnx.NodeProto]

_TABLE = "four_bit_pairs"


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every int8 weight tensor without larger codes, and with an even number of them."""
    packed = copy_of(model)
    graph = packed.graph
    weights = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    }
    codes = {
        name: one
        for name, one in weights.items()
        if one.min() >= -8 and one.max() <= 7 and one.size % 2 == 0
    }
    if not codes:
        return packed
    readers = [onnx.NodeProto.FromString(node.SerializeToString()) for node in graph.node]
    del graph.node[:]
    for node in readers:
        name = node.input[0] if node.op_type == "DequantizeLinear" else ""
        if name in codes:
            graph.node.extend(_unpacking(name))
            node.input[0] = f"{name}/int8"
        graph.node.append(node)
    graph.initializer.append(numpy_helper.from_array(_table(), _TABLE))
    for name, one in codes.items():
        shape = np.array(one.shape, np.int64)
        graph.initializer.append(numpy_helper.from_array(_pairs(one), f"{name}/pairs"))
        graph.initializer.append(numpy_helper.from_array(shape, f"{name}/shape"))
    drop_unread(graph)
    return packed


def unpack(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The same network with plain int8 weights, and for each of these the initializer of `model`
    that has it packed."""
    unpacked = copy_of(model)
    graph = unpacked.graph
    known = constants(model)
    makers = {node.output[0]: node for node in graph.node}
    pairs: dict[str, str] = {}
    within: set[str] = set()
    for node in graph.node:
        chain = _chain(node, makers)
        if chain is None or not _is_unpacking(*chain, known):
            continue
        _, _, cast = chain
        pairs[node.output[0]] = cast.input[0]
        within |= {one.output[0] for one in chain}
        codes = codes_of(known[cast.input[0]])
        set_initializer(graph, node.output[0], codes.reshape(known[node.input[1]]))
    drop(graph.node, lambda node: node.output[0] in within)
    drop_unread(graph)
    return unpacked, pairs


def _chain(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> Chain | None:
    if node.op_type != "Reshape":
        return None
    gather = makers.get(node.input[0])
    if gather is None or gather.op_type != "Gather":
        return None
    cast = makers.get(gather.input[1])
    return (node, gather, cast) if cast is not None and cast.op_type == "Cast" else None


def _is_unpacking(
    reshape: onnx.NodeProto,
    gather: onnx.NodeProto,
    cast: onnx.NodeProto,
    known: Mapping[str, npt.NDArray[Any]],
) -> bool:
    nothing = np.empty(0)
    pairs, shape = (known.get(one.input[at], nothing) for one, at in ((cast, 0), (reshape, 1)))
    return (
        pairs.dtype == np.uint8
        and np.array_equal(known.get(gather.input[0], nothing), _table())
        and attribute(gather, "axis", 0) == 0
        and shape.size > 1
        and bool((shape > 0).all())
        and np.prod(shape) == 2 * pairs.size
    )


def codes_of(pairs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """All of them in a row."""
    return _table()[pairs].ravel()


def _unpacking(name: str) -> list[onnx.NodeProto]:
    index, pairs, wide = f"{name}/index", f"{name}/codes", f"{name}/int8"
    return [
        helper.make_node("Cast", [f"{name}/pairs"], [index], index, to=onnx.TensorProto.INT32),
        helper.make_node("Gather", [_TABLE, index], [pairs], pairs, axis=0),
        helper.make_node("Reshape", [pairs, f"{name}/shape"], [wide], wide),
    ]


def _table() -> npt.NDArray[np.int8]:
    """[256, 2]: of each byte the lower half, then the upper one."""
    pairs = np.arange(256)
    halves = np.stack([pairs & 15, pairs >> 4], axis=1)
    return np.where(halves > 7, halves - 16, halves).astype(np.int8)


def _pairs(codes: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Two codes a byte, the first one in the lower half."""
    halves = codes.ravel().astype(np.uint8) & 15
    return (halves[0::2] | halves[1::2] << 4).astype(np.uint8)
