"""Weights as whole numbers and one step for each output channel.

In four bits the nearest number is not the best one. Pictures are smooth, deep inside a network too:
what a kernel does to one is mostly the sum of its weights. So each kernel's sum is kept, by moving
the few weights that were nearest to the middle between two numbers, and then each output channel's.
C. Guo et al., "SQuant: On-the-Fly Data-Free Quantization via Diagonal Hessian Approximation",
ICLR 2022.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["weight_codes"]

Float64 = npt.NDArray[np.float64]


def weight_codes(
    weights: Float64, bias: Float64, input_step: float, *, largest: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Codes -largest..largest of (out, in, ...), and one step for each output channel.

    In 8 bits the largest weight is the largest code. In 4 bits the step is that of the least square
    error, which clips the largest weights a little, and sums are kept.
    """
    rows = weights.reshape(len(weights), -1)
    steps = np.abs(rows).max(1) / largest
    if largest < 127:
        steps = _least_squares_steps(rows, steps, largest)
    # A channel of nearly no weights still needs steps at which its bias fits into an int32.
    if bias.size:
        steps = np.maximum(steps, np.abs(bias) / input_step / 2**30)
    stored = np.maximum(steps, 1e-30).astype(np.float32)
    exact = rows / stored[:, None].astype(np.float64)
    codes = np.round(exact).clip(-largest, largest)
    if largest < 127 and weights.ndim > 1:
        _keep_sums(codes, exact, weights.shape[1], largest)
    return codes.astype(np.int8).reshape(weights.shape), stored


def _keep_sums(codes: Float64, exact: Float64, kernels: int, largest: int) -> None:
    """Moves codes (out, in * ...) by one so that the sums of each of `kernels` a row, and then of
    each row, are within one half of those of `exact`; where there is room for it."""
    for parts in (kernels, 1):
        of_part = (len(codes) * parts, -1)
        errors = (codes - exact).reshape(of_part)
        surplus = np.round(errors.sum(1)).astype(int)
        # Those furthest above what they stand for come down, those furthest below go up.
        ranks = np.argsort(np.argsort(-errors, axis=1, kind="stable"), axis=1)
        down = ranks < surplus[:, None]
        up = ranks >= errors.shape[1] + np.minimum(surplus, 0)[:, None]
        moved = codes.reshape(of_part) - down + up
        codes[:] = moved.clip(-largest, largest).reshape(codes.shape)


def _least_squares_steps(rows: Float64, widest: Float64, largest: int) -> Float64:
    best, least = widest, np.full(len(rows), np.inf)
    for share in np.linspace(1, 0.5, 21):
        steps = share * widest
        divisors = np.where(steps > 0, steps, 1)[:, None]
        codes = np.round(rows / divisors).clip(-largest, largest)
        error = np.square(rows - codes * steps[:, None]).sum(1)
        best, least = np.where(error < least, steps, best), np.minimum(error, least)
    return best
