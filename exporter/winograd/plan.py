"""What web/wasm/winograd.c has to do to run a network: the steps, and where it finds what in which.

x ──> Conv ──> Relu ──┐
                      ├──> Add ──> y        one step
r ────────────────────┘

a ──┐
b ──┼──> Concat ──> y                       no step: a, b and c are written where y has them
c ──┘

Weights stay in the ONNX file, of which the plan knows the places: one file serves both engines.
"""

import struct
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

import numpy as np
import onnx
from onnx import numpy_helper

from exporter.passes.graph import attribute, readers, shapes
from exporter.winograd.arena import Life, arrange

__all__ = ["MOST_BYTES", "plan_of"]

#: What a device spends on one network. Filters take four times the bytes that they have in the
#: file, so the large U2-Net would need 0.8 GB; it is smaller in int8 with ONNX Runtime.
MOST_BYTES = 400_000_000

# As in winograd.c.
_WINOGRAD, _DIRECT, _MAX_POOL, _RESIZE, _ADD, _SIGMOID, _INPUT = range(7)
_MAGIC = 0x4E494757
_PLACES, _ROWS, _STACK_FLOATS = 36, 4, 4096
_MOST_STEPS, _MOST_CHANNELS = 1024, 4096
_NOTHING = -1

# What the tiles of one piece may take while they are convolved: half of a core's second cache.
_PIECE_FLOATS = 49_152
_MOST_TILES = 48

_PIXELS = "@pixels"


@dataclass(frozen=True)
class _Tensor:
    """Where a value lies: `offset` floats from where each pixel of a buffer starts, `channels` with
    all padding. `group`: so many channels stand before the padding of each concatenated part."""

    buffer: str
    offset: int
    height: int
    width: int
    channels: int
    read: int
    group: int


@dataclass(frozen=True)
class _Step:
    operation: int
    source: str
    target: str
    has_relu: bool = False
    kernel: int = 0
    dilation: int = 0
    other: str = ""
    filters: int = _NOTHING
    biases: int = _NOTHING
    filters_source: int = _NOTHING
    biases_source: int = _NOTHING


@dataclass(frozen=True)
class _Row:
    """A Step of winograd.c."""

    operation: int
    has_relu: int
    kernel: int
    dilation: int
    source: int
    source_stride: int
    source_height: int
    source_width: int
    source_channels: int
    group: int
    read: int
    target: int
    target_stride: int
    target_height: int
    target_width: int
    target_channels: int
    written: int
    other: int
    other_stride: int
    filters: int
    biases: int
    filters_source: int
    biases_source: int
    tiles: int


class _UnfitError(Exception):
    """The network has something that winograd.c cannot do."""


def plan_of(file: bytes) -> bytes | None:
    """Of an ONNX file with one picture (1, 3, height, width) as its input and one matte as its
    output, all sizes known. None where it has operators that winograd.c lacks, or needs more than
    MOST_BYTES."""
    model = onnx.ModelProto.FromString(file)
    try:
        return _Planner(model, file).plan()
    except _UnfitError:
        return None


class _Planner:
    def __init__(self, model: onnx.ModelProto, file: bytes) -> None:
        self._graph = model.graph
        self._file = file
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._shapes = shapes(model)
        self._readers = readers(model.graph)
        self._tensors: dict[str, _Tensor] = {}
        self._strides: dict[str, int] = {}
        self._steps: list[_Step] = []
        self._packed_floats = 0
        self._made: set[str] = set()

    def plan(self) -> bytes:
        if len(self._graph.input) != 1 or len(self._graph.output) != 1:
            raise _UnfitError
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
                raise _UnfitError
            steps[node.op_type](node)
        return self._written()

    # ---- tensors ---------------------------------------------------------------------------------

    def _read_input(self, name: str) -> None:
        shape = self._shapes.get(name, ())
        if len(shape) != 4 or shape[:2] != (1, 3) or 0 in shape:
            raise _UnfitError
        _, _, height, width = shape
        # Three planes; what reads the input reads the pixels that the first step makes of them.
        self._tensors[_PIXELS] = _Tensor(_PIXELS, 0, height, width, 4, 3, 3)
        self._strides[_PIXELS] = 4
        self._tensors[name] = _Tensor(name, 0, height, width, 3, 3, 3)
        self._strides[name] = 3
        self._made.add(_PIXELS)
        self._steps.append(_Step(_INPUT, name, _PIXELS))

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
                raise _UnfitError
            parts = [self._size_of(name) for name in node.input]
            counts = [channels for channels, _, _ in parts]
            padded = [_in_fours(count) for count in counts]
            whole = counts == padded
            if not whole and len(set(counts)) > 1:
                raise _UnfitError
            name = node.output[0]
            for part, (count, height, width), end in zip(
                node.input, parts, np.cumsum(padded).tolist(), strict=True
            ):
                start = end - _in_fours(count)
                self._tensors[part] = _Tensor(
                    name, start, height, width, _in_fours(count), count, count
                )
            channels, height, width = self._size_of(name)
            group = channels if whole else counts[0]
            self._tensors[name] = _Tensor(name, 0, height, width, sum(padded), channels, group)
            self._strides[name] = sum(padded)

    def _size_of(self, name: str) -> tuple[int, int, int]:
        shape = self._shapes.get(name, ())
        if len(shape) != 4 or shape[0] != 1 or 0 in shape:
            raise _UnfitError
        _, channels, height, width = shape
        return channels, height, width

    def _source(self, name: str) -> str:
        """What a step reads where the graph reads `name`."""
        name = _PIXELS if name == self._graph.input[0].name else name
        if name not in self._made:  # a weight, or what an operator writes besides
            raise _UnfitError
        return name

    def _target(self, name: str) -> str:
        if name not in self._tensors:
            channels, height, width = self._size_of(name)
            padded = _in_fours(channels)
            self._tensors[name] = _Tensor(name, 0, height, width, padded, channels, channels)
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
            raise _UnfitError
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
            raise _UnfitError
        source, output = self._source(node.input[0]), node.output[0]
        has_relu = self._only_reader(output, "Relu")
        if has_relu:
            output = has_relu.output[0]
        channels = self._tensors[source].channels
        if (
            max(channels, _in_eights(written)) > _MOST_CHANNELS
            or self._tensors[source].read != read
        ):
            raise _UnfitError
        is_winograd = kernel == 3 and dilation == 1
        places = _PLACES if is_winograd else kernel * kernel
        self._steps.append(
            _Step(
                _WINOGRAD if is_winograd else _DIRECT,
                source,
                self._target(output),
                has_relu=has_relu is not None,
                kernel=kernel,
                dilation=dilation,
                filters=self._packed(places * channels * _in_eights(written)),
                biases=self._packed(_in_eights(written)),
                filters_source=self._place_of(filters),
                biases_source=self._biases_of(node),
            )
        )

    def _biases_of(self, node: onnx.NodeProto) -> int:
        if len(node.input) < 3:
            return _NOTHING
        biases = self._weights.get(node.input[2])
        if biases is None:
            raise _UnfitError
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
            raise _UnfitError
        return place

    def _add(self, node: onnx.NodeProto) -> None:
        last, (first, second) = self._steps[-1], node.input
        if last.target == second:
            first, second = second, first
        is_fused = last.target == first and len(self._readers[first]) == 1
        if is_fused and last.operation in (_WINOGRAD, _DIRECT) and not last.other:
            if self._tensors[first].buffer != first:
                raise _UnfitError
            del self._tensors[first]
            target = self._target(node.output[0])
            self._steps[-1] = replace(last, target=target, other=self._source(second))
        else:
            sources = self._source(first), self._source(second)
            self._steps.append(
                _Step(_ADD, sources[0], self._target(node.output[0]), other=sources[1])
            )
        if self._size_of(first) != self._size_of(second):
            raise _UnfitError

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
            raise _UnfitError
        self._steps.append(_Step(_MAX_POOL, source, target))

    def _resize(self, node: onnx.NodeProto) -> None:
        mode = attribute(node, "coordinate_transformation_mode", b"half_pixel")
        if attribute(node, "mode", b"nearest") != b"linear" or mode not in (
            b"half_pixel",
            b"pytorch_half_pixel",  # the same, but for outputs of one pixel
        ):
            raise _UnfitError
        source, target = self._source(node.input[0]), self._target(node.output[0])
        if attribute(node, "antialias", 0) or self._size_of(node.output[0])[0] != (
            self._tensors[source].read
        ):
            raise _UnfitError
        self._steps.append(_Step(_RESIZE, source, target))

    def _sigmoid(self, node: onnx.NodeProto) -> None:
        output = node.output[0]
        channels, height, width = self._size_of(output)
        if channels != 1 or output != self._graph.output[0].name:
            raise _UnfitError
        self._tensors[output] = _Tensor(output, 0, height, width, 1, 1, 1)
        self._strides[output] = 1
        self._made.add(output)
        self._steps.append(_Step(_SIGMOID, self._source(node.input[0]), output))

    # ---- bytes -----------------------------------------------------------------------------------

    def _written(self) -> bytes:
        if len(self._steps) > _MOST_STEPS or self._steps[-1].operation != _SIGMOID:
            raise _UnfitError
        places, arena_floats = arrange(self._lives())
        # The file lies there until its filters are packed.
        arena_floats = max(arena_floats, -(-len(self._file) // 4))
        rows = [self._row(step, places) for step in self._steps]
        piece_floats = max(
            (_piece_floats(row) for row in rows if row.operation == _WINOGRAD), default=0
        )
        thread_floats = -(-(_STACK_FLOATS + piece_floats) // 16) * 16
        if 4 * (self._packed_floats + arena_floats + thread_floats) > MOST_BYTES:
            raise _UnfitError
        source, target = self._tensors[self._graph.input[0].name], self._graph.output[0].name
        head = (
            _MAGIC,
            len(rows),
            self._packed_floats,
            -(-arena_floats // 16) * 16,
            thread_floats,
            places[source.buffer],
            places[self._tensors[target].buffer],
            source.height,
            source.width,
        )
        return b"".join(
            [
                struct.pack("<16i", *head, *[0] * (16 - len(head))),
                *(struct.pack("<24i", *astuple(row)) for row in rows),
            ]
        )

    def _lives(self) -> dict[str, Life]:
        # The input is written before the first step, the output read after the last.
        used = [
            [self._tensors[self._graph.input[0].name].buffer],
            *(
                [self._tensors[name].buffer for name in (one.source, one.target, one.other) if name]
                for one in self._steps
            ),
            [self._tensors[self._graph.output[0].name].buffer],
        ]
        spans: dict[str, list[int]] = {}
        for time, buffers in enumerate(used):
            for buffer in buffers:
                spans.setdefault(buffer, []).append(time)
        return {
            buffer: Life(self._floats_of(buffer), min(times), max(times))
            for buffer, times in spans.items()
        }

    def _floats_of(self, buffer: str) -> int:
        tensor = self._tensors[buffer]
        return tensor.height * tensor.width * self._strides[buffer]

    def _row(self, step: _Step, places: dict[str, int]) -> _Row:
        source, target = self._tensors[step.source], self._tensors[step.target]
        other = self._tensors[step.other] if step.other else None
        row = _Row(
            operation=step.operation,
            has_relu=int(step.has_relu),
            kernel=step.kernel,
            dilation=step.dilation,
            source=places[source.buffer] + source.offset,
            source_stride=self._strides[source.buffer],
            source_height=source.height,
            source_width=source.width,
            source_channels=source.channels,
            group=source.group,
            read=source.read,
            target=places[target.buffer] + target.offset,
            target_stride=self._strides[target.buffer],
            target_height=target.height,
            target_width=target.width,
            target_channels=target.channels,
            written=target.read,
            other=places[other.buffer] + other.offset if other else _NOTHING,
            other_stride=self._strides[other.buffer] if other else 0,
            filters=step.filters,
            biases=step.biases,
            filters_source=step.filters_source,
            biases_source=step.biases_source,
            tiles=0,
        )
        return replace(row, tiles=_tiles(row)) if step.operation == _WINOGRAD else row


def _in_fours(channels: int) -> int:
    return -(-channels // 4) * 4


def _in_eights(channels: int) -> int:
    return -(-channels // 8) * 8


def _tile_floats(row: _Row) -> int:
    return _PLACES * (row.source_channels + _in_eights(row.target_channels))


def _tiles(row: _Row) -> int:
    fitting = _PIECE_FLOATS // _tile_floats(row) // _ROWS * _ROWS
    return min(max(fitting, _ROWS), _MOST_TILES)


def _piece_floats(row: _Row) -> int:
    return row.tiles * _tile_floats(row)
