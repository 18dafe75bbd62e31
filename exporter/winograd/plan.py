"""What web/wasm/winograd.c has to do to run a network: the steps, and where it finds what in which.

x ──> Conv ──> Relu ──┐
                      ├──> Add ──> y        one step
r ────────────────────┘

a ──┐
b ──┼──> Concat ──> y                       no step: a, b and c are written where y has them
c ──┘

Weights stay in the ONNX file, of which the plan knows the places: one file serves both engines.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from exporter.passes.graph import attribute, readers, shapes
from exporter.winograd.layout import lay_out
from exporter.winograd.program import (
    NOTHING,
    PLACES,
    Operation,
    Program,
    Step,
    Tensor,
    UnfitError,
    in_eights,
    in_fours,
)

__all__ = ["plan_of"]

_MOST_CHANNELS = 4096  # as in winograd.c
_PIXELS = "@pixels"


def plan_of(file: bytes, *, small: bytes | None = None) -> bytes | None:
    """Of an ONNX file with one picture (1, 3, height, width) as its input and one matte as its
    output, all sizes known. None where it has operators that winograd.c lacks, or needs more memory
    than a device spends on one network.

    `small` is a file of the same network for a smaller picture: the plan tells what to do with one,
    too, with the weights of `file`.
    """
    models = [onnx.ModelProto.FromString(one) for one in (file, small) if one is not None]
    try:
        return lay_out(*(_Planner(model, file).plan() for model in models))
    except UnfitError:
        return None


class _Planner:
    def __init__(self, model: onnx.ModelProto, file: bytes) -> None:
        self._graph = model.graph
        self._file = file
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._shapes = shapes(model)
        self._readers = readers(model.graph)
        self._tensors: dict[str, Tensor] = {}
        self._strides: dict[str, int] = {}
        self._steps: list[Step] = []
        self._packed_floats = 0
        self._made: set[str] = set()

    def plan(self) -> Program:
        if len(self._graph.input) != 1 or len(self._graph.output) != 1:
            raise UnfitError
        self._read_input(self._graph.input[0].name)
        self._place_parts()
        steps: dict[str, Callable[[onnx.NodeProto], None]] = {
            "Add": self._add,
            "Concat": self._concatenate,
            "Constant": lambda _: None,
            "Conv": self._convolve,
            "MaxPool": self._pool,
            "Resize": self._resize,
            "Sigmoid": self._sigmoid,
        }
        for node in self._graph.node:
            if node.output[0] in self._made:  # with the step before
                continue
            if node.op_type not in steps:
                raise UnfitError
            steps[node.op_type](node)
        return Program(
            steps=self._steps,
            tensors=self._tensors,
            strides=self._strides,
            source=self._graph.input[0].name,
            target=self._graph.output[0].name,
            packed_floats=self._packed_floats,
            file_bytes=len(self._file),
        )

    # ---- tensors ---------------------------------------------------------------------------------

    def _read_input(self, name: str) -> None:
        shape = self._shapes.get(name, ())
        if len(shape) != 4 or shape[:2] != (1, 3) or 0 in shape:
            raise UnfitError
        _, _, height, width = shape
        # Three planes; what reads the input reads the pixels that the first step makes of them.
        self._tensors[_PIXELS] = Tensor(_PIXELS, 0, height, width, 4, 3, 3)
        self._strides[_PIXELS] = 4
        self._tensors[name] = Tensor(name, 0, height, width, 3, 3, 3)
        self._strides[name] = 3
        self._made.add(_PIXELS)
        self._steps.append(Step(Operation.INPUT, name, _PIXELS))

    def _place_parts(self) -> None:
        for node in self._graph.node:
            if node.op_type != "Concat":
                continue
            is_twice = len(set(node.input)) < len(node.input)
            if (
                attribute(node, "axis", 0) != 1
                or is_twice
                or set(node.input) & self._tensors.keys()
            ):
                raise UnfitError
            parts = [self._size_of(name) for name in node.input]
            counts = [channels for channels, _, _ in parts]
            padded = [in_fours(count) for count in counts]
            whole = counts == padded
            if not whole and len(set(counts)) > 1:
                raise UnfitError
            name = node.output[0]
            for part, (count, height, width), end in zip(
                node.input, parts, np.cumsum(padded).tolist(), strict=True
            ):
                start = end - in_fours(count)
                self._tensors[part] = Tensor(
                    name, start, height, width, in_fours(count), count, count
                )
            channels, height, width = self._size_of(name)
            group = channels if whole else counts[0]
            self._tensors[name] = Tensor(name, 0, height, width, sum(padded), channels, group)
            self._strides[name] = sum(padded)

    def _size_of(self, name: str) -> tuple[int, int, int]:
        shape = self._shapes.get(name, ())
        if len(shape) != 4 or shape[0] != 1 or 0 in shape:
            raise UnfitError
        _, channels, height, width = shape
        return channels, height, width

    def _source(self, name: str) -> str:
        """What a step reads where the graph reads `name`."""
        name = _PIXELS if name == self._graph.input[0].name else name
        if name not in self._made:  # a weight, or what an operator writes besides
            raise UnfitError
        return name

    def _target(self, name: str) -> str:
        if name not in self._tensors:
            channels, height, width = self._size_of(name)
            padded = in_fours(channels)
            self._tensors[name] = Tensor(name, 0, height, width, padded, channels, channels)
            self._strides[name] = padded
        self._made.add(name)
        return name

    def _only_reader(self, name: str, operator: str) -> onnx.NodeProto | None:
        found = self._readers[name]
        return found[0] if len(found) == 1 and found[0].op_type == operator else None

    # ---- steps -----------------------------------------------------------------------------------

    def _concatenate(self, node: onnx.NodeProto) -> None:
        for name in node.input:
            self._source(name)
        self._made.add(node.output[0])

    def _convolve(self, node: onnx.NodeProto) -> None:
        filters = self._weights.get(node.input[1])
        if filters is None or len(filters.dims) != 4 or attribute(node, "group", 1) != 1:
            raise UnfitError
        written, read, kernel, across = filters.dims
        dilation = attribute(node, "dilations", [1, 1])[0]
        reach = kernel // 2 * dilation
        if (
            kernel not in (1, 3)
            or across != kernel
            or attribute(node, "dilations", [1, 1]) != [dilation, dilation]
            or attribute(node, "strides", [1, 1]) != [1, 1]
            or attribute(node, "pads", [0, 0, 0, 0]) != [reach] * 4
            or attribute(node, "auto_pad", b"NOTSET") != b"NOTSET"
        ):
            raise UnfitError
        source, output = self._source(node.input[0]), node.output[0]
        has_relu = self._only_reader(output, "Relu")
        if has_relu:
            output = has_relu.output[0]
        channels = self._tensors[source].channels
        if max(channels, in_eights(written)) > _MOST_CHANNELS or self._tensors[source].read != read:
            raise UnfitError
        is_winograd = kernel == 3 and dilation == 1
        places = PLACES if is_winograd else kernel * kernel
        self._steps.append(
            Step(
                Operation.WINOGRAD if is_winograd else Operation.DIRECT,
                source,
                self._target(output),
                has_relu=has_relu is not None,
                kernel=kernel,
                dilation=dilation,
                filters=self._packed(places * channels * in_eights(written)),
                biases=self._packed(in_eights(written)),
                filters_source=self._place_of(filters),
                biases_source=self._biases_of(node),
            )
        )

    def _biases_of(self, node: onnx.NodeProto) -> int:
        if len(node.input) < 3:
            return NOTHING
        biases = self._weights.get(node.input[2])
        if biases is None:
            raise UnfitError
        return self._place_of(biases)

    def _packed(self, floats: int) -> int:
        start = self._packed_floats
        self._packed_floats += -(-floats // 16) * 16
        return start

    def _place_of(self, tensor: onnx.TensorProto) -> int:
        """Of its numbers in the file. An equal tensor's will do."""
        values = numpy_helper.to_array(tensor)
        place = self._file.find(values.tobytes())
        if values.dtype != np.float32 or place < 0:
            raise UnfitError
        return place

    def _add(self, node: onnx.NodeProto) -> None:
        last, (first, second) = self._steps[-1], node.input
        if last.target == second:
            first, second = second, first
        is_fused = last.target == first and len(self._readers[first]) == 1
        if is_fused and last.operation in (Operation.WINOGRAD, Operation.DIRECT) and not last.other:
            if self._tensors[first].buffer != first:
                raise UnfitError
            del self._tensors[first]
            target = self._target(node.output[0])
            self._steps[-1] = replace(last, target=target, other=self._source(second))
        else:
            sources = self._source(first), self._source(second)
            self._steps.append(
                Step(Operation.ADD, sources[0], self._target(node.output[0]), other=sources[1])
            )
        if self._size_of(first) != self._size_of(second):
            raise UnfitError

    def _pool(self, node: onnx.NodeProto) -> None:
        source, target = self._source(node.input[0]), self._target(node.output[0])
        halves = [
            (-(-side // 2), side // 2)
            for side in (self._tensors[source].height, self._tensors[source].width)
        ]
        size = (self._tensors[target].height, self._tensors[target].width)
        if (
            attribute(node, "kernel_shape", []) != [2, 2]
            or attribute(node, "strides", []) != [2, 2]
            or attribute(node, "dilations", [1, 1]) != [1, 1]
            or any(attribute(node, "pads", [0, 0, 0, 0])[:2])
            or any(side not in half for side, half in zip(size, halves, strict=True))
        ):
            raise UnfitError
        self._steps.append(Step(Operation.MAX_POOL, source, target))

    def _resize(self, node: onnx.NodeProto) -> None:
        mode = attribute(node, "coordinate_transformation_mode", b"half_pixel")
        if attribute(node, "mode", b"nearest") != b"linear" or mode not in (
            b"half_pixel",
            b"pytorch_half_pixel",  # the same, but for outputs of one pixel
        ):
            raise UnfitError
        source, target = self._source(node.input[0]), self._target(node.output[0])
        if attribute(node, "antialias", 0) or self._size_of(node.output[0])[0] != (
            self._tensors[source].read
        ):
            raise UnfitError
        self._steps.append(Step(Operation.RESIZE, source, target))

    def _sigmoid(self, node: onnx.NodeProto) -> None:
        output = node.output[0]
        channels, height, width = self._size_of(output)
        if channels != 1 or output != self._graph.output[0].name:
            raise UnfitError
        self._tensors[output] = Tensor(output, 0, height, width, 1, 1, 1)
        self._strides[output] = 1
        self._made.add(output)
        self._steps.append(Step(Operation.SIGMOID, self._source(node.input[0]), output))
