"""Our own engine, as Node runs it, against native ONNX Runtime."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from exporter import clang
from exporter.catalog import Network, find_network
from exporter.errors import PassError, SiteError
from exporter.exported import exported_file
from exporter.passes import four_bit_weights
from exporter.pipeline import with_size
from exporter.sessions import open_session
from exporter.verify import compare, run_network, sample_inputs
from exporter.winograd import layout, proof
from exporter.winograd.arena import Life, arrange
from exporter.winograd.kernel import SOURCE, compile_kernels
from exporter.winograd.plan import plan_of
from exporter.winograd.proof import check_plan, check_plan_once, run_plan
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
        sketch.conv(first, 155, 212, dilation=dilation, largest=largest)
        for dilation in (1, 2, 4, 8)
    )
    joined = sketch.node("Concat", *(sketch.node("Relu", part) for part in parts), axis=1)
    back = sketch.conv(joined, 848, 155, has_bias=False, largest=largest)
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
    step, zero = sketch.stored(np.float32(0.02)), sketch.stored(np.array(0, np.uint8))

    def rounded(name: str) -> str:
        codes = sketch.node("QuantizeLinear", name, step, zero)
        return sketch.node("DequantizeLinear", codes, step, zero)

    last = sketch.conv(rounded(sketch.conv(rounded(sketch.conv("picture", 3, 8)), 8, 8)), 8, 1)
    file = sketch.file(last)
    plan = plan_of(file)
    assert plan is not None
    network = with_names(find_network("u2netp"), file)
    with pytest.raises(PassError, match=r"within 1 at most, 0\.02 in the mean"):
        check_plan(plan, file, network)


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


def test_a_plan_for_a_small_picture_has_the_same_filters() -> None:
    network = find_network("u2netp")
    file, small = (exported_file(network, size=(side, side)).read_bytes() for side in (128, 64))
    plan = plan_of(file, small=small)
    assert plan is not None
    check_plan(plan, file, with_size(network, 128, 128))
    check_plan(plan, file, with_size(network, 64, 64), small=small)


def test_another_network_or_a_larger_picture_is_no_small_one() -> None:
    sketches = [Sketch(16, 16, seed) for seed in (0, 0, 1)] + [Sketch(64, 64)]
    file, same, other, larger = (one.file(mattes(one, 5)) for one in sketches)
    assert plan_of(file, small=same) is not None
    for odd in (other, larger):
        assert plan_of(odd) is not None
        assert plan_of(file, small=odd) is None
    wider = Sketch(8, 8)
    with_more_channels = wider.file(mattes(wider, 6))
    assert plan_of(with_more_channels) is not None
    assert plan_of(file, small=with_more_channels) is None


def mattes(sketch: Sketch, channels: int) -> str:
    return sketch.conv(sketch.conv("picture", 3, channels), channels, 1)


ACTIVATION = 16 + 29 + 1  # of the second step
CHECKSUM = 9


@pytest.fixture
def changed_plan() -> tuple[bytes, npt.NDArray[np.int32]]:
    """A file of U2-Net-P, and a plan of it in which one number is another."""
    file = exported_file(find_network("u2netp"), size=(64, 64)).read_bytes()
    plan = plan_of(file)
    assert plan is not None
    numbers = np.frombuffer(plan, "<i4").copy()
    assert numbers[ACTIVATION] == 1
    numbers[ACTIVATION] = 0
    return file, numbers


def test_a_plan_that_computes_something_else_is_refused(
    changed_plan: tuple[bytes, npt.NDArray[np.int32]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file, numbers = changed_plan
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path))
    network = with_size(find_network("u2netp"), 64, 64)
    right = plan_of(file)
    assert right is not None
    check_plan_once(right, file, network)
    total = 0
    for number in np.delete(numbers, CHECKSUM).tolist():
        total = 31 * total + number
    numbers[CHECKSUM] = np.array(total & 0xFFFFFFFF, np.uint32).astype(np.int32)
    for _ in range(2):  # only what has passed is remembered
        with pytest.raises(PassError, match="winograd: Expected the output of u2netp within"):
            check_plan_once(numbers.tobytes(), file, network)


def test_a_proof_is_repeated_where_anything_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network = with_size(find_network("u2netp"), 64, 64)
    file, small = (
        exported_file(find_network("u2netp"), size=(side, side)).read_bytes() for side in (128, 64)
    )
    plan = plan_of(file, small=small)
    assert plan is not None
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path))
    proven: list[bytes] = []

    def checked(plan: bytes, file: bytes, network: Network, *, small: bytes | None) -> None:
        check_plan(plan, file, network, small=small)
        proven.append(plan)

    monkeypatch.setattr(proof, "check_plan", checked)
    for _ in range(2):
        check_plan_once(plan, file, network, small=small)
    assert len(proven) == 1
    check_plan_once(plan, file, with_size(network, 128, 128))
    monkeypatch.setattr(proof, "version", lambda name: f"another {name}")
    check_plan_once(plan, file, network, small=small)
    assert len(proven) == 3


def test_a_damaged_plan_does_not_run(
    changed_plan: tuple[bytes, npt.NDArray[np.int32]],
) -> None:
    file, numbers = changed_plan
    plan = numbers.tobytes()
    for damaged in (plan, plan[:5000], plan[:-3], plan[:40], b""):
        with pytest.raises(SiteError, match="this is no plan of a network, or a damaged one"):
            run_plan(damaged, file, [np.zeros((1, 3, 64, 64), np.float32)])


@pytest.mark.parametrize("operator", ["HardSwish", "GlobalMaxPool"])
def test_networks_with_other_operators_have_no_plan(operator: str) -> None:
    sketch = Sketch(8, 8)
    assert plan_of(sketch.file(sketch.node(operator, sketch.conv("picture", 3, 1)))) is None


def test_what_the_kernel_cannot_do_has_no_plan() -> None:
    def of(last: Callable[[Sketch], str]) -> bytes | None:
        sketch = Sketch(8, 8)
        return plan_of(sketch.file(last(sketch)))

    assert of(lambda s: s.conv("picture", 3, 1)) is not None
    assert of(lambda s: s.conv("picture", 3, 1, strides=[2, 2])) is not None
    assert of(lambda s: s.conv("picture", 3, 1, strides=[3, 3])) is None
    assert of(lambda s: s.conv("picture", 3, 1, strides=[1, 2])) is None
    assert of(lambda s: s.conv("picture", 3, 1, pads=[0, 0, 0, 0])) is None
    assert of(lambda s: s.conv("picture", 3, 1, kernel=7)) is None
    assert of(lambda s: s.conv(s.conv("picture", 3, 4), 4, 2, group=2)) is None
    assert of(lambda s: s.conv("picture", 3, 2)) is None  # a matte has one channel

    def joined(s: Sketch, *channels: int) -> str:
        return s.node("Concat", *(s.conv("picture", 3, count) for count in channels), axis=1)

    assert of(lambda s: s.conv(joined(s, 3, 5), 8, 1)) is not None
    # Where padding lies elsewhere, a sum is of other channels.
    assert of(lambda s: s.conv(s.node("Add", joined(s, 3, 5), joined(s, 5, 3)), 8, 1)) is None
    assert of(lambda s: s.conv(joined(s, 3, 5), 8, 8, group=8)) is None

    def norm(s: Sketch, half: int, **attributes: Any) -> str:
        return s.conv(s.normalised(s.conv("picture", 3, 8), 8, half, **attributes), 8, 1)

    assert of(lambda s: norm(s, 4)) is not None
    assert of(lambda s: norm(s, 3)) is None
    assert of(lambda s: norm(s, 4, epsilon=1e-3)) is None
    assert of(lambda s: s.conv(s.clipped(s.conv("picture", 3, 4), 0, 6), 4, 1)) is not None
    assert of(lambda s: s.conv(s.clipped(s.conv("picture", 3, 4), -1, 1), 4, 1)) is None
    assert of(lambda s: s.node("Mul", *(s.conv("picture", 3, 1) for _ in range(2)))) is None

    def multiplied(s: Sketch, *, rank: int = 4, shown: bool = False) -> str:
        """Channels, as many as the picture is wide, by their means."""
        source = s.conv("picture", 3, 8)
        mean = s.node("GlobalAveragePool", source)
        if rank == 2:
            mean = s.node("Reshape", mean, s.stored(np.array([1, 8])))
        if shown:
            source = s.node("Expand", mean, s.stored(np.array([1, 8, 8, 8])))
            mean = s.node("Expand", mean, s.stored(np.array([1, 8, 8, 8])))
        return s.conv(s.node("Mul", source, mean), 8, 1)

    assert of(multiplied) is not None
    assert of(lambda s: multiplied(s, rank=2)) is None
    assert of(lambda s: multiplied(s, shown=True)) is None

    def resized(s: Sketch, mode: str, *scales: float) -> str:
        given = s.stored(np.array([1, 1, *scales], np.float32))
        attributes = {"mode": "linear", "coordinate_transformation_mode": mode}
        small = s.node("Resize", s.conv("picture", 3, 4), "", given, **attributes)
        return s.conv(small, 4, 1)

    assert of(lambda s: resized(s, "half_pixel", 0.5, 1.25)) is not None
    assert of(lambda s: resized(s, "half_pixel", 0.3, 1)) is None  # 2 of 8 are a quarter
    assert of(lambda s: resized(s, "half_pixel", 0.125, 1)) is not None
    assert of(lambda s: resized(s, "pytorch_half_pixel", 0.125, 1)) is None
    assert of(lambda s: resized(s, "align_corners", 0.5, 0.5)) is None

    def with_stored(s: Sketch, operator: str, **attributes: object) -> str:
        stored = s.stored(np.ones((1, 4, 8, 8), np.float32))
        return s.node(operator, s.conv("picture", 3, 4), stored, **attributes)

    assert of(lambda s: s.conv(with_stored(s, "Concat", axis=1), 8, 1)) is None
    assert of(lambda s: s.conv(with_stored(s, "Add"), 4, 1)) is None
    assert of(lambda s: s.node("Relu", s.node("Relu", s.conv("picture", 3, 1)))) is None


@pytest.mark.parametrize("operator", ["Reshape", "DequantizeLinear", "Concat"])
def test_a_network_that_goes_on_after_its_sigmoid_has_no_plan(operator: str) -> None:
    sketch = Sketch(8, 8)
    model = onnx.ModelProto.FromString(sketch.file(sketch.conv("picture", 3, 1)))
    (matte,) = model.graph.output
    last = matte.name
    step, shape = np.float32(1 / 255), np.array([1, 1, 8, 8])
    for name, values in (("step", step), ("zero", np.uint8(0)), ("shape", shape)):
        model.graph.initializer.append(numpy_helper.from_array(np.array(values), name))
    if operator == "DequantizeLinear":
        model.graph.node.append(
            helper.make_node("QuantizeLinear", [last, "step", "zero"], ["codes"])
        )
        last = "codes"
    others = {"Reshape": ["shape"], "DequantizeLinear": ["step", "zero"], "Concat": []}
    attributes = {"axis": 1} if operator == "Concat" else {}
    node = helper.make_node(operator, [last, *others[operator]], ["after"], **attributes)
    model.graph.node.append(node)
    matte.name = "after"
    file = model.SerializeToString()
    assert open_session(model).run(None, {"picture": sketch.picture()})[0].shape == (1, 1, 8, 8)
    assert plan_of(file) is None
    exact = open_session(in_floats(model).model)
    assert exact.run(None, {"picture": sketch.picture()})[0].shape == (1, 1, 8, 8)


def test_a_network_that_takes_too_much_memory_has_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    sketch = Sketch(64, 64)
    file = sketch.file(sketch.conv(sketch.conv("picture", 3, 64), 64, 1))
    assert plan_of(file) is not None
    monkeypatch.setattr(layout, "MOST_BYTES", 1_000_000)
    assert plan_of(file) is None


@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=2),
        st.builds(
            lambda floats, first, length: Life(floats, first, first + length),
            st.integers(1, 100),
            st.integers(0, 20),
            st.integers(0, 10),
        ),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None)
def test_buffers_that_live_at_the_same_time_lie_apart(lives: dict[str, Life]) -> None:
    places, floats = arrange(lives)
    assert places.keys() == lives.keys()
    assert all(places[name] + life.floats <= floats for name, life in lives.items())
    for one, other in itertools.combinations(lives, 2):
        together = lives[one].first <= lives[other].last and lives[other].first <= lives[one].last
        apart = (
            places[one] + lives[one].floats <= places[other]
            or places[other] + lives[other].floats <= places[one]
        )
        assert apart or not together


def test_the_same_source_gives_the_same_kernels() -> None:
    compile_anew = compile_kernels.__wrapped__
    assert compile_anew() == compile_kernels()
    assert all(one.startswith(b"\0asm") for one in compile_kernels().values())


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
