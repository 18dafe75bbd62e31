"""Takes the old background's colour out of the soft edge of a cut-out.

T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020.
A photo is alpha . foreground + (1 - alpha) . background; both colours are found from coarse to
fine, each pixel between what its neighbours say and what reproduces the photo. Here it runs at a
working size and in the soft band only, and one more such step is taken at full size, strip by
strip.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import strips_of

__all__ = ["estimate_layers", "foreground_strips"]

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

#: Neighbours agree at least this much where alpha is even. These four values are the paper's.
_REGULARISATION = 1e-5
_SMALL_PX = 32
_SWEEPS_SMALL = 10
_SWEEPS_LARGE = 2

#: Fewer rows than elsewhere: a soft pixel takes twenty times the memory of an alpha.
_STRIP_ROWS = 64


def estimate_layers(rgba_hwc: Float32) -> Float32:
    """(foreground, background) of `rgba_hwc`, float32 (h, w, 4) straight in [0, 1], as float32
    (h, w, 6) in [0, 1]: RGB and RGB. Both are defined everywhere; where alpha is 1 the foreground
    is nearly the photo, where it is 0 the background is."""
    height, width = rgba_hwc.shape[:2]
    halvings = (max(height, width) - 1).bit_length()
    layers = np.zeros((1, 1, 6), np.float32)
    layers[:] = np.tile(rgba_hwc[..., :3].mean(axis=(0, 1)), 2)
    for halving in range(halvings, -1, -1):
        h, w = -(-height >> halving) or 1, -(-width >> halving) or 1
        level = _sampled(rgba_hwc, h, w)
        layers = _sampled(layers, h, w)
        _fix_known(layers, level)
        sweeps = _SWEEPS_SMALL if max(h, w) <= _SMALL_PX else _SWEEPS_LARGE
        _relax(layers.reshape(-1, 6), level, sweeps)
    return layers


def _sampled(picture: Float32, height: int, width: int) -> Float32:
    """Nearest neighbours: means would not be composites of means."""
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    sampled: Float32 = picture[rows[:, None], columns]
    return sampled


def _fix_known(layers: Float32, rgba_hwc: Float32) -> None:
    alpha = rgba_hwc[..., 3]
    layers[..., :3][alpha == 1] = rgba_hwc[..., :3][alpha == 1]
    layers[..., 3:][alpha == 0] = rgba_hwc[..., :3][alpha == 0]


def _relax(layers: Float32, rgba_hwc: Float32, sweeps: int) -> None:
    """Gauss-Seidel sweeps over the soft band, in place, in two colours like a chess board."""
    height, width = rgba_hwc.shape[:2]
    alpha_hw = rgba_hwc[..., 3]
    rows, columns = np.nonzero(_band(alpha_hw))
    halves = []
    for parity in (0, 1):
        mine = (rows + columns) % 2 == parity
        y, x = rows[mine], columns[mine]
        neighbours = [
            np.maximum(y - 1, 0) * width + x,
            np.minimum(y + 1, height - 1) * width + x,
            y * width + np.maximum(x - 1, 0),
            y * width + np.minimum(x + 1, width - 1),
        ]
        halves.append(_Half(y * width + x, neighbours, rgba_hwc.reshape(-1, 4)))
    for _ in range(sweeps):
        for half in halves:
            half.update(layers)


def _band(alpha_hw: Float32) -> npt.NDArray[np.bool_]:
    """Soft pixels and their neighbours, whose hidden layer the soft ones lean on."""
    soft = (alpha_hw > 0) & (alpha_hw < 1)
    band = soft.copy()
    band[1:] |= soft[:-1]
    band[:-1] |= soft[1:]
    band[:, 1:] |= soft[:, :-1]
    band[:, :-1] |= soft[:, 1:]
    return band


class _Half:
    """Every other pixel of the band, and what does not change from sweep to sweep."""

    def __init__(self, at: Indices, neighbours: list[Indices], rgba: Float32) -> None:
        self._at = at
        self._neighbours = neighbours
        self._rgb = rgba[at, :3]
        self._alpha = rgba[at, 3:]
        # Across an edge of alpha the layers go on smoothly: only the photo changes there.
        weights = [
            _REGULARISATION + np.abs(self._alpha - rgba[neighbour, 3:]) for neighbour in neighbours
        ]
        total = np.sum(weights, axis=0)
        self._shares = [weight / total for weight in weights]
        self._stiffness = total

    def update(self, layers: Float32) -> None:
        means = layers[self._neighbours[0]] * self._shares[0]
        for neighbour, share in zip(self._neighbours[1:], self._shares[1:], strict=True):
            means += layers[neighbour] * share
        layers[self._at] = _reconciled(means, self._rgb, self._alpha, self._stiffness)


def _reconciled(
    layers: Float32, rgb: Float32, alpha: Float32, stiffness: Float32 | float
) -> Float32:
    """The layers (n, 6) moved towards the nearest ones that make up `rgb` (n, 3) with `alpha`
    (n, 1): all the way where `stiffness` is 0. This is the paper's 2 x 2 system, solved."""
    beta = 1 - alpha
    missing = rgb - alpha * layers[:, :3] - beta * layers[:, 3:]
    missing /= alpha * alpha + beta * beta + stiffness
    moved = layers.copy()
    moved[:, :3] += alpha * missing
    moved[:, 3:] += beta * missing
    np.clip(moved, 0.0, 1.0, out=moved)
    return moved


def foreground_strips(
    rgba_hwc: npt.NDArray[np.uint8], layers_hwc: Float32, strip_rows: int = _STRIP_ROWS
) -> Iterator[tuple[slice, Indices, npt.NDArray[np.uint8]]]:
    """Yields (rows, pixels, colours) from top to bottom: flat indices of the soft pixels of
    `rgba_hwc`, uint8 (height, width, 4) straight, in these rows, and their foreground, uint8
    (n, 3).

    `layers_hwc` are estimate_layers of the same photo at any size. Any `strip_rows` gives the same
    colours.
    """
    height, width = rgba_hwc.shape[:2]
    h, w = layers_hwc.shape[:2]
    flat = layers_hwc.reshape(-1, 6)
    for rows in strips_of(height, strip_rows):
        strip = rgba_hwc[rows].reshape(-1, 4)
        at = np.flatnonzero((strip[:, 3] > 0) & (strip[:, 3] < 255))
        y, x = np.divmod(at, width)
        pixels = strip[at].astype(np.float32)
        pixels /= 255
        near = _bilinear(
            flat, (y + rows.start + 0.5) * (h / height) - 0.5, (x + 0.5) * (w / width) - 0.5, w
        )
        colours = _reconciled(near, pixels[:, :3], pixels[:, 3:], 0.0)[:, :3]
        yield rows, at + rows.start * width, (colours * 255 + 0.5).astype(np.uint8)


def _bilinear(
    flat: Float32, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], width: int
) -> Float32:
    """Values between the pixels of a picture, flat (h * w, n), at (y, x) in its own pixels."""
    height = len(flat) // width
    top, down = _between(y, height)
    left, right = _between(x, width)
    upper: Float32 = flat[top * width + left]
    upper += (flat[top * width + np.minimum(left + 1, width - 1)] - upper) * right
    bottom = np.minimum(top + 1, height - 1) * width
    lower = flat[bottom + left]
    lower += (flat[bottom + np.minimum(left + 1, width - 1)] - lower) * right
    lower -= upper
    lower *= down
    upper += lower
    return upper


def _between(at: npt.NDArray[np.float64], length: int) -> tuple[Indices, Float32]:
    """The whole pixel before each position, and how far it is to the next, (n, 1)."""
    inside = np.clip(at, 0, length - 1)
    whole = inside.astype(np.intp)
    return whole, (inside - whole).astype(np.float32)[:, None]
