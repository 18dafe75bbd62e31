"""Small networks with random weights, for what has to run any network."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Nodes = list[onnx.NodeProto]


class Sketch:
    """A network with random weights, node by node."""

    def __init__(self, height: int, width: int, seed: int = 0) -> None:
        self.size = (height, width)
        self._random = np.random.default_rng(seed)
        self._nodes: Nodes = []
        self._weights: list[onnx.TensorProto] = []
        self._count = itertools.count()

    def node(self, operator: str, *inputs: str, **attributes: object) -> str:
        output = f"{operator}_{next(self._count)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def stored(self, array: npt.NDArray[np.generic]) -> str:
        name = f"stored_{next(self._count)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def conv(
        self,
        source: str,
        read: int,
        written: int,
        *,
        kernel: int = 3,
        dilation: int = 1,
        has_bias: bool = True,
        largest: int = 0,
        **attributes: Any,
    ) -> str:
        """`largest`: of the codes that weights are stored in; 0 where they are floats."""
        read //= int(attributes.get("group", 1))
        shape, deviation = (written, read, kernel, kernel), 2 / (kernel * read**0.5)
        if largest:
            codes = self._random.integers(-largest, largest, shape, np.int8, endpoint=True)
            steps = self._random.uniform(1, 2, written).astype(np.float32) * deviation / largest
            zeros = np.zeros(written, np.int8)
            stored = (self.stored(one) for one in (codes, steps.astype(np.float32), zeros))
            inputs = [source, self.node("DequantizeLinear", *stored, axis=0)]
        else:
            filters = self._random.normal(0, deviation, shape)
            inputs = [source, self.stored(filters.astype(np.float32))]
        if has_bias:
            inputs.append(self.stored(self._random.normal(0, 0.1, written).astype(np.float32)))
        return self.node(
            "Conv",
            *inputs,
            kernel_shape=[kernel, kernel],
            dilations=[dilation, dilation],
            **{"pads": [kernel // 2 * dilation] * 4, **attributes},
        )

    def normalised(self, source: str, channels: int, half: int, *, epsilon: float = 1e-5) -> str:
        """Half by what is known, half by what the picture shows."""
        spans = [[0, half], [half, 2**31]]
        known, shown = (
            self.node("Slice", source, *(self.stored(np.array([at])) for at in (*span, 1)))
            for span in spans
        )
        parameters = [self._random.normal(0, 1, half) for _ in range(3)]
        parameters.append(self._random.uniform(0.5, 2, half))
        names = [self.stored(one.astype(np.float32)) for one in parameters]
        ones = np.ones(channels - half, np.float32)
        parts = [
            self.node("BatchNormalization", known, *names, epsilon=epsilon),
            self.node("InstanceNormalization", shown, self.stored(ones), self.stored(0 * ones)),
        ]
        return self.node("Concat", *parts, axis=1)

    def matrix(self, source: str, read: int, written: int) -> str:
        weights = self._random.normal(0, read**-0.5, (read, written)).astype(np.float32)
        return self.node("MatMul", source, self.stored(weights))

    def weighed(self, source: str, channels: int, height: int, width: int) -> str:
        """Every channel by what a small network makes of the means of all."""
        mean = self.node("GlobalAveragePool", source)
        flat = self.node("Reshape", mean, self.stored(np.array([1, channels])))
        hidden = self.node("Relu", self.matrix(flat, channels, 5))
        share = self.node("Sigmoid", self.matrix(hidden, 5, channels))
        shape = self.stored(np.array([1, channels, 1, 1]))
        share = self.node("Reshape", share, shape)
        shown = self.node("Expand", share, self.stored(np.array([1, channels, height, width])))
        return self.node("Mul", source, shown)

    def clipped(self, source: str, *bounds: float) -> str:
        return self.node("Clip", source, *(self.stored(np.float32(one)) for one in bounds))

    def pool(self, source: str, **attributes: object) -> str:
        return self.node("MaxPool", source, kernel_shape=[2, 2], strides=[2, 2], **attributes)

    def resize(self, source: str, channels: int, height: int, width: int) -> str:
        sizes = self.stored(np.array([1, channels, height, width]))
        return self.node(
            "Resize",
            source,
            "",
            "",
            sizes,
            mode="linear",
            coordinate_transformation_mode="pytorch_half_pixel",
        )

    def file(self, last: str, *, rubbish: int = 0) -> bytes:
        """Ends with a sigmoid of `last`. `rubbish`: so many numbers that are none and that nothing
        reads, which lie in the engine's memory before its first run."""
        output = self.node("Sigmoid", last)
        self.stored(np.full(rubbish, np.nan, np.float32))
        shape = [1, 3, *self.size]
        graph = helper.make_graph(
            self._nodes,
            "sketch",
            [helper.make_tensor_value_info("picture", onnx.TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)],
            self._weights,
        )
        opset = helper.make_opsetid("", 17)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        contents: bytes = model.SerializeToString()
        return contents

    def picture(self) -> npt.NDArray[np.float32]:
        picture: npt.NDArray[np.float32] = self._random.normal(size=(1, 3, *self.size))
        return picture.astype(np.float32)
