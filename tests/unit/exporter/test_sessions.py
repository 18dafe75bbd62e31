"""The integers of int8 networks, on whatever processor this is."""

import numpy as np
import onnx
from onnx import numpy_helper, parser

from exporter.sessions import open_session

CONVOLUTION = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (uint8[1, 8, 6, 6] x) => (uint8[1, 4, 4, 4] y)
    <float one = {1.0}, float scale = {0.0001}, uint8 zero = {0}, int8 middle = {0}>
    {
        y = QLinearConv(x, one, zero, weights, scale, middle, one, zero)
    }
"""


def test_products_that_overflow_16_bits_are_summed_exactly() -> None:
    random = np.random.default_rng(3)
    pixels = random.integers(200, 256, (1, 8, 6, 6), dtype=np.uint8)
    weights = random.integers(90, 128, (4, 8, 3, 3), dtype=np.int8)
    model = parser.parse_model(CONVOLUTION)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    onnx.checker.check_model(model, full_check=True)
    windows = np.lib.stride_tricks.sliding_window_view(pixels[0], (3, 3), axis=(1, 2))
    sums = np.einsum("chwyx,ocyx->ohw", windows.astype(np.int64), weights.astype(np.int64))
    expected = np.clip(np.rint(0.0001 * sums), 0, 255)
    assert np.ptp(expected) > 0
    received = open_session(model).run(None, {"x": pixels})[0]
    # The scale is a float32: half a step may fall to either side.
    assert np.abs(received[0] - expected).max() <= 1
