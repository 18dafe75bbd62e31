"""How sure a network is of what it has found, as web/js/pipeline/confidence.js tells it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.catalog import OutputSpec

__all__ = ["SURE", "confidence_in", "is_unsure", "peak_of"]

Float32 = npt.NDArray[np.float32]

#: Somebody should look at what a network is less sure of; as in web/js/ui/doubt.js.
SURE = 0.9

_ROUNDING = 1e-3


def confidence_in(matte_hw: Float32, peak: float) -> float:
    """The mean of a matte (h, w) in [0, 1], weighted by itself, times `peak`: 1 where all that it
    shows is the subject for sure, 0 where it shows nothing."""
    shown = float(matte_hw.sum(dtype=np.float64))
    return peak * float(np.square(matte_hw, dtype=np.float64).sum()) / shown if shown else 0.0


def is_unsure(confidence: float | None) -> bool:
    """None where no network has found the subject."""
    return confidence is not None and confidence < SURE


def peak_of(output: npt.NDArray[Any], spec: OutputSpec) -> float:
    """What the surest pixel was before the output was stretched to 0..1: of a photo without a
    subject, little. 1 where nothing is stretched, or where the numbers are no probabilities."""
    low, high = float(output.min()), float(output.max())
    is_probability = low >= -_ROUNDING and high <= 1 + _ROUNDING
    return min(high, 1.0) if spec.normalise == "minmax" and is_probability else 1.0
