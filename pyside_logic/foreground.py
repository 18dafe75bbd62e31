"""Takes the old background's colour out of the soft edge of a cut-out.

T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020.
A photo is alpha . foreground + (1 - alpha) . background; both colours are found from coarse to
fine, each pixel between what its neighbours say and what reproduces the photo. Here it runs at a
working size and in the soft band only, and one more such step is taken at full size, tile by tile.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import strips_of

__all__ = ["estimate_layers", "foreground_tiles"]

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

#: Neighbours agree at least this much where alpha is even. These four values are the paper's.
_REGULARISATION = 1e-5
_SMALL_PX = 32
_SWEEPS_SMALL = 10
_SWEEPS_LARGE = 2

#: So small that the planes of a tile stay in the cache, so large that calls do not count.
_TILE_PX = (64, 128)
#: Nobody sees what little this much alpha, of 255, lets through.
_CLEAR = 2


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


def foreground_tiles(
    rgba_hwc: npt.NDArray[np.uint8],
    layers_hwc: Float32,
    tile_px: tuple[int, int] = _TILE_PX,
) -> Iterator[tuple[slice, slice, npt.NDArray[np.uint8]]]:
    """Yields (rows, columns, colours) from top to bottom: parts of `rgba_hwc`, uint8 (height,
    width, 4) straight, that hold soft pixels, and their colours, uint8 (rows, columns, 3), with
    the foreground's in the soft ones.

    `layers_hwc` are estimate_layers of the same photo at any size. Any `tile_px`, (height, width),
    gives the same colours.
    """
    height, width = rgba_hwc.shape[:2]
    layers = np.ascontiguousarray(np.moveaxis(layers_hwc, -1, 0)) * np.float32(255)
    down = _Between.of(height, layers.shape[1])
    across = _Between.of(width, layers.shape[2])
    for rows in strips_of(height, tile_px[0]):
        alpha_hw = rgba_hwc[rows, :, 3]
        soft = (alpha_hw > _CLEAR) & (alpha_hw < 255 - _CLEAR)
        seen = np.flatnonzero(soft.any(axis=0))
        for left in np.unique(seen // tile_px[1]) * tile_px[1]:
            columns = slice(int(left), int(left) + tile_px[1])
            near = _enlarged(layers, down.part(rows), across.part(columns))
            yield rows, columns, _foreground(rgba_hwc[rows, columns], near, soft[:, columns])


def _foreground(
    rgba_hwc: npt.NDArray[np.uint8], layers: Float32, soft: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """`_reconciled` without stiffness, of whole planes: the foreground where `soft`, the colours as
    they are elsewhere. `layers` are (6, h, w) in [0, 255]."""
    colours = rgba_hwc[..., :3].copy()
    alpha = rgba_hwc[..., 3] * np.float32(1 / 255)
    beta = 1 - alpha
    weight = alpha / (alpha * alpha + beta * beta)
    for channel, (front, behind) in enumerate(zip(layers[:3], layers[3:], strict=True)):
        missing = rgba_hwc[..., channel] - alpha * front
        behind *= beta
        missing -= behind
        missing *= weight
        front += missing
        np.clip(front, 0.0, 255.0, out=front)
        front += np.float32(0.5)
        np.copyto(colours[..., channel], front.astype(np.uint8), where=soft)
    return colours


class _Between(NamedTuple):
    """For positions along a side: the layers' pixels before and after each, and how far it is from
    the one to the other."""

    before: Indices
    after: Indices
    share: Float32

    @classmethod
    def of(cls, length: int, from_length: int) -> "_Between":
        """Every pixel of a side of `length`, in one of `from_length`."""
        centres = (np.arange(length) + 0.5) * (from_length / length) - 0.5
        inside = np.clip(centres, 0, from_length - 1)
        before = inside.astype(np.intp)
        after = np.minimum(before + 1, from_length - 1)
        return cls(before, after, (inside - before).astype(np.float32))

    def part(self, positions: slice) -> "_Between":
        return _Between(self.before[positions], self.after[positions], self.share[positions])


def _enlarged(layers: Float32, down: _Between, across: _Between) -> Float32:
    """Values between the pixels of `layers` (n, h, w): (n, rows, columns)."""
    first = int(down.before[0])
    few = layers[:, first : int(down.after[-1]) + 1]
    wide: Float32 = few[..., across.before]
    wide += (few[..., across.after] - wide) * across.share
    tall: Float32 = wide[:, down.before - first]
    tall += (wide[:, down.after - first] - tall) * down.share[:, None]
    return tall
