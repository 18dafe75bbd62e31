"""A Gaussian blur of a whole small picture."""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["gaussian_blur"]

Float32 = npt.NDArray[np.float32]


def gaussian_blur(picture: Float32, sigma_px: float) -> Float32:
    """`picture`, float32 (h, w, ...), blurred along both axes; it goes on at its borders as it
    ends. Takes a time that grows with sigma: meant for working sizes."""
    if sigma_px <= 0:
        return picture
    sigma_px = min(sigma_px, max(picture.shape[:2]))  # which is even already
    reach = math.ceil(3 * sigma_px)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        padding = [(0, 0)] * picture.ndim
        padding[axis] = (reach, reach)
        lines = np.moveaxis(np.pad(picture, padding, mode="edge"), axis, 0)
        length = picture.shape[axis]
        blurred = lines[:length] * np.float32(weights[0])
        for at, weight in enumerate(weights[1:], start=1):
            blurred += lines[at : at + length] * np.float32(weight)
        picture = np.moveaxis(blurred, 0, axis)
    return picture
