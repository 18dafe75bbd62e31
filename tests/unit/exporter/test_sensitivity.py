"""A network with one fragile place, which nobody tells the search about."""

import itertools
from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper, parser

from exporter.calibration import Rounding
from exporter.catalog import Network, find_network
from exporter.errors import CalibrationError
from exporter.quantize import quantize
from exporter.search import Choice, Search, steady_mean
from exporter.sensitivity import choosable_units, sweep
from exporter.shrink import least_harmful, shrink

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
    assert 0 < choice.float_work < 1
    with pytest.raises(CalibrationError, match=r"at most 1% of the work.*--most-float-work"):
        search.run(ranges, rows, budget=0.02, most_float_work=0.01)


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


# ---- fewer bits for weights ----------------------------------------------------------------------


@pytest.fixture
def wide() -> onnx.ModelProto:
    """Two convolutions of as many weights: those of `smooth` are whole numbers of -7..7 already."""
    parsed = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,32,32] x) => (float[1,1,32,32] matte)
        {
            [early] a = Conv (x, w1)
            [early_relu] ar = Relu (a)
            [smooth] b = Conv <pads = [1,1,1,1]> (ar, w2)
            [smooth_relu] br = Relu (b)
            [rough] c = Conv <pads = [1,1,1,1]> (br, w3)
            [last] d = Conv (c, w4)
            [sigmoid] matte = Sigmoid (d)
        }
    """)
    random = np.random.default_rng(1)
    shapes = {"w1": (150, 3, 1, 1), "w2": (150, 150, 3, 3), "w3": (150, 150, 3, 3)}
    for name, shape in {**shapes, "w4": (1, 150, 1, 1)}.items():
        values = random.normal(0, 0.02, shape)
        if name == "w2":
            values = random.integers(-7, 8, shape) * 0.01
        parsed.graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    return onnx.shape_inference.infer_shapes(parsed)


def test_the_weights_that_bear_it_are_stored_in_four_bits(
    wide: onnx.ModelProto, network: Network, inputs: list[np.ndarray]
) -> None:
    ranges = {"x": (-12.0, 12.0), "ar": (0, 1), "br": (0, 1), "c": (-200, 200), "d": (-80, 80)}
    search = Search(wide, network, inputs)
    all_int8 = search.measure(quantize(wide, ranges), "all in int8")
    choice = Choice((), 0.0, all_int8, all_int8)
    exact, small = 430_000, 330_000
    curve, roundings = shrink(wide, ranges, choice, search, inputs, budget=1.0, most_bytes=exact)
    assert ([one.roundings for one in curve], roundings) == ([0], [])
    curve, roundings = shrink(wide, ranges, choice, search, inputs, budget=1.0, most_bytes=small)
    assert [row.unit for row in roundings] == ["smooth", "rough"]
    saved = 150 * 150 * 9 // 2
    assert all(row.bits == 4 and 0 < saved - row.bytes < 1000 for row in roundings)
    assert curve[-1].roundings == 1
    assert curve[-1].bytes <= small < curve[0].bytes
    with pytest.raises(
        CalibrationError, match=r"Expected at most 1,000 bytes within .*, received 2"
    ):
        shrink(wide, ranges, choice, search, inputs, budget=1.0, most_bytes=1_000)


def test_float_units_store_in_eight_bits_what_they_can(
    wide: onnx.ModelProto, network: Network, inputs: list[np.ndarray]
) -> None:
    search = Search(wide, network, inputs)
    names = tuple(unit.name for unit in choosable_units(wide))
    exact = search.measure(wide, "float32")
    choice = Choice(names, 1.0, exact, exact)
    curve, roundings = shrink(wide, {}, choice, search, inputs, budget=0.01, most_bytes=1_030_000)
    assert [(row.unit, row.bits) for row in roundings] == [("smooth", 8), ("rough", 8)]
    assert curve[0].bytes > 1_600_000
    assert (curve[-1].roundings, curve[-1].mean) == (1, roundings[0].mean)


def test_layers_are_chosen_by_the_harm_that_they_do_together() -> None:
    rows = [
        Rounding("best for its bytes", 8, 600, 0.0001),
        Rounding("large", 4, 1000, 0.004),
        Rounding("small", 8, 250, 0.001),
        Rounding("smaller", 8, 200, 0.002),
    ]

    def names(bytes_to_save: int) -> list[str]:
        return [row.unit for row in least_harmful(rows, bytes_to_save)]

    assert names(1) == ["best for its bytes"]
    assert names(800) == ["best for its bytes", "small"]
    # The next by harm for its bytes is the large one, which the three small ones beat together.
    assert names(1050) == ["best for its bytes", "small", "smaller"]
    assert names(1500) == ["best for its bytes", "large"]
    assert names(5000) == [row.unit for row in rows]


@given(
    rows=st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1)), min_size=1, max_size=8),
    share=st.floats(0.01, 1),
)
def test_no_other_choice_does_less_harm(rows: list[tuple[int, float]], share: float) -> None:
    roundings = [Rounding(str(index), 8, *row) for index, row in enumerate(rows)]
    wanted = max(1, int(share * sum(row.bytes for row in roundings) * 0.99))
    chosen = least_harmful(roundings, wanted)
    assert sum(row.bytes for row in chosen) >= wanted
    # Bytes are counted in grains of a two thousandth, from below.
    slack = len(rows) * (1 + wanted // 2000)
    fitting = (
        sum(row.mean**2 for row in some)
        for count in range(len(rows) + 1)
        for some in itertools.combinations(roundings, count)
        if sum(row.bytes for row in some) >= wanted + slack
    )
    assert sum(row.mean**2 for row in chosen) <= min(fitting, default=np.inf) + 1e-9


def test_a_photo_that_wavers_does_not_drown_the_others() -> None:
    calm = [0.001] * 9
    assert steady_mean([*calm, 0.5]) == pytest.approx(0.001)
    assert steady_mean([*calm[:8], 0.5]) > 0.05  # one of nine is no tenth
    assert steady_mean([*calm, *calm, 0.5, 0.5]) == pytest.approx(0.001)
    assert steady_mean([0.5]) == 0.5


def test_a_branch_behind_a_unit_is_measured_with_what_it_reads(network: Network) -> None:
    model = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,32,32] x) => (float[1,1,32,32] matte)
        <float[1,3,1,1] w = {0.5, -0.25, 1.0},
         float half = {0.5}, float zero = {0.0}, bool yes = {1}>
        {
            [conv] a = Conv (x, w)
            [branch] b = If (yes) <
                then_branch = bright () => (float[1,1,32,32] p) { p = Mul (a, half) },
                else_branch = dark () => (float[1,1,32,32] q) { q = Mul (a, zero) }
            >
            [sigmoid] matte = Sigmoid (b)
        }
    """)
    picture = np.random.default_rng(2).uniform(-2, 2, (1, 3, 32, 32)).astype(np.float32)
    model = onnx.shape_inference.infer_shapes(model)
    (row,) = sweep(model, network, {"x": (-2.0, 2.0), "a": (-4.0, 4.0)}, [picture])
    assert row.unit == "conv"
    assert 0 < row.mean < 0.01
