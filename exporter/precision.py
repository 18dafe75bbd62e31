"""Which precision is for which backend, and the passes that give up exactness for it."""

from collections.abc import Callable

import onnx

from exporter.calibration import read_calibration
from exporter.catalog import Network
from exporter.errors import ExporterError
from exporter.passes import four_bit_weights, half_precision
from exporter.quantize import quantize

__all__ = ["LOSSY", "PRECISIONS", "lossy_passes", "require_supported"]

Rewrite = Callable[[onnx.ModelProto], onnx.ModelProto]

# Of the backends that each one is for: WebGPU has no int8 convolution, the others no fp16.
PRECISIONS = {
    "fp32": ("wasm", "webgl", "webgpu"),
    "int8": ("wasm",),
    "fp16": ("webgpu",),
}
# After these the output differs from the source by more than a rounding error.
LOSSY = frozenset({"four_bit_weights", "half_precision", "quantize"})


def require_supported(backend: str, precision: str) -> None:
    """Raises ExporterError."""
    if backend not in PRECISIONS.get(precision, ()):
        pairs = ", ".join(f"{name} ({' or '.join(fit)})" for name, fit in PRECISIONS.items())
        raise ExporterError(
            f"Expected one of the precisions {pairs}, received {precision} for {backend}."
        )


def lossy_passes(network: Network, precision: str) -> dict[str, Rewrite]:
    """By name, in order; none for fp32. Raises CalibrationError where int8 has no ranges."""
    if precision == "fp16":
        return {"half_precision": half_precision.apply}
    if precision != "int8":
        return {}
    found = read_calibration(network)

    def quantized(model: onnx.ModelProto) -> onnx.ModelProto:
        return quantize(
            model,
            found.ranges,
            float_units=found.float_units,
            storage=found.storage,
        )

    if not found.storage.four_bit_units:
        return {"quantize": quantized}
    return {"quantize": quantized, "four_bit_weights": four_bit_weights.apply}
