"""Static int8 from measured ranges, in the form that ONNX Runtime's CPU provider fuses at load.

                                  x ──> Quantize ──> Dequantize ─┐
x ──┐                                       w int8 ──> Dequantize ┤
w ──┼──> Conv ──> Relu ──> y  ──>      b int32 ──> Dequantize ────┴> Conv ──> Relu ──> Quantize ──>
b ──┘

Activations are uint8 with one range each; weights int8, symmetric, one scale per output channel;
biases int32 at the scale of the products. A float unit that reads what a float unit wrote gets the
number itself: rounding happens only where int8 arithmetic is on one side.

A MatMul with large weights computes in float and stores them in int8, one scale per column. So may
a float Conv: what depends on no picture is computed at load, and the Conv runs as any other.

w int8 ──> Cast to float ──> Mul by one step per output channel ──> Conv

A float Conv that stands alone between codes would be taken for one that was forgotten: ONNX Runtime
would quantise its weights at load, all channels with one scale. A Clip without bounds stops that:

codes ──> Dequantize ──> Clip ──> Conv ──> Relu ──> Quantize ──> codes
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from exporter.errors import PassError
from exporter.passes.graph import readers
from exporter.units import SAME_RANGE, Unit, find_units
from exporter.weight_codes import weight_codes

__all__ = ["EXACT_STORAGE", "Ranges", "Storage", "quantize"]

Ranges = Mapping[str, tuple[float, float]]
Float64 = npt.NDArray[np.float64]

# Fewer weights of a MatMul are not worth the bytes of their scales.
_MANY_WEIGHTS = 4096
_REMEDY = "Run `gossamer calibrate` again for this network."


@dataclass(frozen=True)
class Storage:
    """Which convolutions store their weights in fewer bits than they compute with: units in float
    in 8 bits, units in int8 in 4, with codes of -7..7 for passes/four_bit_weights.py."""

    eight_bit_units: tuple[str, ...] = ()
    four_bit_units: tuple[str, ...] = ()


EXACT_STORAGE = Storage()


@dataclass(frozen=True)
class _Scale:
    """real = step * (code - zero), codes 0..255."""

    step: np.float32
    zero: np.uint8


def quantize(
    model: onnx.ModelProto,
    ranges: Ranges,
    *,
    float_units: Collection[str] = (),
    storage: Storage = EXACT_STORAGE,
) -> onnx.ModelProto:
    """Every unit that exporter.units finds in int8, but those of the given names.

    Units that pick from their input (SAME_RANGE) follow the unit that they read. Raises PassError
    where a tensor has no range, or a float unit is not in the graph.
    """
    units = find_units(model)
    unknown = sorted(set(float_units) - {unit.name for unit in units})
    if unknown:
        raise PassError(
            "quantize: Expected units of this graph to stay in float, received "
            f"{', '.join(unknown)}. {_REMEDY}"
        )
    return _Writer(model, units, _int8_units(units, float_units), ranges, storage).write()


def _int8_units(units: Sequence[Unit], float_units: Collection[str]) -> list[Unit]:
    chosen, codes = [], set[str]()
    for unit in units:
        if unit.operator in SAME_RANGE:
            is_int8 = unit.inputs[0] in codes
        else:
            is_int8 = unit.name not in float_units
        if is_int8:
            chosen.append(unit)
            codes.add(unit.output)
    return chosen


class _Writer:
    def __init__(
        self,
        model: onnx.ModelProto,
        units: Sequence[Unit],
        int8_units: Sequence[Unit],
        ranges: Ranges,
        storage: Storage,
    ) -> None:
        self._model = model
        self._storage = storage
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._convs = {unit.name: unit for unit in units if unit.operator == "Conv"}
        self._int8_nodes = {name for unit in int8_units for name in unit.nodes}
        self._scales = _scales(int8_units, ranges)
        # What int8 units write exists as codes only; of what float units write both forms exist.
        self._written_as_codes = {unit.output for unit in int8_units}
        self._outputs = {value.name for value in model.graph.output}
        self._read_in_float = set(self._outputs)
        for node in model.graph.node:
            if node.name not in self._int8_nodes:
                self._read_in_float.update(node.input)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def write(self) -> onnx.ModelProto:
        source = self._model.graph
        for value in source.input:
            if value.name in self._scales:
                self._add_codes(value.name, value.name, f"{value.name}/real")
        for node in source.node:
            self._add_node(node)
        graph = helper.make_graph(self._nodes, source.name, source.input, source.output)
        read = readers(graph)
        stored = {**self._weights, **self._initializers}
        graph.initializer.extend(tensor for name, tensor in stored.items() if name in read)
        quantized = onnx.ModelProto()
        quantized.graph.CopyFrom(graph)
        quantized.ir_version = self._model.ir_version
        quantized.opset_import.extend(self._model.opset_import)
        quantized.producer_name = self._model.producer_name
        return quantized

    def _add_node(self, source: onnx.NodeProto) -> None:
        node = onnx.NodeProto()
        node.CopyFrom(source)
        is_int8 = node.name in self._int8_nodes
        for index, name in enumerate(source.input):
            if name in self._written_as_codes or (is_int8 and name in self._scales):
                node.input[index] = f"{name}/real"
        conv = self._convs.get(node.name)
        if conv is not None and is_int8:
            self._quantize_weights(node, conv)
        elif conv is not None:
            self._keep_in_float(node, conv)
        elif node.op_type == "MatMul":
            self._store_in_int8(node)
        self._nodes.append(node)
        for name in source.output:
            if name in self._outputs and name in self._written_as_codes:
                # The graph's output keeps its name and holds what the codes stand for.
                node.output[0] = f"{name}/float"
                self._add_codes(name, node.output[0], name)
            elif name in self._scales:
                self._add_codes(name, name, f"{name}/real")

    def _keep_in_float(self, node: onnx.NodeProto, conv: Unit) -> None:
        if self._stands_between_codes(conv):
            apart = f"{node.name}/apart"
            self._node("Clip", [node.input[0]], apart, apart)
            node.input[0] = apart
        if conv.name not in self._storage.eight_bit_units:
            return
        weights = self._array(node.input[1])
        codes, steps = weight_codes(weights, np.zeros(0), 1.0, largest=127)
        name = f"{node.name}/weights"
        stored = [self._add(f"{name}/codes", codes)]
        self._node("Cast", stored, f"{name}/cast", f"{name}/cast").attribute.append(
            helper.make_attribute("to", onnx.TensorProto.FLOAT)
        )
        step = self._add(f"{name}/step", steps.reshape(-1, *[1] * (weights.ndim - 1)))
        self._node("Mul", [f"{name}/cast", step], name, f"{name}/scale")
        node.input[1] = name

    def _stands_between_codes(self, conv: Unit) -> bool:
        return (
            conv.inputs[0] in self._written_as_codes
            and conv.output in self._scales
            and conv.output not in self._read_in_float
        )

    def _add_codes(self, name: str, source: str, real: str) -> None:
        scale = self._scales[name]
        step = self._add(f"{name}/step", np.array(scale.step))
        zero = self._add(f"{name}/zero", np.array(scale.zero))
        codes = f"{name}/codes"
        self._node("QuantizeLinear", [source, step, zero], codes, f"{name}/quantize")
        self._node("DequantizeLinear", [codes, step, zero], real, f"{name}/dequantize")

    def _node(self, operator: str, inputs: list[str], output: str, name: str) -> onnx.NodeProto:
        self._nodes.append(helper.make_node(operator, inputs, [output], name))
        return self._nodes[-1]

    def _add(self, name: str, array: npt.NDArray[np.generic]) -> str:
        self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def _quantize_weights(self, node: onnx.NodeProto, unit: Unit) -> None:
        weights = self._array(node.input[1])
        # One that is left out may have its place, under no name.
        has_bias = len(node.input) > 2 and node.input[2] != ""
        bias = self._array(node.input[2]) if has_bias else np.zeros(0)
        input_step = float(self._scales[unit.inputs[0]].step)
        is_four_bit = unit.name in self._storage.four_bit_units
        codes, steps = weight_codes(weights, bias, input_step, largest=7 if is_four_bit else 127)
        # By the unit's name: two convolutions may share one tensor and read different ranges.
        node.input[1] = self._add_constant(f"{unit.name}/weights", codes, steps)
        if bias.size:
            steps = np.float32(input_step) * steps
            codes = np.round(bias / steps.astype(np.float64)).astype(np.int32)
            node.input[2] = self._add_constant(f"{unit.name}/bias", codes, steps)

    def _store_in_int8(self, node: onnx.NodeProto) -> None:
        tensor = self._weights.get(node.input[1])
        if tensor is None or len(tensor.dims) != 2 or prod(tensor.dims) < _MANY_WEIGHTS:
            return
        columns = self._array(node.input[1]).T
        codes, steps = weight_codes(columns, np.zeros(0), 1.0, largest=127)
        name = f"{node.name}/weights"
        node.input[1] = self._add_constant(name, np.ascontiguousarray(codes.T), steps, axis=1)

    def _array(self, name: str) -> Float64:
        return numpy_helper.to_array(self._weights[name]).astype(np.float64)

    def _add_constant(
        self,
        name: str,
        codes: npt.NDArray[np.generic],
        steps: npt.NDArray[np.float32],
        *,
        axis: int = 0,
    ) -> str:
        stored = [
            self._add(f"{name}/codes", codes),
            self._add(f"{name}/step", steps),
            self._add(f"{name}/zero", np.zeros(len(steps), codes.dtype)),
        ]
        node = self._node("DequantizeLinear", stored, name, f"{name}/dequantize")
        node.attribute.append(helper.make_attribute("axis", axis))
        return name


def _scales(units: Sequence[Unit], ranges: Ranges) -> dict[str, _Scale]:
    scales: dict[str, _Scale] = {}
    for unit in units:
        for name in unit.inputs:
            if name not in scales:
                scales[name] = _scale(name, ranges)
        if unit.operator in SAME_RANGE:
            scales[unit.output] = scales[unit.inputs[0]]
        else:
            scales[unit.output] = _scale(unit.output, ranges)
    return scales


def _scale(name: str, ranges: Ranges) -> _Scale:
    if name not in ranges:
        raise PassError(
            f"quantize: Expected a range for the tensor {name!r}, found none. {_REMEDY}"
        )
    # Zero has a code of its own: padding is exact.
    low, high = min(ranges[name][0], 0.0), max(ranges[name][1], 0.0)
    step = np.float32(max((high - low) / 255, 1e-9))
    return _Scale(step, np.uint8(np.clip(np.round(-low / float(step)), 0, 255)))
