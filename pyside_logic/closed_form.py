"""Closed-form matting in the unknown band of a trimap.

A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image Matting", PAMI 2008.
In each small window alpha is a linear function of the colour; the alpha that breaks this least is
the solution of a linear system. Its matrix is never built: times a vector it is what a guided
filter takes away from it (K. He, J. Sun, X. Tang, "Fast matting using large kernel matting
Laplacian matrices", CVPR 2010), and conjugate gradients need no more than that.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import window_lengths
from pyside_logic.local_colours import LocalColours
from pyside_logic.solver import DEFAULT_LIMITS, Limits, conjugate_gradients
from pyside_logic.trimap import UNKNOWN

__all__ = ["closed_form_alpha"]

Float64 = npt.NDArray[np.float64]


def closed_form_alpha(
    guide_hwc: npt.NDArray[np.floating],
    matte_hw: npt.NDArray[np.floating],
    trimap_hw: npt.NDArray[np.uint8],
    on_progress: Callable[[int, int], None],
    *,
    trust: float = 0.0,
    radius_px: int = 1,
    epsilon: float = 1e-7,
    limits: Limits = DEFAULT_LIMITS,
) -> Float64:
    """Alpha (h, w) in [0, 1]: 0 and 1 where the trimap is sure, solved for where it is not.

    `guide_hwc` is the photo, (h, w, 3) in [0, 1]; `matte_hw` in [0, 1] is where the search starts,
    and `trust` how strongly the solution is held to it (0: not at all, 1: as strongly as one
    window would). `epsilon`, in squared units of the guide, is the paper's; windows are of
    `radius_px`. `on_progress` and `limits` are the solver's.
    """
    unknown = trimap_hw == UNKNOWN
    known_hw = np.where(unknown, 0.0, trimap_hw / 255.0)
    if not unknown.any():
        return known_hw
    # A window's reach beyond the band there are only zeros of the Laplacian's.
    around = _bounding_box(unknown, 2 * radius_px)
    inside = unknown[around]
    colours = LocalColours(guide_hwc[around], radius_px, epsilon)
    windows = _window_counts(inside.shape, radius_px)

    def laplacian(alpha_hw: Float64) -> Float64:
        product: Float64 = (windows * (alpha_hw - colours.filtered(alpha_hw)))[inside]
        return product

    def multiply(values: Float64) -> Float64:
        alpha_hw = np.zeros(inside.shape)
        alpha_hw[inside] = values
        return laplacian(alpha_hw) + trust * values

    start = matte_hw[unknown].astype(np.float64)
    right = trust * start - laplacian(known_hw[around])
    solved_hw = known_hw
    solved_hw[unknown] = conjugate_gradients(multiply, right, start, limits, on_progress)
    np.clip(solved_hw, 0.0, 1.0, out=solved_hw)
    return solved_hw


def _window_counts(shape: tuple[int, ...], radius_px: int) -> Float64:
    """In how many windows each pixel lies."""
    rows, columns = (window_lengths(length, radius_px) for length in shape)
    return np.multiply.outer(rows, columns)


def _bounding_box(inside_hw: npt.NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    spans = [np.flatnonzero(inside_hw.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (slice(max(0, at[0] - margin), at[-1] + margin + 1) for at in spans)
    return rows, columns
