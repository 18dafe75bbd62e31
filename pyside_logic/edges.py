"""Moves and softens the edge of an alpha that comes in strips.

Feathering is a Gaussian blur. Contraction and expansion are grey-scale erosion and dilation with a
disc (J. Serra, "Image Analysis and Mathematical Morphology", 1982), except where a structure is
too thin for the disc: there a plain erosion would cut hair off, and a dilation close the gaps.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import resize_strips
from pyside_logic.strips import Strip, filter_strips

__all__ = ["contract", "feather"]

Float32 = npt.NDArray[np.float32]

#: A wider Gaussian is made of a narrow one at a smaller size, of about half this.
_WIDE_SIGMA_PX = 4.0


def feather(strips: Iterable[Strip], height: int, width: int, sigma_px: float) -> Iterator[Strip]:
    """Blurs the strips of a (height, width) picture by a Gaussian of `sigma_px`; 0 blurs
    nothing. Beyond its borders the picture goes on as it ends."""
    if sigma_px == 0:
        return iter(strips)
    if sigma_px < _WIDE_SIGMA_PX:
        weights = _gaussian(sigma_px)
        return filter_strips(strips, len(weights) // 2, lambda window: _blur(window, weights))
    return _feather_widely(strips, height, width, sigma_px)


def _feather_widely(
    strips: Iterable[Strip], height: int, width: int, sigma_px: float
) -> Iterator[Strip]:
    step = int(2 * sigma_px / _WIDE_SIGMA_PX)
    small = np.zeros((-(-height // step), -(-width // step)), np.float32)
    tops = []
    values = np.zeros((0, width), np.float32)
    for rows, values in strips:
        tops.append(rows)
        padded = np.pad(values, ((0, 0), (0, -width % step)), mode="edge")
        sums = padded.reshape(len(values), -1, step).sum(axis=2)
        for row, line in zip(range(height)[rows], sums, strict=True):
            small[row // step] += line  # row by row: the same sum for strips of any height
    small[-1] += sums[-1] * (-height % step)
    small /= step * step
    # The means and the interpolation between them are a blur already.
    weights = _gaussian(np.sqrt((sigma_px / step) ** 2 - 0.25))
    blurred = _blur(np.pad(small, len(weights) // 2, mode="edge"), weights)
    full = (small.shape[0] * step, small.shape[1] * step)
    strip_rows = tops[0].stop - tops[0].start
    for rows, enlarged in resize_strips(blurred, *full, strip_rows):
        if rows.start < height:
            kept = slice(rows.start, min(rows.stop, height))
            yield kept, enlarged[: kept.stop - kept.start, :width]


def _gaussian(sigma_px: float) -> Float32:
    offsets = np.arange(-np.ceil(3 * sigma_px), np.ceil(3 * sigma_px) + 1)
    weights = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    normalised: Float32 = (weights / weights.sum()).astype(np.float32)
    return normalised


def _blur(window: Float32, weights: Float32) -> Float32:
    """Along both axes, which lose what the weights reach."""
    for axis in (0, 1):
        length = window.shape[axis] - len(weights) + 1
        lines = window if axis == 0 else window.T
        blurred = lines[:length] * weights[0]
        for at, weight in enumerate(weights[1:], start=1):
            blurred += lines[at : at + length] * weight
        window = blurred if axis == 0 else blurred.T
    return np.clip(window, 0.0, 1.0)


def contract(strips: Iterable[Strip], distance_px: int) -> Iterator[Strip]:
    """Moves the edges of alpha inwards by `distance_px`; a negative distance moves them outwards.

    What is narrower than twice the distance keeps its alpha: lines and hair are not cut off by the
    one and not thickened by the other, and gaps are not closed.
    """
    radius = abs(distance_px)
    if distance_px > 0:
        return filter_strips(strips, 3 * radius, lambda window: _contracted(window, radius))
    if distance_px < 0:
        return filter_strips(strips, 5 * radius, lambda window: _expanded(window, radius))
    return iter(strips)


def _contracted(window: Float32, radius: int) -> Float32:
    eroded = _disc_minimum(window, radius)
    opened = _disc_maximum(eroded, radius)
    thin = _inner(window, 2 * radius) - opened
    # As far as the disc reaches, so that a hair stays joined to what it grows from.
    spared = np.minimum(_inner(window, 3 * radius), _disc_maximum(thin, radius))
    contracted: Float32 = np.maximum(_inner(eroded, 2 * radius), spared)
    return contracted


def _expanded(window: Float32, radius: int) -> Float32:
    solid = _disc_maximum(_disc_minimum(window, radius), radius)
    grown = 1 - _contracted(1 - solid, radius)
    return np.maximum(_inner(window, 5 * radius), grown)


def _inner(window: Float32, margin: int) -> Float32:
    return window[margin : len(window) - margin, margin : window.shape[1] - margin]


def _disc_maximum(window: Float32, radius: int) -> Float32:
    return -_disc_minimum(-window, radius)


def _disc_minimum(window: Float32, radius: int) -> Float32:
    """The least value within `radius` (Euclidean); both axes lose `radius` on each side."""
    rows, columns = len(window) - 2 * radius, window.shape[1] - 2 * radius
    # powers[k][:, x] is the minimum over 2**k columns from x on.
    powers = [window]
    while 2 ** len(powers) <= 2 * radius + 1:
        half, last = 2 ** (len(powers) - 1), powers[-1]
        powers.append(np.minimum(last[:, :-half], last[:, half:]))
    least = np.full((rows, columns), np.inf, np.float32)
    for dy in range(-radius, radius + 1):
        reach = int(np.sqrt(radius * radius - dy * dy))
        power = (2 * reach + 1).bit_length() - 1
        lines = powers[power][radius + dy : radius + dy + rows]
        for left in (radius - reach, radius + reach + 1 - 2**power):
            np.minimum(least, lines[:, left : left + columns], out=least)
    return least
