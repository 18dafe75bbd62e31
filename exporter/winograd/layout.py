"""Where everything lies in memory while a program runs, and the bytes that tell winograd.c."""

import struct
from dataclasses import astuple, dataclass, replace

from exporter.winograd.arena import Life, arrange
from exporter.winograd.program import (
    NOTHING,
    PLACES,
    Operation,
    Program,
    Step,
    UnfitError,
    in_eights,
)

__all__ = ["MOST_BYTES", "lay_out"]

#: What a device spends on one network. Filters take four times the bytes that they have in the
#: file, so the large U2-Net would need 0.8 GB; it is smaller in int8 with ONNX Runtime.
MOST_BYTES = 400_000_000

# As in winograd.c.
_MAGIC = 0x4E494757
_ROWS, _STACK_FLOATS, _MOST_STEPS = 4, 4096, 1024

# What the tiles of one piece may take while they are convolved: half of a core's second cache.
_PIECE_FLOATS = 49_152
_MOST_TILES = 48


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


def lay_out(program: Program) -> bytes:
    """Raises UnfitError where that would need more than MOST_BYTES, or more steps than there may
    be."""
    if len(program.steps) > _MOST_STEPS or program.steps[-1].operation != Operation.SIGMOID:
        raise UnfitError
    places, arena_floats = arrange(_lives(program))
    # The file lies there until its filters are packed.
    arena_floats = max(arena_floats, -(-program.file_bytes // 4))
    rows = [_row(program, step, places) for step in program.steps]
    piece_floats = max(
        (_piece_floats(row) for row in rows if row.operation == Operation.WINOGRAD), default=0
    )
    thread_floats = -(-(_STACK_FLOATS + piece_floats) // 16) * 16
    if 4 * (program.packed_floats + arena_floats + thread_floats) > MOST_BYTES:
        raise UnfitError
    source, target = program.tensors[program.source], program.tensors[program.target]
    head = (
        _MAGIC,
        len(rows),
        program.packed_floats,
        -(-arena_floats // 16) * 16,
        thread_floats,
        places[source.buffer],
        places[target.buffer],
        source.height,
        source.width,
    )
    return b"".join(
        [
            struct.pack("<16i", *head, *[0] * (16 - len(head))),
            *(struct.pack("<24i", *astuple(row)) for row in rows),
        ]
    )


def _lives(program: Program) -> dict[str, Life]:
    # The input is written before the first step, the output read after the last.
    used = [
        [program.source],
        *([one.source, one.target, one.other] for one in program.steps),
        [program.target],
    ]
    spans: dict[str, list[int]] = {}
    for time, names in enumerate(used):
        for name in filter(None, names):
            spans.setdefault(program.tensors[name].buffer, []).append(time)
    return {
        buffer: Life(_floats_of(program, buffer), min(times), max(times))
        for buffer, times in spans.items()
    }


def _floats_of(program: Program, buffer: str) -> int:
    tensor = program.tensors[buffer]
    return tensor.height * tensor.width * program.strides[buffer]


def _row(program: Program, step: Step, places: dict[str, int]) -> _Row:
    source, target = program.tensors[step.source], program.tensors[step.target]
    other = program.tensors[step.other] if step.other else None
    row = _Row(
        operation=step.operation,
        has_relu=int(step.has_relu),
        kernel=step.kernel,
        dilation=step.dilation,
        source=places[source.buffer] + source.offset,
        source_stride=program.strides[source.buffer],
        source_height=source.height,
        source_width=source.width,
        source_channels=source.channels,
        group=source.group,
        read=source.read,
        target=places[target.buffer] + target.offset,
        target_stride=program.strides[target.buffer],
        target_height=target.height,
        target_width=target.width,
        target_channels=target.channels,
        written=target.read,
        other=places[other.buffer] + other.offset if other else NOTHING,
        other_stride=program.strides[other.buffer] if other else 0,
        filters=step.filters,
        biases=step.biases,
        filters_source=step.filters_source,
        biases_source=step.biases_source,
        tiles=0,
    )
    return replace(row, tiles=_tiles(row)) if step.operation == Operation.WINOGRAD else row


def _tile_floats(row: _Row) -> int:
    return PLACES * (row.source_channels + in_eights(row.target_channels))


def _tiles(row: _Row) -> int:
    fitting = _PIECE_FLOATS // _tile_floats(row) // _ROWS * _ROWS
    return min(max(fitting, _ROWS), _MOST_TILES)


def _piece_floats(row: _Row) -> int:
    return row.tiles * _tile_floats(row)
