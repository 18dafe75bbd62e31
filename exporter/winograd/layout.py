"""Where everything lies in memory while a program runs, and the bytes that tell winograd.c."""

import struct
from dataclasses import astuple, dataclass, fields, replace

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

#: What a device spends on one network. The large U2-Net takes 0.22 GB from its file in int8, and
#: 0.41 from that in float32, which lies there beside its filters at first.
MOST_BYTES = 450_000_000
_MOST_THREADS = 4  # as in device.js

# As in winograd.c.
_MAGIC = 0x4E494757
_ROWS, _STACK_FLOATS, _MOST_STEPS = 4, 4096, 1024
_PLACE_FLOATS, _OUT_SLICE = 1040, 16
# Among the 16 numbers before the steps, which is a cache line.
_ARENA_FLOATS, _THREAD_FLOATS, _CHECKSUM, _BYTES, _SMALL = 3, 4, 9, 10, 11
_LINE = 16

# What the tiles of one piece may take while they are convolved: half of a core's second cache.
_PIECE_FLOATS = 49_152
_MOST_TILES = 48
# Filters that do not fit there are read anew for every piece: by fewer pieces then.
_TILES_OF_LARGE_FILTERS = 32


@dataclass(frozen=True)
class _Row:
    """A Step of winograd.c."""

    operation: int
    activation: int
    kernel: int
    dilation: int
    stride: int
    source: int
    source_pixel_floats: int
    source_height: int
    source_width: int
    source_channels: int
    order: int
    file_source_channels: int
    target: int
    target_pixel_floats: int
    target_height: int
    target_width: int
    target_channels: int
    file_target_channels: int
    other: int
    other_pixel_floats: int
    filters: int
    biases: int
    filters_source: int
    biases_source: int
    filter_steps: int
    bias_steps: int
    is_transposed: int
    bits: int
    tiles: int


@dataclass(frozen=True)
class _Plan:
    head: list[int]
    rows: list[_Row]
    orders: list[int]

    @property
    def numbers(self) -> list[int]:
        return [*self.head, *(one for row in self.rows for one in astuple(row)), *self.orders]


def lay_out(program: Program, small: Program | None = None) -> bytes:
    """The plan, and behind it that of the same network for a smaller picture.

    Raises UnfitError where that would need more than MOST_BYTES, or more steps than there may be.
    """
    plans = [_plan(one) for one in (program, small) if one]
    if small and not _fits_into(plans[1], plans[0], small, program):
        raise UnfitError
    numbers = [number for plan in plans for number in plan.numbers]
    numbers += [0] * (-len(numbers) % _LINE)
    numbers[_BYTES] = 4 * len(numbers)
    numbers[_SMALL] = 4 * len(plans[0].numbers) if small else 0
    numbers[_CHECKSUM] = _checksum(numbers)
    return struct.pack(f"<{len(numbers)}i", *numbers)


def _fits_into(inner: _Plan, outer: _Plan, small: Program, program: Program) -> bool:
    """In the same memory, with the same filters at the same places."""
    packed = [
        [
            (
                *(step.operation, step.filters, step.biases),
                *(step.filters_source, step.biases_source, step.filter_steps, step.bias_steps),
            )
            for step in one.steps
        ]
        for one in (small, program)
    ]
    return packed[0] == packed[1] and all(
        inner.head[at] <= outer.head[at] for at in (_ARENA_FLOATS, _THREAD_FLOATS)
    )


def _checksum(numbers: list[int]) -> int:
    """As in winograd.js: of all but the checksum itself, in 32 bits with a sign."""
    total = 0
    for at, number in enumerate(numbers):
        if at != _CHECKSUM:
            total = (31 * total + number) & 0xFFFFFFFF
    return total - (1 << 32) if total >> 31 else total


def _plan(program: Program) -> _Plan:
    if len(program.steps) > _MOST_STEPS or program.steps[-1].operation != Operation.SIGMOID:
        raise UnfitError
    places, arena_floats = arrange(_lives(program))
    # The file lies there until its filters are packed.
    arena_floats = max(arena_floats, -(-program.file_bytes // 4))
    orders = _Orders(_LINE + len(program.steps) * len(fields(_Row)))
    rows = [_row(program, step, places, orders) for step in program.steps]
    piece_floats = max((_piece_floats(row) for row in rows), default=0)
    thread_floats = -(-(_STACK_FLOATS + piece_floats) // 16) * 16
    all_floats = program.packed_floats + arena_floats + _MOST_THREADS * thread_floats
    if 4 * all_floats > MOST_BYTES:
        raise UnfitError
    source, target = program.tensors[program.source], program.tensors[program.target]
    head = [
        _MAGIC,
        len(rows),
        program.packed_floats,
        -(-arena_floats // 16) * 16,
        thread_floats,
        places[source.buffer],
        places[target.buffer],
        source.height,
        source.width,
    ]
    return _Plan(head + [0] * (_LINE - len(head)), rows, orders.numbers)


class _Orders:
    """Behind the steps, from `start` on; equal ones once."""

    def __init__(self, start: int) -> None:
        self.numbers: list[int] = []
        self._start = start
        self._places: dict[tuple[int, ...], int] = {}

    def place_of(self, order: tuple[int, ...]) -> int:
        if order not in self._places:
            self._places[order] = self._start + len(self.numbers)
            self.numbers += order
        return self._places[order]


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
    return tensor.height * tensor.width * program.pixel_floats[buffer]


def _row(program: Program, step: Step, places: dict[str, int], orders: _Orders) -> _Row:
    source, target = program.tensors[step.source], program.tensors[step.target]
    other = program.tensors[step.other] if step.other else None
    row = _Row(
        operation=step.operation,
        activation=step.activation,
        kernel=step.kernel,
        dilation=step.dilation,
        stride=step.stride,
        source=places[source.buffer] + source.offset,
        source_pixel_floats=program.pixel_floats[source.buffer],
        source_height=source.height,
        source_width=source.width,
        source_channels=source.channels,
        order=orders.place_of(source.order),
        file_source_channels=source.read if step.known == NOTHING else step.known,
        target=places[target.buffer] + target.offset,
        target_pixel_floats=program.pixel_floats[target.buffer],
        target_height=target.height,
        target_width=target.width,
        target_channels=target.channels,
        file_target_channels=target.read,
        other=places[other.buffer] + other.offset if other else NOTHING,
        other_pixel_floats=program.pixel_floats[other.buffer] if other else 0,
        filters=step.filters,
        biases=step.biases,
        filters_source=step.filters_source,
        biases_source=step.biases_source,
        filter_steps=step.filter_steps,
        bias_steps=step.bias_steps,
        is_transposed=int(step.is_transposed),
        bits=step.bits,
        tiles=0,
    )
    return replace(row, tiles=_tiles(row)) if step.operation == Operation.WINOGRAD else row


def _tile_floats(row: _Row) -> int:
    return PLACES * (row.source_channels + in_eights(row.target_channels))


def _tiles(row: _Row) -> int:
    fitting = _PIECE_FLOATS // _tile_floats(row) // _ROWS * _ROWS
    is_large = row.source_channels * in_eights(row.target_channels) > _PIECE_FLOATS
    return min(max(fitting, _TILES_OF_LARGE_FILTERS if is_large else _ROWS), _MOST_TILES)


def _piece_floats(row: _Row) -> int:
    """What a thread needs beside its stack."""
    if row.operation == Operation.DEEP:
        tiles = -(-row.source_width // _ROWS) * _ROWS
        return PLACES * (_PLACE_FLOATS + _OUT_SLICE * tiles)
    return row.tiles * _tile_floats(row)
