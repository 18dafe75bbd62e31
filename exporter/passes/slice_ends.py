"""Writes the bounds of slices as indices that are really there.

Slice [32 : 9223372036854775807]   ──>   Slice [32 : 64]

WebGL knows no integer of 64 bits ("int64 is not supported"): bounds have to fit into 32.
"""

import numpy as np
import onnx

from exporter.errors import PassError
from exporter.passes.graph import (
    constants,
    copy_of,
    drop_unread,
    name_of,
    set_initializer,
    shapes,
    unused_name,
)

__all__ = ["apply"]

_INT32 = np.iinfo(np.int32)


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError with the node's name where a size or a bound is not known."""
    bounded = copy_of(model)
    graph = bounded.graph
    known = constants(model)
    sizes = shapes(model)
    changed = False
    for node in graph.node:
        if node.op_type != "Slice" or len(node.input) < 3:
            continue
        if any(name not in known for name in node.input[1:] if name):
            raise PassError(f"slice_ends: {name_of(node)}: Expected bounds that are constants.")
        bounds = [known[name].astype(np.int64) for name in node.input[1:3]]
        if all(_fits(one) for one in bounds):
            continue
        axes = _optional(node, 3, known, np.arange(len(bounds[0])))
        steps = _optional(node, 4, known, np.ones(len(bounds[0]), np.int64))
        shape = sizes.get(node.input[0], ())
        if not shape or not all(shape[axis] for axis in axes) or (steps < 1).any():
            raise PassError(
                f"slice_ends: {name_of(node)}: Expected a fixed input size and steps forward, "
                f"received {shape or 'an unknown size'} and steps {steps.tolist()}."
            )
        indices = [
            slice(start, end, step).indices(shape[axis])
            for start, end, step, axis in zip(*bounds, steps, axes, strict=True)
        ]
        for place, values in enumerate(list(zip(*indices, strict=True))[:2], start=1):
            name = unused_name(graph, f"{node.output[0]}_{'start' if place == 1 else 'end'}")
            set_initializer(graph, name, np.array(values, np.int64))
            node.input[place] = name
        changed = True
    if changed:
        drop_unread(graph)
    return bounded


def _fits(values: np.ndarray) -> bool:
    return bool(((values >= _INT32.min) & (values <= _INT32.max)).all())


def _optional(
    node: onnx.NodeProto, place: int, known: dict[str, np.ndarray], default: np.ndarray
) -> np.ndarray:
    has_it = len(node.input) > place and node.input[place]
    return known[node.input[place]].astype(np.int64) if has_it else default
