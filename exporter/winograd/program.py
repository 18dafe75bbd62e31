"""The steps of web/wasm/winograd.c that run a network, and the values that they read and write.

plan.py makes a program of an ONNX graph, layout.py the bytes of one.
"""

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "NOTHING",
    "PLACES",
    "STRIPS",
    "Activation",
    "Operation",
    "Program",
    "Step",
    "Tensor",
    "UnfitError",
    "in_eights",
    "in_fours",
    "tiles_along",
]

#: Numbers that a filter of 3 x 3 has once it is transformed.
PLACES = 36
#: A picture is measured and normalised in so many pieces.
STRIPS = 16
NOTHING = -1


class Operation(IntEnum):
    """As in winograd.c."""

    WINOGRAD = 0
    DIRECT = 1
    MAX_POOL = 2
    RESIZE = 3
    ADD = 4
    SIGMOID = 5
    INPUT = 6
    DEPTHWISE = 7
    MEAN = 8
    MULTIPLY = 9
    MEASURE = 10
    NORMALISE = 11
    TILES = 12
    DEEP = 13


class Activation(IntEnum):
    """As in winograd.c."""

    NONE = 0
    RELU = 1
    RELU6 = 2


class UnfitError(Exception):
    """The network has something that winograd.c cannot do."""


@dataclass(frozen=True)
class Tensor:
    """Where a value lies: `offset` floats from where each pixel of a buffer starts. `order`: which
    channel of the graph's value each one is, NOTHING for padding."""

    buffer: str
    offset: int
    height: int
    width: int
    order: tuple[int, ...]

    @property
    def channels(self) -> int:
        """With padding."""
        return len(self.order)

    @property
    def read(self) -> int:
        """Without."""
        return sum(channel != NOTHING for channel in self.order)


@dataclass(frozen=True)
class Step:
    """Values by their names in the graph. `filters` and `biases` are places, in floats, among the
    packed ones; those with `_source` places, in bytes, in the ONNX file, and so are the steps of
    whole numbers. `known`: how many channels have known means, variances and so on, whose places
    are those of filters, biases and their steps."""

    operation: Operation
    source: str
    target: str
    activation: Activation = Activation.NONE
    kernel: int = 0
    dilation: int = 0
    stride: int = 1
    other: str = ""
    filters: int = NOTHING
    biases: int = NOTHING
    filters_source: int = NOTHING
    biases_source: int = NOTHING
    filter_steps: int = NOTHING
    bias_steps: int = NOTHING
    is_transposed: bool = False
    bits: int = 32
    known: int = NOTHING


@dataclass(frozen=True)
class Program:
    """`pixel_floats`: by buffer, from one pixel to the next. The network's input is `source`, its
    output `target`."""

    steps: list[Step]
    tensors: dict[str, Tensor]
    pixel_floats: dict[str, int]
    source: str
    target: str
    packed_floats: int
    file_bytes: int


def in_fours(channels: int) -> int:
    return -(-channels // 4) * 4


def in_eights(channels: int) -> int:
    return -(-channels // 8) * 8


def tiles_along(size: int, dilation: int) -> int:
    """Of 4 results each, where every `dilation`th pixel belongs together."""
    return sum(-(-len(range(phase, size, dilation)) // 4) for phase in range(dilation))
