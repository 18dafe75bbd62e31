"""Weights as whole numbers and one step for each output channel."""

import numpy as np
import numpy.typing as npt

__all__ = ["weight_codes"]

Float64 = npt.NDArray[np.float64]


def weight_codes(
    weights: Float64, bias: Float64, input_step: float, *, largest: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Codes -largest..largest of (out, in, ...), and one step for each output channel.

    In 8 bits the largest weight is the largest code. In 4 bits the step is that of the least square
    error, which clips the largest weights a little.
    """
    rows = weights.reshape(len(weights), -1)
    steps = np.abs(rows).max(1) / largest
    if largest < 127:
        steps = _least_squares_steps(rows, steps, largest)
    # A channel of nearly no weights still needs steps at which its bias fits into an int32.
    if bias.size:
        steps = np.maximum(steps, np.abs(bias) / input_step / 2**30)
    stored = np.maximum(steps, 1e-30).astype(np.float32)
    codes = np.round(rows / stored[:, None].astype(np.float64)).clip(-largest, largest)
    return codes.astype(np.int8).reshape(weights.shape), stored


def _least_squares_steps(rows: Float64, widest: Float64, largest: int) -> Float64:
    best, least = widest, np.full(len(rows), np.inf)
    for share in np.linspace(1, 0.5, 21):
        steps = share * widest
        divisors = np.where(steps > 0, steps, 1)[:, None]
        codes = np.round(rows / divisors).clip(-largest, largest)
        error = np.square(rows - codes * steps[:, None]).sum(1)
        best, least = np.where(error < least, steps, best), np.minimum(error, least)
    return best
