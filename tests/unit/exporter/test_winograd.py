"""Our own engine, as Node runs it, against native ONNX Runtime."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import pytest

from exporter import clang
from exporter.catalog import Network, find_network
from exporter.errors import SiteError
from exporter.exported import exported_file
from exporter.passes import four_bit_weights
from exporter.pipeline import with_size
from exporter.sessions import open_session
from exporter.verify import compare, run_network, sample_inputs
from exporter.winograd.kernel import SOURCE, compile_kernels
from exporter.winograd.plan import plan_of
from exporter.winograd.proof import check_plan, run_plan
from exporter.winograd.weights import in_floats
from tests.unit.exporter.sketches import Sketch


def require_equal(sketch: Sketch, last: str) -> None:
    require_equal_file(sketch, sketch.file(last, rubbish=200_000))


def require_equal_file(sketch: Sketch, file: bytes) -> None:
    plan = plan_of(file)
    assert plan is not None
    session = open_session(onnx.ModelProto.FromString(file))
    pictures = [sketch.picture(), sketch.picture()]
    received = run_plan(plan, file, pictures)
    for picture, matte in zip(pictures, received, strict=True):
        (expected,) = session.run(None, {"picture": picture})
        assert np.ptp(expected) > 0.001
        assert np.abs(matte - expected[0, 0]).max() < 5e-5


@pytest.mark.parametrize("size", [(4, 4), (1, 9), (5, 3), (33, 18), (2, 64)])
@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (3, 2), (3, 8), (1, 1), (5, 1), (5, 2)])
def test_convolutions_of_every_size(size: tuple[int, int], kernel: int, dilation: int) -> None:
    sketch = Sketch(*size)
    first = sketch.node("Relu", sketch.conv("picture", 3, 7, kernel=kernel, dilation=dilation))
    second = sketch.conv(first, 7, 20, kernel=kernel, dilation=dilation, has_bias=False)
    require_equal(sketch, sketch.conv(second, 20, 1))


@pytest.mark.parametrize("size", [(4, 4), (1, 9), (33, 18)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_steps_of_two_pixels_and_channels_by_themselves(
    size: tuple[int, int], kernel: int, stride: int
) -> None:
    sketch = Sketch(*size)
    strides = [stride, stride]
    first = sketch.clipped(sketch.conv("picture", 3, 10, kernel=kernel, strides=strides), 0, 6)
    alone = sketch.conv(first, 10, 10, kernel=kernel, group=10, strides=strides)
    both = sketch.node("Add", sketch.conv(alone, 10, 10, kernel=1), alone)
    require_equal(sketch, sketch.conv(sketch.resize(both, 10, *size), 10, 1))


@pytest.mark.parametrize("size", [(1, 9), (17, 30)])
@pytest.mark.parametrize("largest", [0, 127, 7])
def test_few_pixels_of_many_channels(size: tuple[int, int], largest: int) -> None:
    """Their filters stay as they are in the file: floats, codes of 8 bits, or of 4."""
    sketch = Sketch(*size)
    first = sketch.node("Relu", sketch.conv("picture", 3, 155, kernel=1))
    parts = (
        sketch.conv(first, 155, 214, dilation=dilation, largest=largest)
        for dilation in (1, 2, 3, 4, 8)
    )
    joined = sketch.node("Concat", *(sketch.node("Relu", part) for part in parts), axis=1)
    back = sketch.conv(joined, 1070, 155, has_bias=False, largest=largest)
    last = sketch.conv(sketch.node("Add", back, first), 155, 1, kernel=1)
    model = onnx.ModelProto.FromString(sketch.file(last, rubbish=200_000))
    file = four_bit_weights.apply(model).SerializeToString()
    assert (b"four_bit_pairs" in file) == (largest == 7)
    require_equal_file(sketch, file)


@pytest.mark.parametrize("largest", [0, 127, 7])
def test_filters_of_many_channels_take_no_more_memory_than_codes_or_floats(largest: int) -> None:
    sketch = Sketch(16, 16)
    first = sketch.conv("picture", 3, 256, kernel=1)
    deep = sketch.conv(first, 256, 256, largest=largest)
    plan = plan_of(sketch.file(sketch.conv(deep, 256, 1, kernel=1)))
    assert plan is not None
    packed_bytes = 4 * np.frombuffer(plan, "<i4")[2]
    weights = 256 * 256 * 9
    assert weights < packed_bytes / (1 if largest else 4) < 1.05 * weights


@pytest.mark.parametrize("half", [4, 8])
def test_normalisation_by_what_is_known_and_by_what_is_seen(half: int) -> None:
    sketch = Sketch(37, 20)
    first = sketch.node("Relu", sketch.normalised(sketch.conv("picture", 3, 12), 12, half))
    second = sketch.normalised(sketch.pool(first), 12, half)
    back = sketch.resize(second, 12, 37, 20)
    require_equal(sketch, sketch.conv(sketch.node("Concat", back, first, axis=1), 24, 1))


@pytest.mark.parametrize("corner", [1, 20, 100])
def test_normalisation_of_an_even_picture(corner: int) -> None:
    """Variances that are nearly nothing: what is lost of them may not become less than that."""
    sketch = Sketch(96, 96)
    last = sketch.conv(sketch.normalised(sketch.conv("picture", 3, 8, kernel=1), 8, 4), 8, 1)
    file = sketch.file(last)
    plan = plan_of(file)
    assert plan is not None
    picture = np.full((1, 3, 96, 96), 0.37, np.float32)
    picture[..., 0, 0] += corner
    (expected,) = open_session(onnx.ModelProto.FromString(file)).run(None, {"picture": picture})
    (received,) = run_plan(plan, file, [picture])
    assert np.abs(received - expected[0, 0]).max() < 2e-3


def test_channels_that_are_weighed_by_all_of_them() -> None:
    sketch = Sketch(9, 14)
    first = sketch.node("Relu", sketch.conv("picture", 3, 18))
    require_equal(sketch, sketch.conv(sketch.weighed(first, 18, 9, 14), 18, 1))


def test_a_sigmoid_on_the_way() -> None:
    sketch = Sketch(9, 14)
    share = sketch.node("Sigmoid", sketch.conv("picture", 3, 6))
    require_equal(sketch, sketch.conv(share, 6, 1))


def test_what_lies_in_two_places() -> None:
    """What is concatenated twice, the picture itself, and what is a concatenation already."""
    sketch = Sketch(12, 20)
    part = sketch.conv("picture", 3, 8)
    first = sketch.node("Concat", part, "picture", part, axis=1)
    small = sketch.resize("picture", 3, 6, 10)
    second = sketch.node("Concat", sketch.resize(small, 3, 12, 20), first, part, axis=1)
    require_equal(sketch, sketch.conv(second, 30, 1))


@pytest.mark.parametrize("channels", [(4, 8, 16), (1, 1, 1), (3, 3, 3), (16, 64, 4), (3, 32, 5)])
def test_parts_that_are_concatenated(channels: tuple[int, ...]) -> None:
    sketch = Sketch(12, 20)
    parts = [sketch.conv("picture", 3, count) for count in channels]
    joined = sketch.node("Concat", *parts, axis=1)
    # A part is read by itself, too, and so is what is made of all of them.
    alone = sketch.conv(parts[1], channels[1], 8, kernel=1)
    both = sketch.node("Add", sketch.conv(joined, sum(channels), 8), alone)
    require_equal(sketch, sketch.conv(both, 8, 1))


def test_sums_within_a_convolution_and_apart() -> None:
    sketch = Sketch(16, 16)
    first = sketch.node("Relu", sketch.conv("picture", 3, 8))
    second = sketch.node("Relu", sketch.conv(first, 8, 8, dilation=2))
    joined = sketch.node("Add", second, first)
    apart = sketch.node("Add", joined, second)
    twice = sketch.conv(apart, 8, 8)
    apart = sketch.node("Add", twice, twice)
    other_way_round = sketch.node("Add", apart, sketch.conv(apart, 8, 8))
    require_equal(sketch, sketch.conv(other_way_round, 8, 1, kernel=1))


@pytest.mark.parametrize(("size", "ceil_mode"), [((16, 8), 0), ((15, 9), 1), ((15, 9), 0)])
def test_halves_and_back(size: tuple[int, int], ceil_mode: int) -> None:
    sketch = Sketch(*size)
    first = sketch.conv("picture", 3, 12)
    half = sketch.pool(first, ceil_mode=ceil_mode)
    back = sketch.resize(sketch.conv(half, 12, 12), 12, *size)
    wider = sketch.resize(sketch.resize(back, 12, 40, 7), 12, *size)
    joined = sketch.node("Concat", back, first, wider, axis=1)
    require_equal(sketch, sketch.conv(joined, 36, 1))


@pytest.mark.parametrize(
    ("name", "precision", "size_px"),
    [
        ("u2netp", "fp32", 64),
        ("u2netp", "fp32", 96),
        ("u2netp", "int8", 64),
        ("modnet", "fp32", 64),
        ("modnet", "int8", 96),
        pytest.param("u2net", "int8", 96, marks=pytest.mark.soak),  # 176 MB to fetch
    ],
)
def test_networks_as_they_are_shipped(name: str, precision: str, size_px: int) -> None:
    network = find_network(name)
    size = (size_px, size_px)
    file = exported_file(network, precision=precision, size=size).read_bytes()
    plan = plan_of(file)
    assert plan is not None
    check_plan(plan, file, with_size(network, *size))


def test_a_file_in_int8_is_run_in_float() -> None:
    """Nearer to the published network than where everything is rounded."""
    network = find_network("u2netp")
    exact, whole = (
        exported_file(network, precision=precision, size=(128, 128))
        for precision in ("fp32", "int8")
    )
    file = whole.read_bytes()
    plan = plan_of(file)
    assert plan is not None
    spec = with_size(network, 128, 128)
    inputs = sample_inputs(spec.input)
    published, rounded = (run_network(onnx.load(one), spec, inputs) for one in (exact, whole))
    received = [one[None, None] for one in run_plan(plan, file, inputs)]
    assert 0 < compare(published, received).mean < 0.7 * compare(published, rounded).mean


def test_what_int8_does_besides_rounding_is_not_lost() -> None:
    """Codes that begin at zero take the place of a Relu, as some quantisers have it."""
    sketch = Sketch(64, 64)
    lowest = {np.uint8: 0, np.int8: -128}
    last, channels = "picture", 3
    for kind, zero in lowest.items():
        last = sketch.conv(last, channels, 8)
        given = sketch.stored(np.float32(0.05)), sketch.stored(np.array(zero, kind))
        codes = sketch.node("QuantizeLinear", last, *given)
        last, channels = sketch.node("DequantizeLinear", codes, *given), 8
    file = sketch.file(sketch.conv(last, 8, 1))
    plan = plan_of(file)
    assert plan is not None
    check_plan(plan, file, with_names(find_network("u2netp"), file))


def test_codes_that_cut_off_no_more_than_a_relu_has_cost_no_step() -> None:
    sketch = Sketch(64, 64)
    step, zero = sketch.stored(np.float32(0.02)), sketch.stored(np.array(0, np.uint8))

    def rounded(name: str) -> str:
        codes = sketch.node("QuantizeLinear", name, step, zero)
        return sketch.node("DequantizeLinear", codes, step, zero)

    first = rounded(sketch.node("Relu", sketch.conv("picture", 3, 8)))
    second = rounded(sketch.clipped(sketch.conv("picture", 3, 8), 0, 6))
    second = rounded(sketch.resize(rounded(sketch.pool(second)), 8, 64, 64))
    both = rounded(sketch.node("Concat", first, second, axis=1))
    model = onnx.ModelProto.FromString(sketch.file(sketch.conv(both, 16, 1)))
    left = [node.op_type for node in in_floats(model).model.graph.node]
    first_two = ["Conv", "Relu", "Conv", "Clip"]
    assert left == [*first_two, "MaxPool", "Resize", "Concat", "Conv", "Sigmoid"]


def with_names(network: Network, file: bytes) -> Network:
    """One that says of itself what a sketch is."""
    graph = onnx.ModelProto.FromString(file).graph
    height, width = (d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[2:])
    sized = with_size(network, height, width)
    return replace(
        sized,
        input=replace(sized.input, name=graph.input[0].name),
        output=replace(sized.output, name=graph.output[0].name),
    )


def test_the_same_source_gives_the_same_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernels = compile_kernels()
    assert all(one.startswith(b"\0asm") for one in kernels.values())
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path))
    assert compile_kernels.__wrapped__() == kernels


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(clang, "version", none)
    with pytest.raises(SiteError, match="Expected the Python package ziglang"):
        compile_kernels.__wrapped__()


def test_a_kernel_that_is_no_c_says_where(tmp_path: Path) -> None:
    broken = tmp_path / "winograd.c"
    broken.write_text(SOURCE.read_text(encoding="utf-8") + "int broken = ;\n", encoding="utf-8")
    with pytest.raises(SiteError, match=r"winograd\.c: .*expected expression"):
        compile_kernels(broken)
