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
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from exporter.passes.graph import attribute, readers
from exporter.winograd.layout import lay_out
from exporter.winograd.normalisation import Normalisation, find_normalisations
from exporter.winograd.program import (
    NOTHING,
    PLACES,
    STRIPS,
    Activation,
    Operation,
    Program,
    Step,
    UnfitError,
    in_eights,
    tiles_along,
)
from exporter.winograd.tensors import PIXELS, Tensors, in_order
from exporter.winograd.weights import FloatNetwork, Place, Weights, in_floats

__all__ = ["plan_of"]

# As in winograd.c.
_MOST_CHANNELS, _MOST_NORMALISED = 4096, 512
# Above this, transformed filters would take most of the memory. Networks that halve their picture
# as they go have so many only for few pixels.
_MOST_FILTERS = 1 << 15
# Pixels further apart leave tiles mostly empty.
_MOST_DILATION = 4
_CONVOLUTIONS = (Operation.WINOGRAD, Operation.DEEP, Operation.DIRECT, Operation.DEPTHWISE)


def plan_of(file: bytes, *, small: bytes | None = None) -> bytes | None:
    """Of an ONNX file with one picture (1, 3, height, width) as its input and one matte as its
    output, all sizes known. None where it has operators that winograd.c lacks, or needs more memory
    than a device spends on one network.

    `small` is a file of the same network for a smaller picture: the plan tells what to do with one,
    too, with the weights of `file`.
    """
    programs: list[Program] = []
    deep: list[bool] | None = None
    try:
        for one in (file, small):
            if one is not None:
                network = in_floats(onnx.ModelProto.FromString(one))
                planner = _Planner(network, Weights(file, network), deep)
                programs.append(planner.plan(len(file)))
                deep = planner.deep
        return lay_out(*programs)
    except UnfitError:
        return None


class _Planner:
    """`deep` says of each convolution with many filters, in their order, whether these are made in
    every run: as for the same network at another size, or, where it is None, as fits this one."""

    def __init__(self, network: FloatNetwork, weights: Weights, deep: list[bool] | None) -> None:
        self.deep: list[bool] = []
        self._given_deep = deep
        self._graph = network.model.graph
        if len(self._graph.input) != 1 or len(self._graph.output) != 1:
            raise UnfitError
        self._weights = weights
        self._readers = readers(self._graph)
        self._norms = find_normalisations(network.model)
        self._tensors = Tensors(network.model, set(self._norms))
        self._steps = [Step(Operation.INPUT, self._graph.input[0].name, PIXELS)]
        self._packed_floats = 0

    def plan(self, file_bytes: int) -> Program:
        within = {name for norm in self._norms.values() for name in norm.within}
        steps: dict[str, Callable[[onnx.NodeProto], None]] = {
            "Add": self._add,
            "Concat": self._concatenate,
            "Constant": lambda _: None,
            "Conv": self._convolve,
            "Expand": self._rename,
            "GlobalAveragePool": self._average,
            "MatMul": self._multiply_matrix,
            "MaxPool": self._pool,
            "Mul": self._multiply,
            "Reshape": self._rename,
            "Resize": self._resize,
            "Sigmoid": self._sigmoid,
        }
        for node in self._graph.node:
            if node.output[0] in self._tensors.made | within:  # with another step
                continue
            if node.op_type not in steps:
                raise UnfitError
            steps[node.op_type](node)
        if self._steps[-1].target != self._graph.output[0].name:
            raise UnfitError
        return Program(
            steps=self._steps,
            tensors=self._tensors.by_name,
            pixel_floats=self._tensors.pixel_floats,
            source=self._graph.input[0].name,
            target=self._graph.output[0].name,
            packed_floats=self._packed_floats,
            file_bytes=file_bytes,
        )

    def _activated(self, output: str) -> tuple[Activation, str]:
        """What becomes of an output before anything else reads it, and its name then."""
        found = self._readers[output]
        if len(found) != 1 or found[0].op_type not in ("Relu", "Clip"):
            return Activation.NONE, output
        after = found[0].output[0]
        if found[0].op_type == "Relu":
            return Activation.RELU, after
        bounds = [self._weights[name].tolist() for name in found[0].input[1:] if name]
        return (Activation.RELU6, after) if bounds == [0, 6] else (Activation.NONE, output)

    # ---- steps -----------------------------------------------------------------------------------

    def _concatenate(self, node: onnx.NodeProto) -> None:
        name = node.output[0]
        if name in self._norms:
            self._normalise(self._norms[name], name)
            return
        copies = self._tensors.copies.get(name, [])
        for part, placed in copies:
            source = self._tensors.source(part)
            if self._tensors[source].order != self._tensors[placed].order:
                raise UnfitError
            self._tensors.made.add(placed)
            self._steps.append(Step(Operation.ADD, source, placed))
        for part in node.input:
            self._tensors.source(part)
        self._tensors.made.add(name)

    def _normalise(self, norm: Normalisation, output: str) -> None:
        source = self._tensors.source(norm.source)
        tensor = self._tensors[source]
        known, channels = norm.known, tensor.channels
        if known % 4 or tensor.order != tuple(range(channels)) or channels > _MOST_NORMALISED:
            raise UnfitError
        measured, sums = f"{output}@measured", f"{output}@sums"
        others = tuple(range(channels - known))
        view = replace(tensor, offset=tensor.offset + known, order=others)
        self._tensors.by_name[measured] = view
        self._tensors.add(sums, STRIPS, 1, tuple(range(2 * len(others))))
        self._tensors.made |= {measured, sums}
        self._steps.append(Step(Operation.MEASURE, measured, sums))
        activation, output = self._activated(output)
        places = [self._weights.place_of(name) for name in norm.parameters]
        if any(one.steps != NOTHING for one in places):
            raise UnfitError
        scale, bias, mean, variance = places
        self._steps.append(
            Step(
                Operation.NORMALISE,
                source,
                self._tensors.target(output),
                activation=activation,
                other=sums,
                filters=self._packed(channels),
                biases=self._packed(channels),
                filters_source=scale.source,
                biases_source=bias.source,
                filter_steps=mean.source,
                bias_steps=variance.source,
                known=known,
            )
        )

    def _convolve(self, node: onnx.NodeProto) -> None:
        filters = self._weights[node.input[1]]
        if filters.ndim != 4:
            raise UnfitError
        source = self._tensors.source(node.input[0])
        tensor = self._tensors[source]
        written, read, kernel, across = filters.shape
        groups = attribute(node, "group", 1)
        is_depthwise = read == 1 < groups == written == tensor.read
        dilation = attribute(node, "dilations", [1, 1])[0]
        stride = attribute(node, "strides", [1, 1])[0]
        reach = kernel // 2 * dilation
        if (
            not (is_depthwise or (groups == 1 and tensor.read == read))
            or kernel not in (1, 3, 5)
            or across != kernel
            or stride not in (1, 2)
            or attribute(node, "dilations", [1, 1]) != [dilation, dilation]
            or attribute(node, "strides", [1, 1]) != [stride, stride]
            or attribute(node, "pads", [0, 0, 0, 0]) != [reach] * 4
            or attribute(node, "auto_pad", b"NOTSET") != b"NOTSET"
            or (is_depthwise and tensor.order != in_order(written))
        ):
            raise UnfitError
        if is_depthwise:
            operation = Operation.DEPTHWISE
        elif kernel == 3 and stride == 1 and self._is_deep(source, written, read, dilation):
            operation = Operation.DEEP
            source = self._in_tiles(source, dilation, f"{node.output[0]}@tiles")
        elif kernel > 1 and dilation == stride == 1:
            operation = Operation.WINOGRAD
        else:
            operation = Operation.DIRECT
        step = Step(operation, source, "", kernel=kernel, dilation=dilation, stride=stride)
        self._weigh(node, step, written)

    def _is_deep(self, source: str, written: int, read: int, dilation: int) -> bool:
        if written * read <= _MOST_FILTERS or dilation > _MOST_DILATION:
            return False
        # Else the tiles would take more memory than the filters do.
        is_deep = self._tiles_of(source, dilation) <= written
        if self._given_deep is not None:
            if len(self.deep) == len(self._given_deep):
                raise UnfitError
            is_deep = self._given_deep[len(self.deep)]
        self.deep.append(is_deep)
        return is_deep

    def _tiles_of(self, source: str, dilation: int) -> int:
        tensor = self._tensors[source]
        return prod(tiles_along(side, dilation) for side in (tensor.height, tensor.width))

    def _in_tiles(self, source: str, dilation: int, name: str) -> str:
        """V as a tensor: 36 high, as wide as there are tiles. In memory, slices of 64 channels
        follow one another (`read_one_tile`)."""
        tensor = self._tensors[source]
        self._tensors.add(name, PLACES, self._tiles_of(source, dilation), tensor.order)
        self._tensors.made.add(name)
        self._steps.append(Step(Operation.TILES, source, name, dilation=dilation))
        return name

    def _multiply_matrix(self, node: onnx.NodeProto) -> None:
        """A convolution of one pixel."""
        matrix = self._weights[node.input[1]]
        source = self._tensors.source(node.input[0])
        tensor = self._tensors[source]
        if matrix.ndim != 2 or (tensor.height, tensor.width, tensor.read) != (1, 1, len(matrix)):
            raise UnfitError
        step = Step(Operation.DIRECT, source, "", kernel=1, dilation=1, is_transposed=True)
        self._weigh(node, step, matrix.shape[1])

    def _weigh(self, node: onnx.NodeProto, step: Step, written: int) -> None:
        """A step with the weights of a node, and its biases where it has some."""
        read = self._tensors[step.source].channels
        if max(read, in_eights(written)) > _MOST_CHANNELS:
            raise UnfitError
        weights = self._weights.place_of(node.input[1], axis=int(step.is_transposed))
        places = PLACES if step.operation == Operation.WINOGRAD else step.kernel**2
        filters, biases = places * in_eights(written), in_eights(written)
        if step.operation != Operation.DEPTHWISE:
            filters *= read
        if step.operation == Operation.DEEP:
            biases *= 2  # and a scale each
            filters //= 1 if weights.steps == NOTHING else 4  # in bytes
        has_biases = len(node.input) > 2 and node.input[2]
        bias = self._weights.place_of(node.input[2]) if has_biases else Place(NOTHING)
        activation, output = self._activated(node.output[0])
        self._steps.append(
            replace(
                step,
                target=self._tensors.target(output),
                activation=activation,
                filters=self._packed(filters),
                biases=self._packed(biases),
                filters_source=weights.source,
                biases_source=bias.source,
                filter_steps=weights.steps,
                bias_steps=bias.steps,
                bits=weights.bits,
            )
        )

    def _packed(self, floats: int) -> int:
        start = self._packed_floats
        self._packed_floats += -(-floats // 16) * 16
        return start

    def _add(self, node: onnx.NodeProto) -> None:
        last, (first, second) = self._steps[-1], node.input
        if last.target == second:
            first, second = second, first
        is_fused = last.target == first != second and len(self._readers[first]) == 1
        other = self._tensors.source(second)
        if is_fused and last.operation in _CONVOLUTIONS and not last.other:
            if self._tensors[first].buffer != first:
                raise UnfitError
            order = self._tensors[first].order
            del self._tensors.by_name[first]
            target = self._tensors.target(node.output[0], order)
            self._steps[-1] = replace(last, target=target, other=other)
        else:
            source = self._tensors.source(first)
            order = self._tensors[source].order
            target = self._tensors.like(source, node.output[0])
            self._steps.append(Step(Operation.ADD, source, target, other=other))
        sizes = {self._tensors.size_of(name) for name in (first, second, node.output[0])}
        if len(sizes) > 1 or self._tensors[other].order != order:
            raise UnfitError

    def _multiply(self, node: onnx.NodeProto) -> None:
        """By one number for each channel."""
        output = node.output[0]
        source, factor = (self._tensors.source(name) for name in node.input)
        if self._tensors.size_of(source)[1:] == (1, 1):
            source, factor = factor, source
        ranks = {self._tensors.rank_of(name) for name in (*node.input, output)}
        if (
            len(ranks) > 1
            or self._tensors.size_of(source) != self._tensors.size_of(output)
            or self._tensors.size_of(factor)[1:] != (1, 1)
            or self._tensors[source].order != self._tensors[factor].order
        ):
            raise UnfitError
        target = self._tensors.like(source, output)
        self._steps.append(Step(Operation.MULTIPLY, source, target, other=factor))

    def _average(self, node: onnx.NodeProto) -> None:
        source = self._tensors.source(node.input[0])
        self._steps.append(Step(Operation.MEAN, source, self._tensors.like(source, node.output[0])))

    def _rename(self, node: onnx.NodeProto) -> None:
        """One pixel of another shape; one that is shown everywhere is multiplied with."""
        source = self._tensors.source(node.input[0])
        name = node.output[0]
        is_shown = {reader.op_type for reader in self._readers[name]} <= {"Mul"}
        tensor, size = self._tensors[source], self._tensors.size_of(name)
        is_one = (tensor.height, tensor.width) == (1, 1) and tensor.read == size[0]
        if not is_one or (size[1:] != (1, 1) and not is_shown):
            raise UnfitError
        self._tensors.aliases[name] = source

    def _pool(self, node: onnx.NodeProto) -> None:
        source = self._tensors.source(node.input[0])
        target = self._tensors.like(source, node.output[0])
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
        source = self._tensors.source(node.input[0])
        before, after = (
            self._tensors.size_of(name)[1:] for name in (node.input[0], node.output[0])
        )
        to_one_pixel = any(new == 1 < old for old, new in zip(before, after, strict=True))
        given = node.input[2] if len(node.input) > 2 else ""
        if (
            attribute(node, "mode", b"nearest") != b"linear"
            or mode not in (b"half_pixel", b"pytorch_half_pixel")
            # PyTorch takes the first one, not the middle.
            or (mode == b"pytorch_half_pixel" and to_one_pixel)
            or attribute(node, "antialias", 0)
            or attribute(node, "axes", [0, 1, 2, 3]) != [0, 1, 2, 3]
            # What ONNX Runtime goes by, where the sizes are rounded.
            or (given and not _are_ratios(self._weights[given], before, after))
        ):
            raise UnfitError
        target = self._tensors.like(source, node.output[0])
        self._steps.append(Step(Operation.RESIZE, source, target))

    def _sigmoid(self, node: onnx.NodeProto) -> None:
        source, output = self._tensors.source(node.input[0]), node.output[0]
        channels, height, width = self._tensors.size_of(output)
        if output != self._graph.output[0].name:
            self._steps.append(Step(Operation.SIGMOID, source, self._tensors.like(source, output)))
            return
        if channels != 1:
            raise UnfitError
        self._tensors.add(output, height, width, (0,))
        self._tensors.made.add(output)
        self._steps.append(Step(Operation.SIGMOID, source, output))


def _are_ratios(scales: npt.NDArray[Any], before: tuple[int, int], after: tuple[int, int]) -> bool:
    ratios = np.divide(after, before, dtype=np.float64).astype(np.float32)
    return scales.size == 0 or np.array_equal(scales, [1, 1, *ratios])
