"""Stores weights in fewer bits until the file is small enough, the least harmful first.

A convolution that computes in float can store its weights in 8 bits, one in int8 in 4. Each is
measured alone, all else in float32; chosen are those that save enough with the least harm together.
"""

from collections.abc import Collection, Iterator, Sequence
from math import prod

import numpy as np
import onnx
from onnx import numpy_helper

from exporter.calibration import Rounding, Size, storage_of
from exporter.catalog import Network
from exporter.errors import CalibrationError
from exporter.mattes import FloatArray
from exporter.passes import four_bit_weights
from exporter.passes.graph import copy_of, set_initializer
from exporter.quantize import Ranges, Storage, quantize
from exporter.report import Report, silent
from exporter.search import Choice, Search
from exporter.sensitivity import effects
from exporter.units import Unit, find_units
from exporter.weight_codes import weight_codes

__all__ = ["format_roundings", "least_harmful", "shrink"]

# Of the weights in each number of bits; smaller layers have few bytes to give.
_LEAST_WEIGHTS = {8: 2_000, 4: 200_000}
_LARGEST_CODE = {8: 127, 4: 7}
_BYTES_SAVED = {8: 3.0, 4: 0.5}
# What the nodes around them take, and each output channel's step.
_BYTES_OF_NODES, _BYTES_OF_STEP = 256, {8: 4, 4: 0}
# Points of the curve on the way to the size that was asked for.
_POINTS = 4
# How finely bytes are counted when layers are chosen, as a share of those to be saved.
_GRAIN = 1 / 2000
# How much of the error may come from weights: the search has spent the budget on ranges.
_MOST_BUDGETS = 2.0


def shrink(
    model: onnx.ModelProto,
    ranges: Ranges,
    choice: Choice,
    search: Search,
    inputs: Sequence[FloatArray],
    *,
    budget: float,
    most_bytes: int,
    report: Report = silent,
) -> tuple[list[Size], list[Rounding]]:
    """The curve of bytes against error down to `most_bytes` (0: any), and what it is made of.

    Each rounding alone is measured on `inputs`, each point of the curve on those of the search.
    Raises CalibrationError where the file does not become small enough within twice the budget.
    """

    def measure(roundings: Sequence[Rounding]) -> Size:
        stored = _stored(model, ranges, choice.float_units, storage_of(roundings))
        size = stored.ByteSize()
        measured = search.measure(stored, f"{format_roundings(roundings)}, {size:,} bytes")
        return Size(len(roundings), size, measured.mean)

    curve = [measure(())]
    if not most_bytes or curve[0].bytes <= most_bytes:
        return curve, []
    measured = _roundings(model, choice.float_units, search.network, inputs, report)
    chosen = least_harmful(measured, curve[0].bytes - most_bytes)
    roundings = [*chosen, *(row for row in measured if row not in chosen)]
    for count in _counts(len(chosen), len(roundings)):
        curve.append(measure(roundings[:count]))
        if curve[-1].mean > _MOST_BUDGETS * budget:
            break
        if curve[-1].bytes <= most_bytes:
            return curve, roundings
    raise CalibrationError(
        f"{search.network.name}: Expected at most {most_bytes:,} bytes within {_MOST_BUDGETS:g} "
        f"times the budget of {budget:g}, received {curve[-1].bytes:,} with {curve[-1].mean:.3g}. "
        "Raise --most-bytes or --budget."
    )


def _stored(
    model: onnx.ModelProto, ranges: Ranges, float_units: Collection[str], storage: Storage
) -> onnx.ModelProto:
    stored = quantize(model, ranges, float_units=float_units, storage=storage)
    return four_bit_weights.apply(stored) if storage.four_bit_units else stored


def _roundings(
    model: onnx.ModelProto,
    float_units: Collection[str],
    network: Network,
    inputs: Sequence[FloatArray],
    report: Report,
) -> list[Rounding]:
    nodes = {node.name: node for node in model.graph.node}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}

    def weights_of(unit: Unit) -> onnx.TensorProto:
        return tensors[nodes[unit.name].input[1]]

    def bits_of(unit: Unit) -> int:
        return 8 if unit.name in float_units else 4

    def rounded(alone: onnx.ModelProto, unit: Unit) -> onnx.ModelProto:
        return _with_rounded(alone, weights_of(unit), bits_of(unit))

    units = [
        unit
        for unit in find_units(model)
        if unit.operator == "Conv" and prod(weights_of(unit).dims) >= _LEAST_WEIGHTS[bits_of(unit)]
    ]
    rows = []
    for unit, mean, _ in effects(model, network, units, inputs, rounded):
        bits = bits_of(unit)
        dims = weights_of(unit).dims
        saved_bytes = int(_BYTES_SAVED[bits] * prod(dims)) - _BYTES_OF_STEP[bits] * dims[0]
        rows.append(Rounding(unit.name, bits, saved_bytes - _BYTES_OF_NODES, mean))
        report(f"Rounding the weights of {network.name} one by one", len(rows), len(units))
    return sorted(
        (row for row in rows if row.bytes > 0), key=lambda row: (row.mean / row.bytes, row.unit)
    )


def _with_rounded(model: onnx.ModelProto, weights: onnx.TensorProto, bits: int) -> onnx.ModelProto:
    exact = numpy_helper.to_array(weights)
    largest = _LARGEST_CODE[bits]
    codes, steps = weight_codes(exact.astype(np.float64), np.zeros(0), 1.0, largest=largest)
    values = codes.astype(np.float32) * steps.reshape(-1, *[1] * (exact.ndim - 1))
    rounded = copy_of(model)
    set_initializer(rounded.graph, weights.name, values)
    return rounded


def least_harmful(roundings: Sequence[Rounding], bytes_to_save: int) -> list[Rounding]:
    """Those that save so much with the least harm, all where they are too few; in the order of
    `roundings`. Rounding errors are independent: it is their squares that add up. A knapsack,
    solved for every number of grains that may be saved."""
    grain = max(bytes_to_save * _GRAIN, 1)
    enough = int(np.ceil(bytes_to_save / grain))
    # For at least so many grains: the sum of squared means, and the roundings that give it.
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ()), *[(np.inf, ())] * enough]
    for index, row in enumerate(roundings):
        grains = int(row.bytes / grain)
        for saved in range(enough, 0, -1):
            harm, before = best[max(0, saved - grains)]
            if harm + row.mean**2 < best[saved][0]:
                best[saved] = (harm + row.mean**2, (*before, index))
    if np.isinf(best[enough][0]):
        return list(roundings)
    return [roundings[index] for index in best[enough][1]]


def _counts(chosen: int, measured: int) -> Iterator[int]:
    """More and more of the chosen; then one by one, should the file hold more than they counted."""
    yield from sorted({-(-chosen * point // _POINTS) for point in range(1, _POINTS + 1)})
    yield from range(chosen + 1, measured + 1)


def format_roundings(roundings: Sequence[Rounding]) -> str:
    counts = {bits: sum(row.bits == bits for row in roundings) for bits in (8, 4)}
    if not roundings:
        return "weights as computed with"
    return f"{counts[8]} float layers in 8 bits, {counts[4]} int8 layers in 4"
