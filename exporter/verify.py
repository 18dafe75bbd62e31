"""Compares what two ONNX files compute, with ONNX Runtime on this machine's CPU."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import onnx

from exporter.catalog import InputSpec, Network, OutputSpec
from exporter.errors import ExporterError
from exporter.normalise import normalise
from exporter.sessions import open_session

__all__ = [
    "MEAN_DIFFERENCE_LOSSY",
    "Difference",
    "compare",
    "range_of",
    "run_network",
    "sample_inputs",
    "sample_pictures",
]

FloatArray = npt.NDArray[np.float32]

#: What fewer bits may change. `gossamer calibrate` measures them on many photographs; two show only
#: what is broken.
MEAN_DIFFERENCE_LOSSY = 0.02


@dataclass(frozen=True)
class Difference:
    """Of two outputs, as absolute values over all pixels of all pictures."""

    max: float
    mean: float

    def __truediv__(self, by: float) -> "Difference":
        return Difference(self.max / by, self.mean / by)


def run_network(
    model: onnx.ModelProto, network: Network, inputs: list[FloatArray]
) -> list[FloatArray]:
    """One output (1, 1, height, width) for each input (1, 3, height, width).

    Raises ExporterError where ONNX Runtime cannot run the graph with the names and the size of the
    catalog.
    """
    try:
        return _run(model, network, inputs)
    # ONNX Runtime's errors have no common base of their own.
    except Exception as error:
        spec = network.input
        raise ExporterError(
            f"{network.name}: Expected a network that ONNX Runtime can run with the input "
            f"{spec.name!r} of (1, 3, {spec.height}, {spec.width}) and the output "
            f"{network.output.name!r}, as {network.written_in} says. It says: {error}"
        ) from error


def _run(model: onnx.ModelProto, network: Network, inputs: list[FloatArray]) -> list[FloatArray]:
    session = open_session(model)
    return [
        np.asarray(session.run([network.output.name], {network.input.name: input_nchw})[0])
        for input_nchw in inputs
    ]


def compare(expected: list[FloatArray], received: list[FloatArray]) -> Difference:
    """Infinite where a shape differs or a number is missing."""
    if [one.shape for one in expected] != [one.shape for one in received]:
        return Difference(max=np.inf, mean=np.inf)
    pairs = zip(expected, received, strict=True)
    # Infinity minus infinity is no number; the next line but one says what that means.
    with np.errstate(invalid="ignore"):
        distance = np.concatenate(
            [np.abs(one - other).ravel() for one, other in pairs], dtype=float
        )
    if not np.isfinite(distance).all():
        return Difference(max=np.inf, mean=np.inf)
    return Difference(max=float(distance.max()), mean=float(distance.mean()))


def range_of(mattes: Sequence[FloatArray], output: OutputSpec) -> float:
    """What a difference is compared with: 1, or the range of what is stretched to 0..1 later, where
    that is larger, as logits and 0..255 have it."""
    if output.normalise == "none":
        return 1.0
    return max([1.0, *(float(np.ptp(one)) for one in mattes)])


def sample_inputs(spec: InputSpec) -> list[FloatArray]:
    """Two pictures as the network's input, float32 (1, 3, height, width)."""
    return [_to_input(rgb_hwc, spec) for rgb_hwc in sample_pictures()]


def _to_input(rgb_hwc: npt.NDArray[np.uint8], spec: InputSpec) -> FloatArray:
    # The nearest pixel is enough: both networks see the same picture.
    rows = np.arange(spec.height) * rgb_hwc.shape[0] // spec.height
    columns = np.arange(spec.width) * rgb_hwc.shape[1] // spec.width
    return normalise(rgb_hwc[rows][:, columns], spec)


@cache
def sample_pictures() -> tuple[npt.NDArray[np.uint8], ...]:
    """Two of uint8 (height, width, 3): photographs where scikit-image is installed (it is
    for the tests), else drawn pictures.
    """
    try:
        from skimage import data
    except ImportError:
        return _drawn_picture(seed=1), _drawn_picture(seed=2)
    return data.astronaut(), data.coffee()


def _drawn_picture(seed: int) -> npt.NDArray[np.uint8]:
    """A ball with a fine texture in front of a smooth background, (512, 512, 3)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:512, 0:512, 0:1][:2] / 512
    angle = random.uniform(0, 2 * np.pi, 3)
    way = y * np.sin(angle) + x * np.cos(angle)
    texture, background = np.sin(2 * np.pi * 20 * way), np.sin(2 * np.pi * way)
    centre_y, centre_x, radius = random.uniform((0.4, 0.4, 0.2), (0.6, 0.6, 0.35))
    is_ball = (y - centre_y) ** 2 + (x - centre_x) ** 2 < radius**2
    light = np.where(is_ball, 170 + 60 * texture, 80 + 40 * background)
    rgb_hwc: npt.NDArray[np.uint8] = light.astype(np.uint8)
    return rgb_hwc
