"""Conjugate gradients, for matrices that are only known by what they do to a vector."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["DEFAULT_LIMITS", "Limits", "conjugate_gradients"]

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """When to stop, whichever comes first; what has been reached by then is the answer.

    `tolerance` is the norm of the residual, relative to the right side's.
    """

    iterations: int = 200
    seconds: float = 10.0
    tolerance: float = 1e-4


DEFAULT_LIMITS = Limits()


def conjugate_gradients(
    multiply: Callable[[Float64], Float64],
    right: Float64,
    start: Float64,
    limits: Limits,
    on_progress: Callable[[int, int], None],
) -> Float64:
    """x of `multiply`(x) = `right`, from `start`. M. Hestenes, E. Stiefel, 1952.

    The matrix must be symmetric and positive semidefinite. `on_progress(iterations done, at most)`
    is called between iterations; what it raises ends the work.
    """
    end = time.monotonic() + limits.seconds
    x = start.copy()
    residual = right - multiply(x)
    direction = residual.copy()
    squared = float(residual @ residual)
    enough = limits.tolerance**2 * float(right @ right)
    for iteration in range(limits.iterations):
        if squared <= enough or time.monotonic() > end:
            break
        product = multiply(direction)
        curvature = float(direction @ product)
        if curvature <= 0:  # nothing but rounding is left, or nothing holds alpha at all
            break
        step = squared / curvature
        x += step * direction
        residual -= step * product
        before, squared = squared, float(residual @ residual)
        direction *= squared / before
        direction += residual
        on_progress(iteration + 1, limits.iterations)
    return x
