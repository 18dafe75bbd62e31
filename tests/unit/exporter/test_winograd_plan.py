"""What has a plan for our own engine, what has none, and what becomes of a wrong one."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from exporter.catalog import Network, find_network
from exporter.errors import PassError, SiteError
from exporter.exported import exported_file
from exporter.pipeline import with_size
from exporter.sessions import open_session
from exporter.winograd import layout, proof
from exporter.winograd.arena import Life, arrange
from exporter.winograd.plan import plan_of
from exporter.winograd.proof import MAX_DIFFERENCE, check_plan, check_plan_once, run_plan
from exporter.winograd.weights import in_floats
from tests.unit.exporter.sketches import Sketch


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


def test_filters_that_are_made_in_every_run_are_for_a_small_picture_too() -> None:
    """Also where so few tiles would have them made so, and so many in the large one would not."""
    for side in (32, 96):
        sketches = [Sketch(side, side), Sketch(side // 2, side // 2)]
        files = [one.file(deep_matte(one)) for one in sketches]
        plan = plan_of(files[0], small=files[1])
        assert plan is not None
        for sketch, file, is_small in zip(sketches, files, (False, True), strict=True):
            picture = sketch.picture()
            (expected,) = open_session(onnx.ModelProto.FromString(file)).run(
                None, {"picture": picture}
            )
            (received,) = run_plan(plan, files[0], [picture], is_small=is_small)
            assert np.abs(received - expected[0, 0]).max() < MAX_DIFFERENCE


def test_many_channels_of_a_large_picture_take_what_they_took() -> None:
    plan = plan_of((sketch := Sketch(128, 128)).file(deep_matte(sketch)))
    assert plan is not None
    packed_bytes, arena_bytes = (4 * np.frombuffer(plan, "<i4")[2:4]).tolist()
    assert packed_bytes > 4 * 36 * 192 * 192
    assert arena_bytes < 4 * 128 * 128 * 192 * 2.1


def deep_matte(sketch: Sketch) -> str:
    first = sketch.conv("picture", 3, 192, kernel=1)
    return sketch.conv(sketch.conv(first, 192, 192), 192, 1, kernel=1)


@pytest.mark.parametrize(("axis", "steps"), [(1, 8), (0, 1)])
def test_codes_with_other_steps_than_one_for_each_channel_written(axis: int, steps: int) -> None:
    """As the kernel has no other ones."""
    sketch = Sketch(8, 8)
    first = sketch.conv("picture", 3, 8)
    codes = sketch.stored(np.arange(8 * 8 * 9, dtype=np.int8).reshape(8, 8, 3, 3))
    step = np.linspace(0.001, 0.002, steps, dtype=np.float32)
    if steps == 1:
        cast = sketch.node("Cast", codes, to=onnx.TensorProto.FLOAT)
        weights = sketch.node("Mul", cast, sketch.stored(step))
    else:
        weights = sketch.node("DequantizeLinear", codes, sketch.stored(step), axis=axis)
    convolved = sketch.node("Conv", first, weights, pads=[1] * 4)
    assert plan_of(sketch.file(sketch.conv(convolved, 8, 1))) is None


@pytest.mark.parametrize("shape", [(0, 8, 3, 3), (-1, 8, 3, 3), (8, 8, 3, 3)])
@pytest.mark.parametrize("with_cast", [False, True])
def test_codes_of_four_bits_that_others_have_packed(
    shape: tuple[int, ...], with_cast: bool
) -> None:
    """No plan, or one that is right."""
    sketch = Sketch(8, 8)
    first = sketch.conv("picture", 3, 8)
    halves = np.stack([np.arange(256) & 15, np.arange(256) >> 4], axis=1)
    table = sketch.stored(np.where(halves > 7, halves - 16, halves).astype(np.int8))
    pairs = np.random.default_rng(0).integers(0, 256, (8, 36), np.uint8)
    index = sketch.node("Cast", sketch.stored(pairs), to=onnx.TensorProto.INT32)
    flat = sketch.node("Gather", table, index, axis=0)
    codes = sketch.node("Reshape", flat, sketch.stored(np.array(shape)))
    steps = np.linspace(0.01, 0.02, 8, dtype=np.float32)
    if with_cast:
        cast = sketch.node("Cast", codes, to=onnx.TensorProto.FLOAT)
        weights = sketch.node("Mul", cast, sketch.stored(steps.reshape(8, 1, 1, 1)))
    else:
        weights = sketch.node("DequantizeLinear", codes, sketch.stored(steps), axis=0)
    convolved = sketch.node("Conv", first, weights, pads=[1] * 4)
    file = sketch.file(sketch.conv(convolved, 8, 1))
    plan = plan_of(file)
    assert (plan is not None) == (shape == (8, 8, 3, 3))
    if plan is not None:
        picture = sketch.picture()
        (expected,) = open_session(onnx.ModelProto.FromString(file)).run(None, {"picture": picture})
        (received,) = run_plan(plan, file, [picture])
        assert np.abs(received - expected[0, 0]).max() < 5e-5


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
