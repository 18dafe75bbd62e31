"""Computes in 16-bit floats, between an input and an output that stay 32 bits wide.

input ──> Conv ──> Sigmoid ──> output
input ──> Cast 16 ──> Conv (weights in 16) ──> Cast 32 ──> Sigmoid ──> output

The largest fp16 is 65504 and its digits are three: operators that add up squares or a whole
picture, or end in the matte itself, stay in 32 bits; so does one with a constant beyond that.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from exporter.errors import PassError
from exporter.passes.graph import constants, copy_of, drop_unread

__all__ = ["apply"]

_STAYS_FLOAT = frozenset(
    {
        "Exp",
        "GlobalAveragePool",
        "InstanceNormalization",
        "LayerNormalization",
        "Log",
        "Pow",
        "ReduceMean",
        "ReduceSum",
        "ReduceSumSquare",
        "Sigmoid",
        "Softmax",
    }
)
# Scales of Resize and the like are always 32 bits wide: only these inputs are converted.
_CONVERTED_INPUTS = {"Resize": (0,), "Pad": (0, 2)}
_HAS_TYPE_ATTRIBUTE = frozenset({"Cast", "ConstantOfShape", "RandomNormal", "RandomUniform"})
_LARGEST = float(np.finfo(np.float16).max)


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError for a graph with branches or loops."""
    return _Converter(model).convert()


class _Converter:
    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = copy_of(model)
        self._constants = {
            name: array for name, array in constants(model).items() if array.dtype == np.float32
        }
        self._float_values = _float_values(model) | set(self._constants)
        # What is computed in 16 bits keeps its name; where the other width is asked for, a Cast.
        self._half_values: set[str] = set()
        self._nodes: list[onnx.NodeProto] = []
        self._added: set[str] = set()

    def convert(self) -> onnx.ModelProto:
        graph = self._model.graph
        outputs = {value.name for value in graph.output}
        for node in graph.node:
            if any(one.type in (one.GRAPH, one.GRAPHS) for one in node.attribute):
                raise PassError(
                    f"half_precision: Expected a graph without branches, received {node.op_type} "
                    f"{node.name or node.output[0]}. Export it with --precision fp32."
                )
            self._add(node, outputs)
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in self._nodes]
        del graph.node[:]
        graph.node.extend(copies)
        del graph.value_info[:]
        drop_unread(graph)
        return self._model

    def _add(self, node: onnx.NodeProto, outputs: set[str]) -> None:
        if node.op_type == "Constant":
            self._nodes.append(node)
            return
        is_half = self._is_half(node)
        for index, name in enumerate(node.input):
            if name not in self._float_values:
                continue
            if is_half and index in _converted_inputs(node):
                node.input[index] = self._in_half(name)
            else:
                node.input[index] = self._in_float(name)
        self._nodes.append(node)
        if not is_half:
            return
        for index, name in enumerate(node.output):
            if name in outputs:
                node.output[index] = f"{name}/half"
                self._cast(node.output[index], name, TensorProto.FLOAT)
            elif name in self._float_values:
                self._half_values.add(name)

    def _is_half(self, node: onnx.NodeProto) -> bool:
        if node.op_type in _STAYS_FLOAT or node.op_type in _HAS_TYPE_ATTRIBUTE:
            return False
        read = [name for name in node.input if name in self._float_values]
        largest = max(
            (
                np.abs(self._constants[name]).max(initial=0)
                for name in read
                if name in self._constants
            ),
            default=0.0,
        )
        return bool(read) and bool(largest <= _LARGEST)

    def _in_half(self, name: str) -> str:
        if name in self._half_values:
            return name
        half = f"{name}/half"
        if half not in self._added:
            self._added.add(half)
            if name in self._constants:
                array = self._constants[name].astype(np.float16)
                self._model.graph.initializer.append(numpy_helper.from_array(array, half))
            else:
                self._cast(name, half, TensorProto.FLOAT16)
        return half

    def _in_float(self, name: str) -> str:
        if name not in self._half_values:
            return name
        wide = f"{name}/float"
        if wide not in self._added:
            self._added.add(wide)
            self._cast(name, wide, TensorProto.FLOAT)
        return wide

    def _cast(self, source: str, target: str, data_type: int) -> None:
        self._nodes.append(helper.make_node("Cast", [source], [target], target, to=data_type))


def _converted_inputs(node: onnx.NodeProto) -> range | tuple[int, ...]:
    return _CONVERTED_INPUTS.get(node.op_type, range(len(node.input)))


def _float_values(model: onnx.ModelProto) -> set[str]:
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    return {
        value.name
        for value in [*graph.input, *graph.value_info, *graph.output]
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
