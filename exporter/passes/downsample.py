"""Writes a linear Resize to a whole fraction of the size as the mean that it is.

    Resize by 1/2   ──>   AveragePool 2x2, stride 2

    Resize by 1/4   ──>   depthwise Conv 4x4, stride 4:    0   0   0   0
                                                           0  1/4 1/4  0
                                                           0  1/4 1/4  0
                                                           0   0   0   0

The middle of a block of 4 lies between its second pixel and its third; the others are not looked
at. WebGL goes wrong at two such Resizes of one input ("non concat dimensions must match").
"""

from typing import Any

import numpy as np
import onnx

from exporter.passes.graph import (
    attribute,
    constants,
    copy_of,
    drop_unread,
    set_initializer,
    shapes,
    unused_name,
)

__all__ = ["apply"]

_CENTRED = (b"half_pixel", b"pytorch_half_pixel")


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Leaves every other Resize: enlargements, other modes, sizes that do not divide."""
    rewritten = copy_of(model)
    graph = rewritten.graph
    resizes = [node for node in graph.node if node.op_type == "Resize"]
    if not resizes:
        return rewritten
    known, sizes = constants(model), shapes(model)
    changed = False
    for node in resizes:
        factor = _factor(node, known, sizes)
        if factor == 0:
            continue
        changed = True
        source, target = node.input[0], node.output[0]
        window: dict[str, Any] = {"kernel_shape": [factor] * 2, "strides": [factor] * 2}
        if factor == 2:
            pool = onnx.helper.make_node("AveragePool", [source], [target], node.name, **window)
            node.CopyFrom(pool)
            continue
        channels = sizes[source][1]
        name = unused_name(graph, f"{target}_taps")
        set_initializer(graph, name, np.tile(_taps(factor), (channels, 1, 1, 1)))
        window |= {"group": channels}
        node.CopyFrom(onnx.helper.make_node("Conv", [source, name], [target], node.name, **window))
    if changed:
        drop_unread(graph)
    return rewritten


def _factor(
    node: onnx.NodeProto, known: dict[str, np.ndarray], sizes: dict[str, tuple[int, ...]]
) -> int:
    """How many pixels of the input lie on the side of one of the output; 0 for another Resize."""
    source, target = sizes.get(node.input[0], ()), sizes.get(node.output[0], ())
    centred = attribute(node, "coordinate_transformation_mode", b"half_pixel") in _CENTRED
    is_linear = attribute(node, "mode", b"nearest") == b"linear"
    if not (centred and is_linear and len(source) == len(target) == 4 and all(source + target)):
        return 0
    if attribute(node, "antialias", 0) or attribute(node, "axes", None):
        return 0
    factor = source[2] // target[2]
    if factor < 2 or source != (*target[:2], factor * target[2], factor * target[3]):
        return 0
    # A size of 1 is looked up elsewhere by pytorch_half_pixel.
    if min(target[2:]) == 1:
        return 0
    scales = known.get(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    # The scales, where they are given, decide about the places, and not the sizes.
    if scales is not None and scales.size and scales.tolist() != [1, 1, 1 / factor, 1 / factor]:
        return 0
    return factor


def _taps(factor: int) -> np.ndarray:
    """The weights (factor, factor) of the pixels around the middle of a block."""
    row = np.zeros(factor, np.float32)
    if factor % 2:
        row[factor // 2] = 1
    else:
        row[factor // 2 - 1 : factor // 2 + 1] = 0.5
    return np.outer(row, row)
