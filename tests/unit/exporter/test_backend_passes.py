"""The passes for the backends, each on graphs that have its pattern and on graphs that have not."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from exporter.errors import PassError
from exporter.passes import (
    constants_to_initializers,
    downsample,
    drop_expand,
    explicit_pads,
    fold_batchnorm,
    fold_sliced_batchnorm,
    input_size,
    pad_conv_channels,
    slice_ends,
)
from tests.unit.exporter.graphs import graph_of, noise, operators, run

PLAIN = "net (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Relu (x) }"
APPLY = [
    constants_to_initializers.apply,
    downsample.apply,
    drop_expand.apply,
    explicit_pads.apply,
    fold_batchnorm.apply,
    fold_sliced_batchnorm.apply,
    pad_conv_channels.apply,
    slice_ends.apply,
]


def check_same(model: onnx.ModelProto, rewritten: onnx.ModelProto, tolerance: float = 0.0) -> None:
    onnx.checker.check_model(rewritten, full_check=True)
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    picture = noise(*shape)
    for one, other in zip(run(model, picture), run(rewritten, picture), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("apply", APPLY)
def test_a_graph_without_the_pattern_stays_as_it_is(
    apply: Callable[[onnx.ModelProto], onnx.ModelProto],
) -> None:
    model = graph_of(PLAIN)
    assert apply(model) == model


# ---- input_size ----------------------------------------------------------------------------------


def test_input_size_frees_a_network_from_its_size() -> None:
    model = graph_of(
        """
        net (float[1,3,8,8] x) => (float[1,3,8,8] y)
        {
            half = MaxPool <kernel_shape = [2,2], strides = [2,2]> (x)
            size = Shape (x)
            empty = Constant <value = float[0] {}> ()
            y = Resize <mode = "nearest"> (half, empty, empty, size)
        }
        """
    )
    resized = input_size.apply(model, name="x", height=4, width=12)
    onnx.checker.check_model(resized, full_check=True)
    assert run(resized, noise(1, 3, 4, 12))[0].shape == (1, 3, 4, 12)
    assert input_size.apply(model, name="x", height=8, width=8) == model


def test_input_size_says_where_a_graph_is_bound_to_its_size() -> None:
    model = graph_of(
        "net (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Add (x, w) }",
        weights={"w": (1, 3, 8, 8)},
    )
    with pytest.raises(PassError, match="Expected a network that can be run at 4x4"):
        input_size.apply(model, name="x", height=4, width=4)
    with pytest.raises(PassError, match="Expected an input 'picture', received x"):
        input_size.apply(model, name="picture", height=8, width=8)


# ---- explicit_pads -------------------------------------------------------------------------------


def windowed(operator: str, options: str, size: str = "9,8") -> onnx.ModelProto:
    inputs, weights = ("x, w", {"w": (4, 3, 3, 3)}) if operator == "Conv" else ("x", {})
    return graph_of(
        f"""
        net (float[1,3,{size}] x) => (float[1,c,h,v] y)
        {{ y = {operator} <{options}> ({inputs}) }}
        """,
        weights=weights,
    )


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize(
    ("operator", "options"),
    [
        ("Conv", "kernel_shape = [3,3], strides = [2,2]"),
        ("Conv", "strides = [1,3]"),
        ("MaxPool", "kernel_shape = [2,3], strides = [2,2]"),
        ("AveragePool", "kernel_shape = [3,3], strides = [2,2]"),
    ],
)
def test_explicit_pads_writes_out_what_the_runtime_would_do(
    operator: str, options: str, mode: str
) -> None:
    model = windowed(operator, f'{options}, auto_pad = "{mode}"')
    explicit = explicit_pads.apply(model)
    names = [attribute.name for attribute in explicit.graph.node[0].attribute]
    assert "auto_pad" not in names
    assert "pads" in names
    check_same(model, explicit)


def test_explicit_pads_of_a_dilated_window() -> None:
    """ONNX Runtime has no auto_pad for it; ONNX has: the output is as large as the input."""
    model = windowed("Conv", 'dilations = [2,2], auto_pad = "SAME_UPPER"')
    explicit = explicit_pads.apply(model)
    check_same(windowed("Conv", "dilations = [2,2], pads = [2,2,2,2]"), explicit)


def test_explicit_pads_leaves_written_pads_alone() -> None:
    model = windowed("Conv", "pads = [0,1,0,1]")
    assert explicit_pads.apply(model) == model


def test_explicit_pads_names_the_node_of_unknown_size() -> None:
    model = windowed("MaxPool", 'kernel_shape = [3,3], auto_pad = "SAME_UPPER"', size="h,v")
    with pytest.raises(PassError, match="MaxPool y: Expected a fixed input size"):
        explicit_pads.apply(model)


# ---- fold_batchnorm ------------------------------------------------------------------------------

NORM_WEIGHTS = {"scale": (4,), "bias": (4,), "mean": (4,), "var": (4,)}


@pytest.mark.parametrize("has_bias", [True, False])
def test_fold_batchnorm_into_the_conv(has_bias: bool) -> None:
    model = graph_of(
        f"""
        net (float[1,3,8,8] x) => (float[1,4,8,8] y)
        {{
            low = Conv <pads = [1,1,1,1]> (x, w{", b" if has_bias else ""})
            y = BatchNormalization <epsilon = 0.001> (low, scale, bias, mean, var)
        }}
        """,
        weights={"w": (4, 3, 3, 3), **NORM_WEIGHTS, **({"b": (4,)} if has_bias else {})},
    )
    folded = fold_batchnorm.apply(model)
    assert operators(folded) == ["Conv"]
    assert len(folded.graph.initializer) == 2
    check_same(model, folded, tolerance=1e-4)


def test_fold_batchnorm_leaves_a_conv_that_others_read() -> None:
    model = graph_of(
        """
        net (float[1,3,8,8] x) => (float[1,4,8,8] y)
        {
            low = Conv <pads = [1,1,1,1]> (x, w)
            normed = BatchNormalization (low, scale, bias, mean, var)
            y = Add (normed, low)
        }
        """,
        weights={"w": (4, 3, 3, 3), **NORM_WEIGHTS},
    )
    assert fold_batchnorm.apply(model) == model


# ---- fold_sliced_batchnorm -----------------------------------------------------------------------


def half_normed(bound: int) -> onnx.ModelProto:
    """MODNet's IBNorm: half of the channels normalised by BatchNorm, half by InstanceNorm."""
    instance = (8 - bound,)
    return graph_of(
        f"""
        net (float[1,3,8,8] x) => (float[1,channels,8,8] y)
        <int64[1] one = {{1}}, int64[1] zero = {{0}}, int64[1] half = {{4}},
         int64[1] bound = {{{bound}}}, int64[1] all = {{9223372036854775807}}>
        {{
            low = Conv <pads = [1,1,1,1]> (x, w, b)
            first = Slice (low, zero, half, one, one)
            second = Slice (low, bound, all, one, one)
            normed = BatchNormalization (first, scale, bias, mean, var)
            calm = InstanceNormalization (second, gain, shift)
            y = Concat <axis = 1> (normed, calm)
        }}
        """,
        weights={
            "w": (8, 3, 3, 3),
            "b": (8,),
            "gain": instance,
            "shift": instance,
            **NORM_WEIGHTS,
        },
    )


def test_fold_sliced_batchnorm_into_its_half_of_the_conv() -> None:
    model = half_normed(4)
    folded = fold_sliced_batchnorm.apply(model)
    assert operators(folded) == ["Conv", "Slice", "Slice", "InstanceNormalization", "Concat"]
    check_same(model, folded, tolerance=1e-4)


def test_fold_sliced_batchnorm_leaves_slices_that_overlap() -> None:
    model = half_normed(3)
    assert fold_sliced_batchnorm.apply(model) == model


# ---- slice_ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("-3", "9223372036854775807", (5, 8)), ("-9223372036854775808", "5", (0, 5))],
)
def test_slice_ends_are_indices_that_are_there(
    start: str, end: str, expected: tuple[int, int]
) -> None:
    model = graph_of(
        f"""
        net (float[1,3,8,8] x) => (float[1,3,n,8] y)
        <int64[1] start = {{{start}}}, int64[1] end = {{{end}}}, int64[1] axis = {{-2}}>
        {{ y = Slice (x, start, end, axis) }}
        """
    )
    bounded = slice_ends.apply(model)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in bounded.graph.initializer}
    assert tuple(int(stored[name][0]) for name in bounded.graph.node[0].input[1:3]) == expected
    check_same(model, bounded)


def test_slice_ends_leaves_bounds_that_fit() -> None:
    model = graph_of(
        """
        net (float[1,3,8,8] x) => (float[1,3,3,8] y)
        <int64[1] start = {-5}, int64[1] end = {-2}, int64[1] axis = {2}>
        { y = Slice (x, start, end, axis) }
        """
    )
    assert slice_ends.apply(model) == model


def test_slice_ends_names_the_node_of_unknown_size() -> None:
    model = graph_of(
        """
        net (float[1,3,h,8] x) => (float[1,3,n,8] y)
        <int64[1] start = {1}, int64[1] end = {9223372036854775807}, int64[1] axis = {2}>
        { [cut] y = Slice (x, start, end, axis) }
        """
    )
    with pytest.raises(PassError, match="slice_ends: Slice cut: Expected a fixed input size"):
        slice_ends.apply(model)


# ---- constants_to_initializers -------------------------------------------------------------------


def test_constants_become_initializers() -> None:
    model = graph_of(
        """
        net (float[1,3,8,8] x) => (float[1,3,8,8] y)
        {
            two = Constant <value = float[1] {2.0}> ()
            three = Constant <value_float = 3.0> ()
            doubled = Mul (x, two)
            y = Add (doubled, three)
        }
        """,
        opset=12,
        ir=7,
    )
    stored = constants_to_initializers.apply(model)
    assert operators(stored) == ["Mul", "Add"]
    assert [tensor.name for tensor in stored.graph.initializer] == ["two", "three"]
    check_same(model, stored)


def test_a_constant_of_text_is_refused() -> None:
    model = graph_of(PLAIN, opset=12, ir=7)
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["s"], value_string=b"text"))
    with pytest.raises(PassError, match="Constant s: Expected numbers"):
        constants_to_initializers.apply(model)


# ---- drop_expand ---------------------------------------------------------------------------------


def excited(last: str) -> onnx.ModelProto:
    """A squeeze and excitation block, up to its last node."""
    return graph_of(
        f"""
        net (float[1,3,8,8] x) => (float[1,3,8,8] y) <int64[4] size = {{1, 3, 8, 8}}>
        {{
            mean = GlobalAveragePool (x)
            wide = Expand (mean, size)
            {last}
        }}
        """
    )


@pytest.mark.parametrize("last", ["y = Mul (x, wide)", "y = Sub (wide, x)"])
def test_drop_expand_where_the_reader_broadcasts(last: str) -> None:
    model = excited(last)
    dropped = drop_expand.apply(model)
    assert "Expand" not in operators(dropped)
    assert not dropped.graph.initializer
    check_same(model, dropped)


@pytest.mark.parametrize(
    ("last", "reader"), [("y = Relu (wide)", "Relu y"), ("y = Mul (wide, wide)", "Mul y")]
)
def test_drop_expand_names_the_reader_that_needs_it(last: str, reader: str) -> None:
    with pytest.raises(PassError, match=f"drop_expand: Expand wide: .*received {reader}"):
        drop_expand.apply(excited(last))


# ---- downsample ----------------------------------------------------------------------------------


def resized(factor: float, options: str = "", size: str = "16,24") -> onnx.ModelProto:
    mode = options or 'mode = "linear", coordinate_transformation_mode = "pytorch_half_pixel"'
    return graph_of(
        f"""
        net (float[1,3,{size}] x) => (float[1,3,h,w] y)
        <float[0] empty = {{}}, float[4] scales = {{1.0, 1.0, {factor}, {factor}}}>
        {{ y = Resize <{mode}> (x, empty, scales) }}
        """
    )


@pytest.mark.parametrize(("factor", "operator"), [(0.5, "AveragePool"), (0.25, "Conv")])
def test_downsample_is_the_mean_that_it_is(factor: float, operator: str) -> None:
    model = resized(factor)
    rewritten = downsample.apply(model)
    assert operators(rewritten) == [operator]
    check_same(model, rewritten, tolerance=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        resized(2.0),
        resized(0.5, size="15,24"),
        resized(0.5, 'mode = "nearest", coordinate_transformation_mode = "half_pixel"'),
        resized(0.5, 'mode = "linear", coordinate_transformation_mode = "align_corners"'),
        resized(0.5, 'mode = "linear", coordinate_transformation_mode = "asymmetric"'),
        resized(0.5, size="2,24"),
    ],
)
def test_downsample_leaves_every_other_resize(model: onnx.ModelProto) -> None:
    assert downsample.apply(model) == model


# ---- pad_conv_channels ---------------------------------------------------------------------------


def lone_conv(channels: int, side: int = 3) -> onnx.ModelProto:
    return graph_of(
        f"""
        net (float[1,{channels},8,8] x) => (float[1,5,8,8] y)
        {{ y = Conv <auto_pad = "SAME_UPPER"> (x, w) }}
        """,
        weights={"w": (5, channels, side, side)},
    )


@pytest.mark.parametrize(("channels", "padded"), [(6, 8), (99, 100)])
def test_pad_conv_channels_to_a_multiple_of_4(channels: int, padded: int) -> None:
    model = lone_conv(channels)
    wide = pad_conv_channels.apply(model)
    assert operators(wide) == ["ConstantOfShape", "Concat", "Conv"]
    assert [list(tensor.dims)[:2] for tensor in wide.graph.initializer] == [[5, padded], [4]]
    check_same(model, wide, tolerance=1e-4)


def test_pad_conv_channels_joins_the_concat_that_is_there() -> None:
    model = graph_of(
        """
        net (float[1,33,8,8] x) => (float[1,5,8,8] y)
        {
            z = Relu (x)
            both = Concat <axis = 1> (x, z)
            y = Conv <pads = [1,1,1,1]> (both, w)
        }
        """,
        weights={"w": (5, 66, 3, 3)},
    )
    wide = pad_conv_channels.apply(model)
    assert operators(wide) == ["Relu", "ConstantOfShape", "Concat", "Conv"]
    assert len(wide.graph.node[2].input) == 3
    check_same(model, wide, tolerance=1e-4)


@pytest.mark.parametrize(("channels", "side"), [(3, 3), (4, 3), (64, 3), (99, 1)])
def test_pad_conv_channels_leaves_what_is_right(channels: int, side: int) -> None:
    model = lone_conv(channels, side)
    assert pad_conv_channels.apply(model) == model
