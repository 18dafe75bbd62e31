"""Each pass on small graphs that have its pattern, and on graphs that have not."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from exporter.errors import PassError
from exporter.passes import ceil_mode, fix_shapes, prune_outputs, raise_opset, simplify
from tests.unit.exporter.graphs import graph_of, noise, operators, run

THREE_HEADS = """
    net (float[1,3,8,8] x) => (float[1,3,8,8] fused, float[1,3,8,8] side, float[1,3,8,8] deep)
    <float unused = {2.0}, float used = {3.0}>
    {
        trunk = Relu (x)
        fused = Mul (trunk, used)
        low = Mul (trunk, unused)
        side = Sigmoid (low)
        deep = Tanh (trunk)
    }
"""

RESIZE_LIKE = """
    net (float[1,3,4,4] x, float[1,3,9,7] y) => (float[1,3,9,7] z)
    {
        of_y = Shape (y)
        empty = Constant <value = float[0] {}> ()
        z = Resize <mode = "linear", coordinate_transformation_mode = "pytorch_half_pixel"> (
            x, empty, empty, of_y
        )
    }
"""


def pooling(options: str, size: str = "8,8", operator: str = "MaxPool") -> onnx.ModelProto:
    return graph_of(
        f"net (float[1,3,{size}] x) => (float[1,3,h,w] y) {{ y = {operator} <{options}> (x) }}"
    )


@pytest.mark.parametrize(
    ("apply", "text"),
    [
        (lambda model: prune_outputs.apply(model, output="fused"), THREE_HEADS),
        (lambda model: fix_shapes.apply(model, name="x", shape=(1, 3, 8, 8)), THREE_HEADS),
        (simplify.apply, RESIZE_LIKE),
        (raise_opset.apply, RESIZE_LIKE),
    ],
)
def test_a_pass_leaves_its_argument_alone(
    apply: Callable[[onnx.ModelProto], onnx.ModelProto], text: str
) -> None:
    model = graph_of(text)
    before = model.SerializeToString()
    apply(model)
    assert model.SerializeToString() == before


# ---- prune_outputs -------------------------------------------------------------------------------


def test_prune_outputs_keeps_what_the_output_needs() -> None:
    model = graph_of(THREE_HEADS)
    pruned = prune_outputs.apply(model, output="fused")
    assert [value.name for value in pruned.graph.output] == ["fused"]
    assert operators(pruned) == ["Relu", "Mul"]
    assert [tensor.name for tensor in pruned.graph.initializer] == ["used"]
    picture = noise(1, 3, 8, 8)
    np.testing.assert_array_equal(run(pruned, picture)[0], run(model, picture)[0])


def test_prune_outputs_leaves_a_single_output_alone() -> None:
    model = prune_outputs.apply(graph_of(THREE_HEADS), output="deep")
    assert prune_outputs.apply(model, output="deep") == model


def test_prune_outputs_keeps_what_a_branch_reads_from_outside() -> None:
    model = graph_of(
        """
        net (bool is_day, float[2] x) => (float[2] y, float[2] unwanted)
        {
            doubled = Add (x, x)
            unwanted = Neg (x)
            y = If (is_day) <
                then_branch = day () => (float[2] a) { a = Relu (doubled) },
                else_branch = night () => (float[2] b) { b = Abs (doubled) }
            >
        }
        """
    )
    pruned = prune_outputs.apply(model, output="y")
    assert operators(pruned) == ["Add", "If"]
    is_day, x = np.array(False), np.array([-1, 2], np.float32)
    np.testing.assert_array_equal(run(pruned, is_day, x)[0], [2, 4])


def test_prune_outputs_names_the_outputs_there_are() -> None:
    with pytest.raises(PassError, match=r"'matte', received fused, side, deep"):
        prune_outputs.apply(graph_of(THREE_HEADS), output="matte")


# ---- fix_shapes ----------------------------------------------------------------------------------

DYNAMIC = "net (float[batch,3,height,width] x) => (float[batch,3,height,width] y) { y = Relu (x) }"


def sizes(value: onnx.ValueInfoProto) -> list[int]:
    return [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]


def test_fix_shapes_fixes_input_and_output() -> None:
    fixed = fix_shapes.apply(graph_of(DYNAMIC), name="x", shape=(1, 3, 6, 4))
    assert sizes(fixed.graph.input[0]) == sizes(fixed.graph.output[0]) == [1, 3, 6, 4]
    picture = noise(1, 3, 6, 4)
    np.testing.assert_array_equal(run(fixed, picture)[0], np.maximum(picture, 0))


def test_fix_shapes_leaves_a_fixed_graph_alone() -> None:
    model = graph_of(THREE_HEADS)
    assert fix_shapes.apply(model, name="x", shape=(1, 3, 8, 8)) == model


def test_fix_shapes_of_a_network_whose_sides_have_one_name() -> None:
    model = graph_of("net (float[n,3,s,s] x) => (float[n,3,s,s] y) { y = Relu (x) }")
    fixed = fix_shapes.apply(model, name="x", shape=(1, 3, 6, 4))
    assert sizes(fixed.graph.input[0]) == sizes(fixed.graph.output[0]) == [1, 3, 6, 4]


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("picture", (1, 3, 8, 8), "one input named 'picture', received x"),
        ("x", (1, 3, 8, 16), r"\(1, 3, 8, 16\), received \(1, 3, 8, 8\)"),
        ("x", (3, 8, 8), r"\(3, 8, 8\), received \(1, 3, 8, 8\)"),
    ],
)
def test_fix_shapes_refuses_another_input(name: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(PassError, match=message):
        fix_shapes.apply(graph_of(THREE_HEADS), name=name, shape=shape)


# ---- simplify ------------------------------------------------------------------------------------


def test_simplify_computes_sizes_in_advance() -> None:
    model = graph_of(RESIZE_LIKE)
    simplified = simplify.apply(model)
    assert "Shape" not in operators(simplified)
    assert "Resize" in operators(simplified)
    assert not simplified.metadata_props
    pictures = noise(1, 3, 4, 4), noise(1, 3, 9, 7)
    np.testing.assert_array_equal(run(simplified, *pictures)[0], run(model, *pictures)[0])


def test_simplify_keeps_what_depends_on_the_picture() -> None:
    model = prune_outputs.apply(graph_of(THREE_HEADS), output="fused")
    assert operators(simplify.apply(model)) == ["Relu", "Mul"]


def test_simplify_says_what_onnxsim_cannot_read() -> None:
    model = graph_of(THREE_HEADS)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    with pytest.raises(PassError, match="simplify: Expected a graph that onnxsim can read"):
        simplify.apply(model)


# ---- ceil_mode -----------------------------------------------------------------------------------

HALVE = "kernel_shape = [2,2], strides = [2,2], ceil_mode = 1"


@pytest.mark.parametrize(
    "model",
    [
        pooling(HALVE),
        pooling(HALVE, size="8,12", operator="AveragePool"),
        pooling("kernel_shape = [3,3], strides = [1,1], ceil_mode = 1", size="7,7"),
        pooling(
            "kernel_shape = [3,3], strides = [2,2], pads = [1,1,0,0], ceil_mode = 1", size="8,6"
        ),
        pooling(
            "kernel_shape = [2,2], strides = [3,3], dilations = [2,2], ceil_mode = 1", size="9,6"
        ),
    ],
)
def test_ceil_mode_is_dropped_where_sizes_divide(model: onnx.ModelProto) -> None:
    plain = ceil_mode.apply(model)
    assert [a.i for a in plain.graph.node[0].attribute if a.name == "ceil_mode"] == [0]
    picture = noise(*sizes(model.graph.input[0]))
    np.testing.assert_array_equal(run(plain, picture)[0], run(model, picture)[0])


def test_ceil_mode_leaves_floor_mode_alone() -> None:
    model = pooling("kernel_shape = [2,2], strides = [2,2]", size="7,7")
    assert ceil_mode.apply(model) == model


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (HALVE, "7,8"),
        (HALVE, "8,7"),
        (HALVE, "h,w"),
        (f'{HALVE}, auto_pad = "SAME_UPPER"', "7,7"),
    ],
)
def test_ceil_mode_leaves_what_needs_it_alone(options: str, size: str) -> None:
    model = pooling(options, size)
    assert ceil_mode.apply(model) == model
    with pytest.raises(PassError, match=r"MaxPool y: .*stride of 2 divides evenly, .*WASM alone"):
        ceil_mode.require_floor(model)


def test_ceil_mode_finds_a_node_deep_in_the_graph() -> None:
    model = graph_of(
        f"""
        net (float[1,3,12,12] x) => (float[1,3,h,w] y)
        {{
            [first] half = MaxPool <{HALVE}> (x)
            [second] quarter = MaxPool <{HALVE}> (half)
            [third] y = MaxPool <{HALVE}> (quarter)
        }}
        """
    )
    plain = ceil_mode.apply(model)
    picture = noise(1, 3, 12, 12)
    np.testing.assert_array_equal(run(plain, picture)[0], run(model, picture)[0])
    with pytest.raises(PassError, match=r"require_floor: MaxPool third: .*received 3x3"):
        ceil_mode.require_floor(plain)


# ---- raise_opset ---------------------------------------------------------------------------------


def test_raise_opset_keeps_what_the_graph_computes() -> None:
    model = graph_of(RESIZE_LIKE)
    raised = raise_opset.apply(model)
    assert [(entry.domain, entry.version) for entry in raised.opset_import] == [("", 17)]
    assert raised.ir_version == 8
    onnx.checker.check_model(raised, full_check=True)
    pictures = noise(1, 3, 4, 4), noise(1, 3, 9, 7)
    np.testing.assert_array_equal(run(raised, *pictures)[0], run(model, *pictures)[0])


def test_raise_opset_leaves_its_own_opset_alone() -> None:
    model = graph_of(THREE_HEADS, opset=17, ir=8)
    assert raise_opset.apply(model) == model


def test_raise_opset_does_not_go_back() -> None:
    with pytest.raises(PassError, match="Expected opset 17 or older, received 18"):
        raise_opset.apply(graph_of(THREE_HEADS, opset=18, ir=8))


def test_raise_opset_refuses_operators_of_others() -> None:
    model = graph_of(THREE_HEADS)
    model.opset_import.add(domain="com.example", version=1)
    with pytest.raises(PassError, match=r"ai\.onnx only, received ai\.onnx, com\.example"):
        raise_opset.apply(model)


def test_raise_opset_refuses_what_it_cannot_rewrite() -> None:
    model = graph_of(THREE_HEADS)
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(PassError, match="raise_opset: Expected a rewrite to opset 17"):
        raise_opset.apply(model)


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize(
    ("opset", "height", "scale"), [(7, 5, 2), (9, 5, 2), (10, 5, 2), (10, 8, 0.5)]
)
def test_raise_opset_keeps_the_old_rule_of_resize(
    opset: int, height: int, scale: float, mode: str
) -> None:
    scales = f"1.0, 1.0, {float(scale)}, {float(scale)}"
    operator = "Upsample" if opset < 10 else "Resize"
    node = f'{operator} <mode = "{mode}"> (x, scales)'
    if opset < 9:
        node = f'Upsample <mode = "{mode}", scales = [{scales}]> (x)'
    model = graph_of(
        f"net (float[1,2,{height},6] x) => (float[1,2,h,w] y) "
        f"<float[4] scales = {{{scales}}}> {{ y = {node} }}",
        opset=opset,
    )
    picture = noise(1, 2, height, 6)
    raised = raise_opset.apply(model)
    np.testing.assert_allclose(run(raised, picture)[0], run(model, picture)[0], atol=1e-6)
