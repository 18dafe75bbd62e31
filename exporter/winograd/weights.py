"""The weights of an ONNX file as numbers, and where the file has them.

A file in int8 tells ONNX Runtime to round what lies between its convolutions, too. Our own engine
computes in float32 and takes of such a file what makes it small:

x ──> Quantize ──> Dequantize ──┐                      x ──┐
w int8 ──> Dequantize ──────────┼──> Conv      ──>     w ──┼──> Conv
b int32 ──> Dequantize ─────────┘                      b ──┘

Weights of four bits stay in theirs (passes/four_bit_weights.py).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from exporter.passes import four_bit_weights
from exporter.passes.graph import attribute, constants, drop, drop_unread, set_initializer
from exporter.winograd.program import NOTHING, UnfitError

__all__ = ["FloatNetwork", "Place", "Weights", "in_floats"]

Codes = Mapping[str, tuple[str, str]]

_NEVER_BELOW_ZERO = frozenset({"Relu", "Sigmoid"})
# Whose results are never below 0 where what they read is not; the others of some are sizes.
_KEEP_SIGN = frozenset({"Add", "AveragePool", "Concat", "GlobalAveragePool", "MaxPool", "Mul"})
_KEEP_SIGN_OF_FIRST = frozenset({"Expand", "Identity", "Reshape", "Resize", "Slice"})


@dataclass(frozen=True)
class FloatNetwork:
    """`codes`: for weights that `model` has as floats, which initializers of the file are the whole
    numbers and the steps that they are made of."""

    model: onnx.ModelProto
    codes: Codes


def in_floats(model: onnx.ModelProto) -> FloatNetwork:
    """The network of an int8 file, with nothing rounded between its operators."""
    model, pairs = four_bit_weights.unpack(model)
    known = constants(model)
    graph = model.graph
    codes: dict[str, tuple[str, str]] = {}
    floats: dict[str, str] = {}
    casts: dict[str, str] = {}
    replaced: dict[str, str] = {}
    dropped = []
    not_below_zero: set[str] = set()
    for node in graph.node:
        source, output = node.input[0] if node.input else "", node.output[0]
        rest = list(node.input)[1:]
        if node.op_type == "QuantizeLinear" and set(rest) <= known.keys():
            floats[output] = exact = replaced.get(source, source)
            if _zero_is_lowest(known, rest[1:]) and exact not in not_below_zero:
                node.CopyFrom(onnx.helper.make_node("Relu", [exact], [output], node.name))
                floats[output] = output
                not_below_zero.add(output)
                continue
        elif node.op_type == "DequantizeLinear" and source in floats:
            replaced[output] = floats[source]
        elif node.op_type == "DequantizeLinear" and _are_steps(known, source, *rest):
            codes[output] = (pairs.get(source, source), rest[0])
            axis = attribute(node, "axis", 1) % known[source].ndim
            steps = np.expand_dims(known[rest[0]], list(range(1, known[source].ndim - axis)))
            set_initializer(graph, output, known[source].astype(np.float32) * steps)
        elif node.op_type == "Cast" and known.get(source, np.empty(0)).dtype == np.int8:
            casts[output] = source
        elif node.op_type == "Mul" and source in casts and rest[0] in known:
            codes[output] = (pairs.get(casts[source], casts[source]), rest[0])
            values = known[casts[source]].astype(np.float32) * known[rest[0]]
            set_initializer(graph, output, values)
        elif node.op_type == "Clip" and not any(rest):
            replaced[output] = replaced.get(source, source)
        else:
            for index, name in enumerate(node.input):
                node.input[index] = replaced.get(name, name)
            if _is_never_below_zero(node, not_below_zero, known):
                not_below_zero.add(output)
            continue
        dropped.append(output)
    drop(graph.node, lambda node: node.output[0] in dropped)
    drop(graph.value_info, lambda value: value.name in floats)
    for value in graph.output:
        if value.name in replaced:
            inputs, outputs = [replaced[value.name]], [value.name]
            graph.node.append(onnx.helper.make_node("Identity", inputs, outputs))
    drop_unread(graph)
    return FloatNetwork(model, codes)


def _zero_is_lowest(known: Mapping[str, npt.NDArray[Any]], zero: Sequence[str]) -> bool:
    """Whether no code stands for what is below 0; without a zero point codes are of uint8."""
    codes = known[zero[0]] if zero else np.zeros(1, np.uint8)
    return bool((codes == np.iinfo(codes.dtype).min).any())


def _is_never_below_zero(
    node: onnx.NodeProto, not_below_zero: Collection[str], known: Mapping[str, npt.NDArray[Any]]
) -> bool:
    if node.op_type in _NEVER_BELOW_ZERO:
        return True
    if node.op_type == "Clip":
        return bool((known.get(node.input[1], np.array(-1)) >= 0).all())
    # Cubic interpolation overshoots.
    if attribute(node, "mode", b"") == b"cubic":
        return False
    if node.op_type in _KEEP_SIGN_OF_FIRST:
        return node.input[0] in not_below_zero
    return node.op_type in _KEEP_SIGN and all(name in not_below_zero for name in node.input)


def _are_steps(known: Mapping[str, npt.NDArray[Any]], codes: str, step: str, *zero: str) -> bool:
    return (
        codes in known
        and known[codes].dtype in (np.int8, np.int32)
        and known.get(step, np.empty(0)).ndim == 1
        and not any(known[name].any() for name in zero if name)
    )


@dataclass(frozen=True)
class Place:
    """In bytes from the start of the file; NOTHING for the steps of floats. `bits` of a weight."""

    source: int
    steps: int = NOTHING
    bits: int = 32


class Weights:
    """`file` is the ONNX file that `network` was made of."""

    def __init__(self, file: bytes, network: FloatNetwork) -> None:
        self._file = file
        self._codes = network.codes
        self._known = constants(network.model)
        self._tensors = {
            tensor.name: numpy_helper.to_array(tensor)
            for tensor in onnx.ModelProto.FromString(file).graph.initializer
        }

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Raises UnfitError where that depends on the picture."""
        if name not in self._known:
            raise UnfitError
        return self._known[name]

    def place_of(self, name: str, *, axis: int = 0) -> Place:
        """Raises UnfitError where the file has it in another way than the engine reads it: as
        floats, or as whole numbers with a step for each index of `axis`."""
        if name not in self._codes:
            return Place(self._find(self[name], np.float32))
        if not self._tensors.keys() >= set(self._codes[name]):
            raise UnfitError
        codes, steps = (self._tensors[one] for one in self._codes[name])
        if not _are_of(self[name], codes, steps, axis):
            raise UnfitError
        place = self._find(steps, np.float32)
        if codes.dtype == np.uint8:  # two in a byte
            return Place(self._find(codes, np.uint8), place, 4)
        return Place(self._find(codes, np.int32 if codes.ndim == 1 else np.int8), place, 8)

    def _find(self, values: npt.NDArray[Any], kind: type) -> int:
        """An equal tensor's place will do."""
        place = self._file.find(values.tobytes())
        if values.dtype != kind or place < 0:
            raise UnfitError
        return place


def _are_of(
    values: npt.NDArray[Any], codes: npt.NDArray[Any], steps: npt.NDArray[Any], axis: int
) -> bool:
    if codes.dtype == np.uint8:
        codes = four_bit_weights.codes_of(codes)
    if codes.size != values.size or steps.size != values.shape[axis]:
        return False
    sides = [-1 if side == axis else 1 for side in range(values.ndim)]
    differences = np.abs(codes.reshape(values.shape) * steps.reshape(sides) - values)
    # Biases are rounded as what is read has been measured, at one size or another.
    most = steps if values.ndim == 1 else 1e-3 * steps.reshape(sides)
    return bool((differences <= most + 1e-6 * np.abs(values)).all())
