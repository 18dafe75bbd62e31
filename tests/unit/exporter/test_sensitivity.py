"""A network with one fragile place, which nobody tells the search about."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper, parser

from exporter.catalog import Network, find_network
from exporter.errors import CalibrationError
from exporter.sensitivity import Search, choosable_units, sweep

# `fragile` writes the picture's signal on top of 1000; `after` takes the 1000 away again. In eight
# bits of 0..1000 there is nothing left of the signal.
GRAPH = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,32,32] x) => (float[1,1,32,32] matte)
    <float[1] thousand = {1000.0}, float[1] minus_thousand = {-1000.0}>
    {
        [early] a = Conv <pads = [1,1,1,1]> (x, w1)
        [early_relu] ar = Relu (a)
        [middle] b = Conv <pads = [1,1,1,1]> (ar, w2)
        [middle_relu] br = Relu (b)
        [join] c = Concat <axis = 1> (ar, br)
        [fragile] d = Conv (c, w3, thousand)
        [after] e = Conv (d, one, minus_thousand)
        [residual] f = Add (e, e)
        [last] g = Conv (f, one)
        [sigmoid] matte = Sigmoid (g)
    }
"""
SHAPES = {"w1": (4, 3, 3, 3), "w2": (4, 4, 3, 3), "w3": (1, 8, 1, 1), "one": (1, 1, 1, 1)}


@pytest.fixture
def model() -> onnx.ModelProto:
    parsed = parser.parse_model(GRAPH)
    random = np.random.default_rng(1)
    for name, shape in SHAPES.items():
        values = np.ones(shape) if name == "one" else random.normal(0, 0.3, shape)
        parsed.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    return onnx.shape_inference.infer_shapes(parsed)


@pytest.fixture
def network() -> Network:
    known = find_network("u2netp")
    return replace(
        known,
        input=replace(known.input, name="x", height=32, width=32),
        output=replace(known.output, name="matte"),
    )


@pytest.fixture
def inputs() -> list[np.ndarray]:
    random = np.random.default_rng(4)
    return [random.uniform(-2, 2, (1, 3, 32, 32)).astype(np.float32) for _ in range(3)]


@pytest.fixture
def ranges(model: onnx.ModelProto) -> dict[str, tuple[float, float]]:
    small = dict.fromkeys("xeg", (-12.0, 12.0))
    return {**small, "ar": (0, 8), "br": (0, 10), "c": (0, 10), "d": (990, 1010), "f": (-24, 24)}


def test_the_sweep_measures_each_unit_alone(
    model: onnx.ModelProto,
    network: Network,
    inputs: list[np.ndarray],
    ranges: dict[str, tuple[float, float]],
) -> None:
    progress: list[tuple[int, int]] = []
    rows = sweep(
        model,
        network,
        ranges,
        inputs,
        report=lambda line, done=0, total=0: progress.append((done, total)),
    )
    assert {row.unit for row in rows} == {unit.name for unit in choosable_units(model)}
    assert progress == [(done, 7) for done in range(1, 8)]
    assert [row.mean for row in rows] == sorted((row.mean for row in rows), reverse=True)
    # Writing and reading the large numbers: both ends of that tensor.
    assert {row.unit for row in rows[:2]} == {"fragile", "after"}
    assert rows[1].mean > 10 * rows[2].mean > 0
    assert all(row.worst >= row.mean for row in rows)


def test_the_search_finds_the_fragile_place(
    model: onnx.ModelProto,
    network: Network,
    inputs: list[np.ndarray],
    ranges: dict[str, tuple[float, float]],
) -> None:
    rows = sweep(model, network, ranges, inputs)
    search = Search(model, network, inputs)
    choice = search.run(ranges, rows, budget=0.02)
    assert choice.float_units == ("fragile", "after")
    assert choice.measured.mean <= 0.02 < choice.all_int8.mean


def test_a_generous_budget_keeps_nothing_in_float(
    model: onnx.ModelProto,
    network: Network,
    inputs: list[np.ndarray],
    ranges: dict[str, tuple[float, float]],
) -> None:
    search = Search(model, network, inputs)
    choice = search.run(ranges, sweep(model, network, ranges, inputs), budget=1.0)
    assert choice.float_units == ()
    assert choice.measured == choice.all_int8


def test_a_budget_that_needs_everything_in_float(
    model: onnx.ModelProto,
    network: Network,
    inputs: list[np.ndarray],
    ranges: dict[str, tuple[float, float]],
) -> None:
    rows = sweep(model, network, ranges, inputs)
    choice = Search(model, network, inputs).run(ranges, rows, budget=0.0)
    assert choice.measured.mean == 0
    with pytest.raises(CalibrationError, match="Raise --budget"):
        Search(model, network, inputs).run(ranges, rows, budget=-1.0)
