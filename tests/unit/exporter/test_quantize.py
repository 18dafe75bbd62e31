"""Small graphs, run by ONNX Runtime before and after; the real networks are in test_int8.py."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from exporter.errors import PassError
from exporter.passes import four_bit_weights
from exporter.quantize import Ranges, Storage, quantize
from exporter.sessions import open_session
from exporter.units import find_units
from exporter.weight_codes import weight_codes

# Every kind of unit, and a Sigmoid that is none.
GRAPH = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,16,16] x) => (float[1,1,16,16] matte)
    <float[4] scales = {1.0, 1.0, 2.0, 2.0}, float[0] empty = {}>
    {
        [first] a = Conv <pads = [1,1,1,1]> (x, w1, b1)
        [first_relu] ar = Relu (a)
        [pool] p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (ar)
        [second] b = Conv <pads = [1,1,1,1]> (p, w2, b2)
        [second_relu] br = Relu (b)
        [sum] s = Add (br, p)
        [larger] l = Resize <mode = "linear"> (s, empty, scales)
        [both] c = Concat <axis = 1> (l, ar)
        [last] d = Conv (c, w3)
        [sigmoid] matte = Sigmoid (d)
    }
"""
SHAPES = {"w1": (8, 3, 3, 3), "b1": (8,), "w2": (8, 8, 3, 3), "b2": (8,), "w3": (1, 16, 1, 1)}


# `half` and `all` are read inside of the branches alone.
BRANCHES = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,16,16] x) => (float[1,1,16,16] matte)
    <float[1,3,1,1] w = {0.5, -0.25, 1.0},
     float half = {0.5}, float all = {1.0}, float zero = {0.0}>
    {
        [conv] a = Conv (x, w)
        [highest] most = ReduceMax <keepdims = 0> (a)
        [compare] is_bright = Greater (most, zero)
        [branch] b = If (is_bright) <
            then_branch = bright () => (float[1,1,16,16] p) { p = Mul (a, half) },
            else_branch = dark () => (float[1,1,16,16] q) { q = Mul (a, all) }
        >
        [sigmoid] matte = Sigmoid (b)
    }
"""


@pytest.fixture
def model() -> onnx.ModelProto:
    parsed = parser.parse_model(GRAPH)
    random = np.random.default_rng(3)
    for name, shape in SHAPES.items():
        values = random.normal(0, 0.3, shape).astype(np.float32)
        parsed.graph.initializer.append(numpy_helper.from_array(values, name))
    onnx.checker.check_model(parsed, full_check=True)
    return parsed


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(5).uniform(-2, 2, (1, 3, 16, 16)).astype(np.float32)


def run(model: onnx.ModelProto, picture: np.ndarray, *, optimise: bool = True) -> np.ndarray:
    if optimise:
        session = open_session(model)
    else:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    matte: np.ndarray = session.run(None, {"x": picture})[0]
    return matte


def ranges_of(model: onnx.ModelProto, picture: np.ndarray) -> Ranges:
    """Independent of exporter.calibration: every tensor as an output."""
    probe = onnx.shape_inference.infer_shapes(model)
    names = [value.name for value in probe.graph.value_info]
    probe.graph.output.extend(probe.graph.value_info)
    session = onnxruntime.InferenceSession(
        probe.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    tensors = dict(zip(names, session.run(names, {"x": picture}), strict=True), x=picture)
    return {name: (float(one.min()), float(one.max())) for name, one in tensors.items()}


def fused(model: onnx.ModelProto, folder: Path) -> Counter[str]:
    """The operators that are left when ONNX Runtime has loaded the graph."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Counter(node.op_type for node in onnx.load(folder / "optimised.onnx").graph.node)


def test_the_units_are_what_the_engine_runs_as_one(model: onnx.ModelProto) -> None:
    units = {unit.name: unit for unit in find_units(model)}
    assert list(units) == ["first", "pool", "second", "sum", "larger", "both", "last"]
    assert units["first"].nodes == ("first", "first_relu")
    assert (units["first"].inputs, units["first"].output) == (("x",), "ar")
    assert units["first"].macs == 16 * 16 * 8 * 27
    assert units["both"].inputs == ("l", "ar")
    assert units["larger"].inputs == ("s",)
    assert units["last"].nodes == ("last",)


def test_int8_computes_nearly_the_same(
    model: onnx.ModelProto, picture: np.ndarray, tmp_path: Path
) -> None:
    expected = run(model, picture)
    quantized = quantize(model, ranges_of(model, picture))
    onnx.checker.check_model(quantized, full_check=True)
    for optimise in (False, True):
        difference = np.abs(run(quantized, picture, optimise=optimise) - expected)
        assert 0 < difference.mean() < 0.01
    # As integers, not as floats between rounding.
    operators = fused(quantized, tmp_path)
    assert operators["QLinearConv"] == 3
    assert operators["QLinearAdd"] == operators["QLinearConcat"] == 1
    assert operators["Conv"] == operators["Relu"] == 0


def test_all_units_in_float_is_the_same_network(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    names = [unit.name for unit in find_units(model)]
    same = quantize(model, {}, float_units=names)
    assert np.array_equal(run(same, picture), run(model, picture))


@pytest.mark.parametrize("name", ["first", "second", "sum", "both", "last"])
def test_a_float_unit_stays_in_float(
    model: onnx.ModelProto, picture: np.ndarray, name: str
) -> None:
    quantized = quantize(model, ranges_of(model, picture), float_units=[name])
    readers = {node.name: set(node.input) for node in quantized.graph.node}
    weights = {"first": "w1", "second": "w2", "last": "w3"}
    for conv, tensor in weights.items():
        assert (tensor in readers[conv]) == (conv == name)
    difference = np.abs(run(quantized, picture) - run(model, picture))
    assert 0 < difference.mean() < 0.01


def test_a_float_convolution_between_codes_is_not_quantised_by_the_engine(
    model: onnx.ModelProto, picture: np.ndarray, tmp_path: Path
) -> None:
    """ONNX Runtime's WeightBiasQuantization rounds all channels to the step of the largest."""
    weights = numpy_helper.to_array(model.graph.initializer[4]).copy()
    assert model.graph.initializer[4].name == "w2"
    weights[0] *= 1000
    model.graph.initializer[4].CopyFrom(numpy_helper.from_array(weights, "w2"))
    ranges = ranges_of(model, picture)
    quantized = quantize(model, ranges, float_units=["second"])
    operators = fused(quantized, tmp_path)
    assert operators["QLinearConv"] == 2
    one, other = (run(quantized, picture, optimise=optimise) for optimise in (False, True))
    assert np.abs(one - other).max() < 1e-3
    # Without the Clip in between it does: should this fail, the Clip has become needless.
    for node in quantized.graph.node:
        if node.name == "second":
            node.input[0] = "p/real"
    assert fused(quantized, tmp_path)["QLinearConv"] == 3


def test_weights_have_a_step_for_each_channel(model: onnx.ModelProto) -> None:
    weights = np.ones((3, 2, 1, 1)) * np.array([1.0, 100.0, 0.0]).reshape(3, 1, 1, 1)
    codes, steps = weight_codes(weights, np.zeros(3), 1.0, largest=127)
    assert codes.ravel().tolist() == [127, 127, 127, 127, 0, 0]
    assert np.allclose(steps[:2], [1 / 127, 100 / 127])
    assert steps[2] > 0


def test_the_bias_of_a_channel_without_weights_fits(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    for tensor in model.graph.initializer:
        if tensor.name == "w2":
            weights = numpy_helper.to_array(tensor).copy()
            weights[1] = 1e-12
            tensor.CopyFrom(numpy_helper.from_array(weights, "w2"))
        if tensor.name == "b2":
            tensor.CopyFrom(numpy_helper.from_array(np.full(8, 3.0, np.float32), "b2"))
    quantized = quantize(model, ranges_of(model, picture))
    stored = {one.name: numpy_helper.to_array(one) for one in quantized.graph.initializer}
    bias = stored["second/bias/codes"] * stored["second/bias/step"]
    assert np.allclose(bias, 3.0, rtol=1e-3)
    assert np.abs(run(quantized, picture) - run(model, picture)).mean() < 0.02


def test_four_bits_take_the_step_of_the_least_square_error() -> None:
    weights = np.random.default_rng(0).normal(0, 1, (4, 500, 1, 1))
    codes, steps = weight_codes(weights, np.zeros(0), 1.0, largest=7)
    assert codes.min() >= -7
    assert codes.max() <= 7

    def error(share: float) -> float:
        widest = np.abs(weights).max((1, 2, 3), keepdims=True) / 7 * share
        rounded = np.round(weights / widest).clip(-7, 7) * widest
        return float(np.square(rounded - weights).sum())

    # The step is chosen for the nearest codes; keeping sums afterwards costs a little.
    step = steps.astype(np.float64).reshape(4, 1, 1, 1)
    nearest = np.round(weights / step).clip(-7, 7)
    chosen = float(np.square(nearest * step - weights).sum())
    assert chosen <= min(error(share) for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)) * 1.001
    assert chosen < 0.7 * error(1.0)
    assert np.square(codes * step - weights).sum() < 1.1 * chosen


def test_four_bits_keep_what_a_kernel_does_to_an_even_picture() -> None:
    weights = np.random.default_rng(0).normal(0, 1, (16, 32, 3, 3))
    codes, steps = weight_codes(weights, np.zeros(0), 1.0, largest=7)
    exact = weights / steps.astype(np.float64).reshape(-1, 1, 1, 1)
    nearest = np.round(exact).clip(-7, 7)

    def of_kernels(values: np.ndarray) -> float:
        return float(np.abs((values - exact).sum((2, 3))).mean())

    def of_channels(values: np.ndarray) -> float:
        return float(np.abs((values - exact).sum((1, 2, 3))).mean())

    assert of_kernels(codes) < 0.5 * of_kernels(nearest)
    assert of_channels(codes) < 0.5 * of_channels(nearest)
    assert np.abs(codes - nearest).max() <= 2


def test_four_bit_weights_are_stored_in_four_bits_and_run_as_int8(
    model: onnx.ModelProto, picture: np.ndarray, tmp_path: Path
) -> None:
    wide = quantize(model, ranges_of(model, picture), storage=Storage(four_bit_units=("second",)))
    packed = four_bit_weights.apply(wide)
    onnx.checker.check_model(packed, full_check=True)
    stored = {one.name: one for one in packed.graph.initializer}
    assert "second/weights/codes" not in stored
    assert stored["second/weights/codes/pairs"].ByteSize() < 8 * 8 * 9 / 2 + 50
    assert stored["first/weights/codes"].data_type == onnx.TensorProto.INT8
    assert np.array_equal(run(packed, picture), run(wide, picture))
    operators = fused(packed, tmp_path)
    assert operators["QLinearConv"] == 3
    assert operators["Cast"] == operators["Gather"] == operators["Reshape"] == 0


def test_four_bit_weights_are_unpacked_where_they_are_ours(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    wide = quantize(model, ranges_of(model, picture), storage=Storage(four_bit_units=("second",)))
    packed = four_bit_weights.apply(wide)
    unpacked, pairs = four_bit_weights.unpack(packed)
    assert list(pairs.values()) == ["second/weights/codes/pairs"]
    stored = {one.name: numpy_helper.to_array(one) for one in unpacked.graph.initializer}
    codes = {one.name: numpy_helper.to_array(one) for one in wide.graph.initializer}
    assert np.array_equal(stored[next(iter(pairs))], codes["second/weights/codes"])
    assert not {"Cast", "Gather", "Reshape"} & {node.op_type for node in unpacked.graph.node}
    assert np.array_equal(run(unpacked, picture), run(wide, picture))
    for tensor in packed.graph.initializer:
        if tensor.name == "four_bit_pairs":  # one that says something else of every byte
            tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    assert four_bit_weights.unpack(packed) == (packed, {})


def test_an_output_that_is_quantised_keeps_its_name(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    del model.graph.node[-1]
    model.graph.node[-1].output[0] = "matte"
    ranges = {**ranges_of(model, picture), "matte": (-8.0, 8.0)}
    quantized = quantize(model, ranges)
    onnx.checker.check_model(quantized, full_check=True)
    assert np.abs(run(quantized, picture) - run(model, picture)).mean() < 0.05


def test_the_same_input_gives_the_same_bytes(model: onnx.ModelProto, picture: np.ndarray) -> None:
    ranges = ranges_of(model, picture)
    first, second = (
        quantize(model, dict(sorted(ranges.items(), reverse=reverse))).SerializeToString(
            deterministic=True
        )
        for reverse in (False, True)
    )
    assert first == second


def test_a_tensor_without_a_range_is_named(model: onnx.ModelProto, picture: np.ndarray) -> None:
    ranges = {k: v for k, v in ranges_of(model, picture).items() if k != "br"}
    with pytest.raises(PassError, match=r"Expected a range for the tensor 'br'.*calibrate"):
        quantize(model, ranges)


def test_a_float_unit_that_is_not_there_is_named(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    with pytest.raises(PassError, match=r"received Conv_9\. Run `gossamer calibrate` again"):
        quantize(model, ranges_of(model, picture), float_units=["Conv_9"])


def test_nodes_need_names(model: onnx.ModelProto) -> None:
    model.graph.node[0].name = ""
    with pytest.raises(PassError, match="Expected a name of its own on every node"):
        find_units(model)


def test_a_large_matmul_stores_its_weights_in_int8(picture: np.ndarray) -> None:
    model = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,16,16] x) => (float[1,3,16,256] y)
        { [product] y = MatMul (x, w) }
    """)
    weights = np.random.default_rng(0).normal(0, 1, (16, 256)).astype(np.float32)
    weights[:, 3] *= 100
    model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    quantized = quantize(model, {})
    onnx.checker.check_model(quantized, full_check=True)
    assert quantized.ByteSize() < 0.5 * model.ByteSize()
    difference = np.abs(run(quantized, picture) - run(model, picture))
    assert 0 < np.delete(difference, 3, axis=3).max() < 0.2


def test_a_float_convolution_may_store_its_weights_in_int8(
    model: onnx.ModelProto, picture: np.ndarray, tmp_path: Path
) -> None:
    ranges = ranges_of(model, picture)
    quantized = quantize(
        model, ranges, float_units=["second"], storage=Storage(eight_bit_units=("second",))
    )
    types = {one.name: one.data_type for one in quantized.graph.initializer}
    assert types["second/weights/codes"] == onnx.TensorProto.INT8
    assert "w2" not in types
    difference = np.abs(run(quantized, picture) - run(model, picture))
    assert 0 < difference.mean() < 0.01
    # Computed once, at load.
    operators = fused(quantized, tmp_path)
    assert operators["Cast"] == operators["Mul"] == 0
    assert operators["QLinearConv"] == 2


def test_a_bias_that_is_left_out_may_have_its_place(
    model: onnx.ModelProto, picture: np.ndarray
) -> None:
    (last,) = (node for node in model.graph.node if node.name == "last")
    last.input.append("")
    assert "last" in {unit.name for unit in find_units(model)}
    quantized = quantize(model, ranges_of(model, picture))
    assert 0 < np.abs(run(quantized, picture) - run(model, picture)).mean() < 0.01


def test_what_only_a_branch_reads_is_kept(picture: np.ndarray) -> None:
    model = parser.parse_model(BRANCHES)
    quantized = quantize(model, {"x": (-2.0, 2.0), "a": (-4.0, 4.0)})
    onnx.checker.check_model(quantized, full_check=True)
    assert 0 < np.abs(run(quantized, picture) - run(model, picture)).mean() < 0.01
