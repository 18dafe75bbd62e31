"""Finds the units that must stay in float: what each one costs, and the fewest that are enough.

1. The sweep quantises one unit at a time, all else in float, and measures the matte.
2. The search keeps in float the k units that rank first, with the smallest k that meets the budget,
   then gives back to int8, the dearest first, what the budget can do without. It does so for two
   rankings, by harm and by harm for the cost, and takes the choice with the least work in float.

Every decision is a measured difference of mattes; times are only reported, so that a slow moment of
the machine changes nothing.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from exporter.calibration import Sensitivity, quiet_options
from exporter.catalog import Network
from exporter.errors import CalibrationError
from exporter.native import postprocess
from exporter.quantize import Ranges, quantize
from exporter.report import Report, silent
from exporter.units import SAME_RANGE, Unit, find_units, without_weights

__all__ = ["Choice", "Measured", "Search", "choosable_units", "sweep"]

FloatArray = npt.NDArray[np.float32]
Feeds = Mapping[str, FloatArray]

# Beyond this many, giving single units back changes little and takes long.
_MOST_GIVEN_BACK = 24
_MACS_PER_ELEMENT = 20


@dataclass(frozen=True)
class Measured:
    """Differences of normalised mattes from float32's: the mean over the photos, the worst photo's
    mean; and the median time of a run on this machine."""

    mean: float
    worst: float
    duration_ms: float


@dataclass(frozen=True)
class Choice:
    """`float_units` in the order of the graph."""

    float_units: tuple[str, ...]
    measured: Measured
    all_int8: Measured
    fp32_duration_ms: float


def choosable_units(model: onnx.ModelProto) -> list[Unit]:
    return [unit for unit in find_units(model) if unit.operator not in SAME_RANGE]


# ---- the sweep -----------------------------------------------------------------------------------


def sweep(
    model: onnx.ModelProto,
    network: Network,
    ranges: Ranges,
    inputs: Sequence[FloatArray],
    *,
    report: Report = silent,
) -> list[Sensitivity]:
    """Every choosable unit, the most harmful first."""
    units = choosable_units(model)
    names = {unit.name for unit in units}
    kept = _activations(model, network, units, inputs)
    expected = [postprocess(feeds[network.output.name], network.output) for feeds in kept]
    rows = []
    for done, unit in enumerate(units, 1):
        rest = _from_unit_on(model, unit)
        others = {node.name for node in rest.graph.node} & names - {unit.name}
        session = _session(quantize(rest, ranges, float_units=others))
        read = [value.name for value in rest.graph.input]
        differences = [
            _difference(_run(session, {name: feeds[name] for name in read}, network), matte)
            for feeds, matte in zip(kept, expected, strict=True)
        ]
        rows.append(
            Sensitivity(unit.name, unit.operator, float(np.mean(differences)), max(differences))
        )
        report(f"Quantising the units of {network.name} one by one", done, len(units))
    return sorted(rows, key=lambda row: (-row.mean, row.unit))


def _from_unit_on(model: onnx.ModelProto, unit: Unit) -> onnx.ModelProto:
    """The unit and what depends on it: the rest computes what it always does."""
    changed: set[str] = set()
    nodes = []
    for node in model.graph.node:
        if node.name in unit.nodes or changed & set(node.input):
            nodes.append(node)
            changed |= set(node.output)
    constants = [
        node
        for node in model.graph.node
        if node.op_type == "Constant" and any(node.output[0] in reader.input for reader in nodes)
    ]
    nodes = [*constants, *(node for node in nodes if node.op_type != "Constant")]
    read = {name for node in nodes for name in node.input if name}
    written = {name for node in nodes for name in node.output}
    stored = [tensor for tensor in model.graph.initializer if tensor.name in read]
    missing = read - written - {tensor.name for tensor in stored}
    known = [*model.graph.input, *model.graph.value_info]
    rest = onnx.helper.make_model(
        onnx.helper.make_graph(
            nodes,
            model.graph.name,
            [value for value in known if value.name in missing],
            model.graph.output,
            stored,
        ),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    assert isinstance(rest, onnx.ModelProto)
    return rest


def _activations(
    model: onnx.ModelProto, network: Network, units: Sequence[Unit], inputs: Sequence[FloatArray]
) -> list[Feeds]:
    """For each input, every tensor that the rest of the graph may start from."""
    light = without_weights(model)
    names = {value.name for unit in units for value in _from_unit_on(light, unit).graph.input}
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names -= {network.input.name}
    known = {value.name: value for value in probe.graph.value_info}
    probe.graph.output.extend(known[name] for name in sorted(names))
    session = _session(probe)
    outputs = [value.name for value in probe.graph.output]
    kept: list[Feeds] = []
    for input_nchw in inputs:
        tensors = session.run(outputs, {network.input.name: input_nchw})
        kept.append({network.input.name: input_nchw, **dict(zip(outputs, tensors, strict=True))})
    return kept


# ---- the search ----------------------------------------------------------------------------------


class Search:
    """Holds the mattes of float32 on `inputs`, against which every choice is measured."""

    def __init__(
        self,
        model: onnx.ModelProto,
        network: Network,
        inputs: Sequence[FloatArray],
        report: Report = silent,
    ) -> None:
        self.network = network
        self._model = model
        self._inputs = inputs
        self._report = report
        self._units = choosable_units(model)
        self._expected, self._fp32_duration_ms = _mattes(_session(model), network, inputs)

    def run(self, ranges: Ranges, rows: Sequence[Sensitivity], *, budget: float) -> Choice:
        """Raises CalibrationError where even every unit in float misses the budget."""

        def measure(float_units: Collection[str]) -> Measured:
            quantized = quantize(self._model, ranges, float_units=float_units)
            return self.measure(
                quantized, f"{len(float_units)} of {len(self._units)} units in float"
            )

        all_int8 = measure(())
        if all_int8.mean <= budget:
            return Choice((), all_int8, all_int8, self._fp32_duration_ms)
        costs = {unit.name: _cost(unit) for unit in self._units}
        best: tuple[list[str], Measured] | None = None
        for ranking in _rankings(rows, costs):
            limit = _total(best[0], costs) if best else np.inf
            found = _smallest(ranking, measure, budget, costs, limit)
            if found:
                best = _give_back(*found, measure, budget, costs)
        if best is None:
            raise CalibrationError(
                f"{self.network.name}: Expected a budget that some choice meets, received "
                f"{budget:g}. Raise --budget."
            )
        chosen, measured = best
        in_order = tuple(unit.name for unit in self._units if unit.name in chosen)
        return Choice(in_order, measured, all_int8, self._fp32_duration_ms)

    def measure(self, quantized: onnx.ModelProto, label: str) -> Measured:
        mattes, duration_ms = _mattes(_session(quantized), self.network, self._inputs)
        differences = [_difference(*pair) for pair in zip(mattes, self._expected, strict=True)]
        measured = Measured(float(np.mean(differences)), max(differences), duration_ms)
        self._report(
            f"{self.network.name}, {label}: {measured.mean:.5f} in the mean, "
            f"{measured.worst:.5f} in the worst photo, {duration_ms:.0f} ms "
            f"(float32 {self._fp32_duration_ms:.0f})"
        )
        return measured


Measure = Callable[[Collection[str]], Measured]
Costs = Mapping[str, float]


def _cost(unit: Unit) -> float:
    """What int8 saves here, in multiplications: of an Add or a Concat it saves memory traffic, and
    of a depthwise Conv, which has few of them, next to nothing."""
    return unit.macs + _MACS_PER_ELEMENT * unit.elements


def _total(names: Collection[str], costs: Costs) -> float:
    return sum(costs[name] for name in names)


def _rankings(rows: Sequence[Sensitivity], costs: Costs) -> Iterator[list[str]]:
    """By harm, for a network with one fragile place; by harm for the cost, for one that is fragile
    all over, where the cheap units pay first."""
    for exponent in (0, 1):
        ranked = sorted(rows, key=lambda row: (-row.mean / costs[row.unit] ** exponent, row.unit))
        yield [row.unit for row in ranked]


def _smallest(
    ranking: Sequence[str], measure: Measure, budget: float, costs: Costs, limit: float
) -> tuple[list[str], Measured] | None:
    """The shortest start of the ranking that meets the budget: doubled until it is enough, then
    the gap is halved. None where it would cost as much as `limit`."""
    too_few, enough = 0, 1
    while _total(ranking[: too_few + 1], costs) < limit:
        measured = measure(ranking[:enough])
        if measured.mean <= budget:
            break
        if enough == len(ranking):
            return None
        too_few, enough = enough, min(2 * enough, len(ranking))
    else:
        return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        attempt = measure(ranking[:middle])
        if attempt.mean <= budget:
            enough, measured = middle, attempt
        else:
            too_few = middle
    if _total(ranking[:enough], costs) >= limit:
        return None
    return list(ranking[:enough]), measured


def _give_back(
    chosen: list[str], measured: Measured, measure: Measure, budget: float, costs: Costs
) -> tuple[list[str], Measured]:
    for name in sorted(chosen, key=lambda name: (-costs[name], name))[:_MOST_GIVEN_BACK]:
        fewer = [kept for kept in chosen if kept != name]
        attempt = measure(fewer)
        if attempt.mean <= budget:
            chosen, measured = fewer, attempt
    return chosen, measured


# ---- mattes --------------------------------------------------------------------------------------


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        model.SerializeToString(), quiet_options(), providers=["CPUExecutionProvider"]
    )


def _run(session: onnxruntime.InferenceSession, feeds: Feeds, network: Network) -> FloatArray:
    return postprocess(session.run([network.output.name], dict(feeds))[0], network.output)


def _mattes(
    session: onnxruntime.InferenceSession, network: Network, inputs: Sequence[FloatArray]
) -> tuple[list[FloatArray], float]:
    mattes, durations_ms = [], []
    for input_nchw in inputs:
        start_s = time.perf_counter()
        mattes.append(_run(session, {network.input.name: input_nchw}, network))
        durations_ms.append(1000 * (time.perf_counter() - start_s))
    return mattes, float(np.median(durations_ms))


def _difference(matte: FloatArray, expected: FloatArray) -> float:
    return float(np.abs(matte - expected).mean(dtype=np.float64))
