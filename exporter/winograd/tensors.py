"""Where the values of a graph lie while winograd.c runs it.

What is concatenated is written side by side from the start, unless it lies elsewhere already: then
it is copied.
"""

import onnx

from exporter.passes.graph import attribute, shapes
from exporter.winograd.program import NOTHING, Tensor, UnfitError, in_fours

__all__ = ["PIXELS", "Tensors", "in_order"]

#: The input, once it has been written pixel by pixel.
PIXELS = "@pixels"
#: What writes no tensor of its own.
_VIEWS = ("Concat", "Constant", "Expand", "Reshape", "Slice")


class Tensors:
    """`joined` are concatenations that a step of their own writes."""

    def __init__(self, model: onnx.ModelProto, joined: set[str]) -> None:
        self.by_name: dict[str, Tensor] = {}
        self.pixel_floats: dict[str, int] = {}
        #: What a step has written.
        self.made: set[str] = set()
        #: Other names of what is there already.
        self.aliases: dict[str, str] = {}
        #: Of a concatenation: what is copied into it, and the name that it has there.
        self.copies: dict[str, list[tuple[str, str]]] = {}
        self._graph = model.graph
        self._shapes = shapes(model)
        self._read_input(model.graph.input[0].name)
        self._place_parts(joined)

    def __getitem__(self, name: str) -> Tensor:
        return self.by_name[name]

    def _read_input(self, name: str) -> None:
        channels, height, width = self.size_of(name)
        if channels != 3:
            raise UnfitError
        # Three planes; what reads the input reads the pixels that the first step makes of them.
        self.add(PIXELS, height, width, in_order(3))
        self.add(name, height, width, (0, 1, 2))
        self.made.add(PIXELS)

    def _place_parts(self, joined: set[str]) -> None:
        views = {node.output[0] for node in self._graph.node if node.op_type in _VIEWS} - joined
        for node in self._graph.node:
            name = node.output[0]
            if node.op_type != "Concat" or name in joined:
                continue
            if attribute(node, "axis", 0) != 1:
                raise UnfitError
            _, height, width = self.size_of(name)
            order: list[int] = []
            for part in node.input:
                lies_elsewhere = part in self.by_name or part in views
                placed = f"{name}@{len(order)}" if lies_elsewhere else part
                if lies_elsewhere:
                    self.copies.setdefault(name, []).append((part, placed))
                own = self._order_of(part)
                self.by_name[placed] = Tensor(name, len(order), height, width, own)
                before = sum(channel != NOTHING for channel in order)
                order += [one if one == NOTHING else before + one for one in own]
            self.add(name, height, width, tuple(order))

    def _order_of(self, part: str) -> tuple[int, ...]:
        is_joined = part in self.by_name and part != self._graph.input[0].name
        return self.by_name[part].order if is_joined else in_order(self.size_of(part)[0])

    def add(self, name: str, height: int, width: int, order: tuple[int, ...]) -> None:
        self.by_name[name] = Tensor(name, 0, height, width, order)
        self.pixel_floats[name] = len(order)

    def size_of(self, name: str) -> tuple[int, int, int]:
        """Of what has no height and width, they are 1."""
        shape = self._shapes.get(name, ())
        if len(shape) == 2:
            shape = (*shape, 1, 1)
        if len(shape) != 4 or shape[0] != 1 or 0 in shape:
            raise UnfitError
        _, channels, height, width = shape
        return channels, height, width

    def rank_of(self, name: str) -> int:
        return len(self._shapes.get(name, ()))

    def source(self, name: str) -> str:
        """What a step reads where the graph reads `name`. Raises UnfitError where no step has
        written that: a weight, or what an operator writes besides."""
        name = PIXELS if name == self._graph.input[0].name else self.aliases.get(name, name)
        if name not in self.made:
            raise UnfitError
        return name

    def target(self, name: str, order: tuple[int, ...] | None = None) -> str:
        """What a step writes, of these channels, or of those of the graph in their order."""
        channels, height, width = self.size_of(name)
        order = order or in_order(channels)
        if name not in self.by_name:
            self.add(name, height, width, order)
        if self.by_name[name].order != order:
            raise UnfitError
        self.made.add(name)
        return name

    def like(self, source: str, name: str) -> str:
        """A target with the channels of `source`."""
        order = self.by_name[source].order
        if self.size_of(name)[0] != self.by_name[source].read:
            raise UnfitError
        return self.target(name, order)


def in_order(channels: int) -> tuple[int, ...]:
    """All channels of a value, and padding."""
    return (*range(channels), *[NOTHING] * (in_fours(channels) - channels))
