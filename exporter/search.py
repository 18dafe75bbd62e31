"""Finds the fewest units that must stay in float.

The search keeps in float the k units that rank first, with the smallest k that meets the budget,
then gives back to int8, the dearest first, what the budget can do without. It does so for two
rankings, by harm and by harm for the cost, and takes the choice with the least work in float.

Every decision is a measured difference of mattes, and time is counted as work, in multiplications:
a slow moment of the machine changes nothing.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

from exporter.calibration import Sensitivity
from exporter.catalog import Network
from exporter.errors import CalibrationError
from exporter.mattes import FloatArray, difference, matte_of
from exporter.quantize import Ranges, quantize
from exporter.report import Report, silent
from exporter.sensitivity import choosable_units
from exporter.sessions import open_session
from exporter.units import Unit

__all__ = ["Choice", "Measured", "Search", "steady_mean"]

# Beyond this many, giving single units back changes little and takes long.
_MOST_GIVEN_BACK = 8
_MACS_PER_ELEMENT = 20


# In a photo where the network itself wavers, any rounding turns parts of the matte over: one such
# photo in so many would drown what the others say.
_WAVERING_ONE_IN = 10


def steady_mean(differences: Sequence[float]) -> float:
    """The mean without the largest tenth."""
    kept = len(differences) - len(differences) // _WAVERING_ONE_IN
    return float(np.mean(sorted(differences)[:kept]))


@dataclass(frozen=True)
class Measured:
    """Differences of normalised mattes from float32's: the mean over the photos without the most
    different tenth, the worst photo's mean; and the median time of a run on this machine."""

    mean: float
    worst: float
    duration_ms: float


@dataclass(frozen=True)
class Choice:
    """`float_units` in the order of the graph, and their share of the network's work, 0..1."""

    float_units: tuple[str, ...]
    float_work: float
    measured: Measured
    all_int8: Measured


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
        self._expected, self._fp32_duration_ms = _mattes(open_session(model), network, inputs)

    def run(
        self,
        ranges: Ranges,
        rows: Sequence[Sensitivity],
        *,
        budget: float,
        most_float_work: float = 1.0,
    ) -> Choice:
        """Raises CalibrationError where no more than that share of the work in float misses the
        budget."""

        def measure(float_units: Collection[str]) -> Measured:
            quantized = quantize(self._model, ranges, float_units=float_units)
            return self.measure(
                quantized, f"{len(float_units)} of {len(self._units)} units in float"
            )

        all_int8 = measure(())
        if all_int8.mean <= budget:
            return Choice((), 0.0, all_int8, all_int8)
        costs = {unit.name: _cost(unit) for unit in self._units}
        work = _total(costs, costs)
        best: tuple[list[str], Measured] | None = None
        for ranking in _rankings(rows, costs):
            limit = _total(best[0], costs) if best else most_float_work * work + 1
            found = _smallest(ranking, measure, budget, costs, limit)
            if found:
                best = _give_back(*found, measure, budget, costs)
        if best is None:
            raise CalibrationError(
                f"{self.network.name}: Expected a budget that some choice meets with at most "
                f"{most_float_work:.0%} of the work in float, received {budget:g}. Raise --budget "
                "or --most-float-work."
            )
        chosen, measured = best
        in_order = tuple(unit.name for unit in self._units if unit.name in chosen)
        float_work = _total(chosen, costs) / work
        return Choice(in_order, float_work, measured, all_int8)

    def measure(self, quantized: onnx.ModelProto, label: str) -> Measured:
        mattes, duration_ms = _mattes(open_session(quantized), self.network, self._inputs)
        differences = [difference(*pair) for pair in zip(mattes, self._expected, strict=True)]
        measured = Measured(steady_mean(differences), max(differences), duration_ms)
        self._report(
            f"{self.network.name}, {label}: {measured.mean:.5f} in the mean, "
            f"{measured.worst:.5f} in the worst photo, {duration_ms:.0f} ms "
            f"(float32 {self._fp32_duration_ms:.0f})"
        )
        return measured


Measure = Callable[[Collection[str]], Measured]
Costs = Mapping[str, int]


def _cost(unit: Unit) -> int:
    """What int8 saves here, in multiplications: of an Add or a Concat it saves memory traffic, and
    of a depthwise Conv, which has few of them, next to nothing."""
    return unit.macs + _MACS_PER_ELEMENT * unit.elements


def _total(names: Iterable[str], costs: Costs) -> int:
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
    """The shortest start of the ranking that meets the budget, found by halving. None where those
    that cost less than `limit` are not enough."""
    affordable = np.cumsum([costs[name] for name in ranking]) < limit
    too_few, enough = 0, int(affordable.sum())
    if not enough:
        return None
    measured = measure(ranking[:enough])
    if measured.mean > budget:
        return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        attempt = measure(ranking[:middle])
        if attempt.mean <= budget:
            enough, measured = middle, attempt
        else:
            too_few = middle
    return list(ranking[:enough]), measured


def _give_back(
    chosen: list[str], measured: Measured, measure: Measure, budget: float, costs: Costs
) -> tuple[list[str], Measured]:
    for name in sorted(chosen, key=lambda name: (-costs[name], name))[:_MOST_GIVEN_BACK]:
        if len(chosen) == 1:
            break  # without any was measured first, and was not enough
        fewer = [kept for kept in chosen if kept != name]
        attempt = measure(fewer)
        if attempt.mean <= budget:
            chosen, measured = fewer, attempt
    return chosen, measured


def _mattes(
    session: onnxruntime.InferenceSession, network: Network, inputs: Sequence[FloatArray]
) -> tuple[list[FloatArray], float]:
    mattes, durations_ms = [], []
    for input_nchw in inputs:
        start_s = time.perf_counter()
        mattes.append(matte_of(session, {network.input.name: input_nchw}, network))
        durations_ms.append(1000 * (time.perf_counter() - start_s))
    return mattes, float(np.median(durations_ms))
