"""Folds a BatchNormalization into the Conv in front of it where it sees half of its channels.

conv ──> slice channels 0:32 ──> batch norm            conv ──> slice 0:32  (norm folded into conv)
  └────> slice channels 32:64 ──> instance norm   ──>    └────> slice 32:64 ──> instance norm

That is the IBNorm of MODNet. The graphics backends have one pass over the picture less for it; an
int8 Conv would have to share one range between normalised channels and raw ones, so not for WASM.
"""

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import onnx

from exporter.passes.fold_batchnorm import is_foldable, scale_outputs
from exporter.passes.graph import constants, copy_of, drop, drop_unread, readers, shapes

__all__ = ["apply"]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Leaves a Conv whose channels are read by anything but slices that do not overlap."""
    folded = copy_of(model)
    graph = folded.graph
    if not any(node.op_type == "BatchNormalization" for node in graph.node):
        return folded
    known, read, sizes = constants(folded), readers(graph), shapes(model)
    producers = {node.output[0]: node for node in graph.node}
    gone = set()
    for norm in graph.node:
        if norm.op_type != "BatchNormalization" or norm.input[0] not in producers:
            continue
        part = producers[norm.input[0]]
        conv = producers.get(part.input[0]) if part.op_type == "Slice" else None
        if conv is None or conv.op_type != "Conv" or len(read[part.output[0]]) > 1:
            continue
        ranges = [_channels(node, known, sizes) for node in read[conv.output[0]]]
        own = _channels(part, known, sizes)
        if own is None or not _stand_apart(ranges) or not is_foldable(norm, conv, known):
            continue
        scale_outputs(graph, conv, norm, known, first=own.start)
        known = constants(folded)
        part.output[0] = norm.output[0]
        gone.add(norm.output[0])
    if gone:
        drop(graph.node, lambda n: n.op_type == "BatchNormalization" and n.output[0] in gone)
        drop_unread(graph)
    return folded


def _channels(
    node: onnx.NodeProto,
    known: Mapping[str, npt.NDArray[Any]],
    sizes: Mapping[str, tuple[int, ...]],
) -> range | None:
    """What a Slice takes of the channels; None where it takes something else."""
    count = sizes.get(node.input[0], (0, 0))[1] if node.op_type == "Slice" else 0
    if not count or any(name not in known for name in node.input[1:]):
        return None
    starts, ends, *rest = (known[name].tolist() for name in node.input[1:])
    axes = rest[0] if rest else list(range(len(starts)))
    steps = rest[1] if len(rest) > 1 else [1] * len(starts)
    if axes not in ([1], [-3]) or steps != [1]:
        return None
    return range(*slice(starts[0], ends[0]).indices(count))


def _stand_apart(ranges: list[range | None]) -> bool:
    taken = [channel for one in ranges if one is not None for channel in one]
    return None not in ranges and len(taken) == len(set(taken))
