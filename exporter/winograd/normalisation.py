"""Finds the normalisation of MODNet: half of the channels with what training has left, half with
what the picture itself shows (X. Pan et al., "Two at Once", ECCV 2018).

x ──> Slice 0:h ──> BatchNormalization ────┐
└───> Slice h:c ──> InstanceNormalization ─┴──> Concat ──> y
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from exporter.passes.graph import attribute, constants, readers, shapes

__all__ = ["Normalisation", "find_normalisations"]

_EPSILON = 1e-5  # as in winograd.c

Constants = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Normalisation:
    """The first `known` channels of `source` by these parameters: scale, bias, mean and variance.
    `within`: what lies between the source and the result."""

    source: str
    known: int
    parameters: tuple[str, ...]
    within: tuple[str, ...]


def find_normalisations(model: onnx.ModelProto) -> dict[str, Normalisation]:
    """By their results."""
    known, sizes = constants(model), shapes(model)
    makers = {name: node for node in model.graph.node for name in node.output}
    read = readers(model.graph)
    found = {}
    for node in model.graph.node:
        parts = [makers.get(name) for name in node.input]
        if node.op_type != "Concat" or attribute(node, "axis", 0) != 1 or len(parts) != 2:
            continue
        batch, instance = parts
        if not batch or not instance or not _are_plain(batch, instance, known):
            continue
        slices = [makers.get(one.input[0], onnx.NodeProto()) for one in (batch, instance)]
        inner = [*node.input, *(one.output[0] for one in slices if one.output)]
        if [one.op_type for one in slices] != ["Slice"] * 2 or any(
            len(read[name]) != 1 for name in inner
        ):
            continue
        source, half = slices[0].input[0], sizes.get(batch.output[0], (0, 0))[1]
        channels = sizes.get(source, (0, 0))[1]
        spans = [_channels_of(one, source, channels, known) for one in slices]
        if spans == [(0, half), (half, channels)]:
            found[node.output[0]] = Normalisation(
                source, half, tuple(batch.input[1:5]), tuple(inner)
            )
    return found


def _are_plain(batch: onnx.NodeProto, instance: onnx.NodeProto, known: Constants) -> bool:
    """With the same epsilon, and nothing learned beside the picture's own statistics."""
    return (
        (batch.op_type, instance.op_type) == ("BatchNormalization", "InstanceNormalization")
        and not attribute(batch, "training_mode", 0)
        and all(np.isclose(attribute(one, "epsilon", 1e-5), _EPSILON) for one in (batch, instance))
        and all(name in known for name in [*batch.input[1:], *instance.input[1:]])
        and bool((known[instance.input[1]] == 1).all())
        and bool((known[instance.input[2]] == 0).all())
    )


def _channels_of(
    node: onnx.NodeProto, source: str, channels: int, known: Constants
) -> tuple[int, int] | None:
    """From which channel to which; None for any other part of the source."""
    bounds = [known.get(name, np.empty(0)).reshape(-1).tolist() for name in node.input[1:]]
    if node.input[0] != source or any(len(one) != 1 for one in bounds) or len(bounds) < 3:
        return None
    (start,), (end,), (axis,), *steps = bounds
    if axis != 1 or steps not in ([], [[1]]):
        return None
    return start, min(end, channels)
