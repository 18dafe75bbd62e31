"""Small graphs as text, run by ONNX Runtime on noise."""

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from onnx import parser


def specification(height: int, width: int, activation: str) -> str:
    """TOML for a network of one's own; `activation` is what it ends without."""
    return f"""
[input]
height = {height}
width = {width}
scale = 'unit'
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]

[output]
normalise = 'none'
activation = '{activation}'
"""


def graph_of(
    text: str, opset: int = 11, ir: int = 6, weights: Mapping[str, tuple[int, ...]] | None = None
) -> onnx.ModelProto:
    """`weights` are filled with noise; names that begin with `var` with positive noise."""
    model = parser.parse_model(f'<ir_version: {ir}, opset_import: ["" : {opset}]> {text}')
    random = np.random.default_rng(7)
    for name, shape in (weights or {}).items():
        values = random.normal(size=shape).astype(np.float32)
        values = np.abs(values) + 0.1 if name.startswith("var") else values
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    onnx.checker.check_model(model)
    return model


def run(model: onnx.ModelProto, *inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in session.get_inputs()]
    outputs: list[np.ndarray] = session.run(None, dict(zip(names, inputs, strict=True)))
    return outputs


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]
