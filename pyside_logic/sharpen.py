"""Undoes the blur of a matte before it is enlarged.

A network trained at 320 px puts an edge of the photo on three or four pixels of its matte; enlarged
to the photo that is a soft rim of ten times the width, through which the old background shines.
Unsharp masking at the matte's own size takes most of it back (docs/benchmarks.md has the figures).
"""

import numpy as np
import numpy.typing as npt

__all__ = ["unsharp"]

Float32 = npt.NDArray[np.float32]

#: In pixels of the matte: about the blur that U2-Net leaves.
SIGMA_PX = 2.0


def unsharp(matte_hw: Float32, amount: float) -> Float32:
    """`matte_hw` (h, w) in [0, 1] plus `amount` times what a Gaussian blur would take from it,
    clipped to [0, 1]; 0 changes nothing."""
    detail = matte_hw - _blur(_blur(matte_hw).T).T
    sharpened: Float32 = np.clip(matte_hw + np.float32(amount) * detail, 0.0, 1.0)
    return sharpened


def _blur(values: Float32) -> Float32:
    """Gaussian blur along the first axis; borders are mirrored, however short the axis is."""
    radius = int(np.ceil(3 * SIGMA_PX))
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / SIGMA_PX) ** 2).astype(np.float32)
    weights /= weights.sum()
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="symmetric")
    blurred = np.zeros_like(values)
    for offset, weight in enumerate(weights):
        blurred += weight * padded[offset : offset + len(values)]
    return blurred
