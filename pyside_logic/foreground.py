"""Takes the old background's colour out of the soft edge of a cut-out.

T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020.
A photo is alpha . foreground + (1 - alpha) . background; both colours are found from coarse to
fine, each pixel between what its neighbours say and what reproduces the photo. Here it runs at a
working size and in the soft band only, and each soft pixel of the photo takes one more such step.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops
from pyside_logic.pixels import as_numbers
from pyside_logic.resample import Between, strips_of
from pyside_logic.spread import spread_colours

__all__ = ["Recoloured", "estimate_layers", "foreground_strips", "spread_foreground"]

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

#: Neighbours agree at least this much where alpha is even. These four values are the paper's.
_REGULARISATION = 1e-5
_SMALL_PX = 32
_SWEEPS_SMALL = 10
_SWEEPS_LARGE = 2

#: So few that what is computed of them stays in the cache, so many that calls do not count.
_STRIP_ROWS = 64
#: Nobody sees what little this much alpha, of 255, lets through.
_CLEAR = 2


def estimate_layers(rgba_hwc: Float32) -> Float32:
    """(foreground, background) of `rgba_hwc`, float32 (h, w, 4) straight in [0, 1], as float32
    (6, h, w) in [0, 1]: RGB and RGB. Both are defined everywhere; where alpha is 1 the foreground
    is nearly the photo, where it is 0 the background is."""
    rgba_chw = np.ascontiguousarray(np.moveaxis(rgba_hwc, -1, 0))
    height, width = rgba_hwc.shape[:2]
    halvings = (max(height, width) - 1).bit_length()
    layers_chw = np.empty((6, 1, 1), np.float32)
    layers_chw[:, 0, 0] = np.tile(rgba_chw[:3].mean(axis=(1, 2)), 2)
    for halving in range(halvings, -1, -1):
        h, w = -(-height >> halving) or 1, -(-width >> halving) or 1
        sweeps = _SWEEPS_SMALL if max(h, w) <= _SMALL_PX else _SWEEPS_LARGE
        layers_chw = _finer(layers_chw, rgba_chw, h, w, sweeps)
    return layers_chw


def spread_foreground(layers_chw: Float32, alpha_hw: Float32) -> Float32:
    """estimate_layers of a picture with `alpha_hw`, (h, w) in [0, 1], whose foreground goes on
    where nothing is seen of it, as it is nearby: for edges that are moved outwards."""
    return np.concatenate([spread_colours(layers_chw[:3], alpha_hw), layers_chw[3:]])


def _finer(coarse_chw: Float32, rgba_chw: Float32, height: int, width: int, sweeps: int) -> Float32:
    """(6, height, width), from coarser layers and the picture at its own size."""
    if loops:
        layers_chw = np.empty((6, height, width), np.float32)
        room = np.empty((4, height, width), np.float32)
        sizes = coarse_chw.shape[1:], rgba_chw.shape[1:]
        given = coarse_chw, *sizes[0], rgba_chw, *sizes[1]
        loops.finer_layers(*given, layers_chw, height, width, room, sweeps, _REGULARISATION)
        return layers_chw
    level = _sampled(rgba_chw, height, width)
    layers_chw = _sampled(coarse_chw, height, width)
    _fix_known(layers_chw, level)
    _relax(layers_chw, level, sweeps)
    return layers_chw


def _sampled(picture_chw: Float32, height: int, width: int) -> Float32:
    """Nearest neighbours: means would not be composites of means."""
    rows = np.arange(height) * picture_chw.shape[1] // height
    columns = np.arange(width) * picture_chw.shape[2] // width
    sampled = np.empty((len(picture_chw), height, width), np.float32)
    for plane, samples in zip(picture_chw, sampled, strict=True):
        samples[:] = plane[rows][:, columns]  # both at once would cost ten times that
    return sampled


def _fix_known(layers_chw: Float32, rgba_chw: Float32) -> None:
    *rgb, alpha = rgba_chw
    for layers, known in ((layers_chw[:3], alpha == 1), (layers_chw[3:], alpha == 0)):
        for layer, colours in zip(layers, rgb, strict=True):
            layer[:] = np.where(known, colours, layer)


def _relax(layers_chw: Float32, rgba_chw: Float32, sweeps: int) -> None:
    """Gauss-Seidel sweeps over the soft band, in place, in two colours like a chess board."""
    height, width = rgba_chw.shape[1:]
    rows, columns = np.nonzero(_band(rgba_chw[3]))
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
        halves.append(_Half(y * width + x, neighbours, rgba_chw.reshape(4, -1)))
    layers = _side_by_side(layers_chw)
    for _ in range(sweeps):
        for half in halves:
            half.update(layers)
    layers_chw.reshape(6, -1)[:] = layers.T


def _band(alpha_hw: Float32) -> npt.NDArray[np.bool_]:
    """Soft pixels, and those beside another alpha, whose hidden layer others lean on."""
    band = (alpha_hw > 0) & (alpha_hw < 1)
    for alpha, inside in ((alpha_hw, band), (alpha_hw.T, band.T)):
        differs = alpha[1:] != alpha[:-1]
        inside[1:] |= differs
        inside[:-1] |= differs
    return band


class _Half:
    """Every other pixel of the band, and what does not change from sweep to sweep."""

    def __init__(self, at: Indices, neighbours: list[Indices], rgba: Float32) -> None:
        self._at = at
        self._rgb, self._alpha = rgba[:3, at], rgba[3, at]
        # Across an edge of alpha the layers go on smoothly: only the photo changes there.
        weights = [
            _REGULARISATION + np.abs(self._alpha - rgba[3, neighbour]) for neighbour in neighbours
        ]
        total = np.sum(weights, axis=0)
        shares = [weight / total for weight in weights]
        self._neighbours = list(zip(neighbours, shares, strict=True))
        self._yielding = _yielding(self._alpha, total)

    def update(self, layers: Float32) -> None:
        """`layers` are _side_by_side."""
        found = _weighted_sum(layers, self._neighbours)
        front, behind = found[:3], found[3:]
        missing = _missing(front, behind, self._rgb, self._alpha, self._yielding)
        front += self._alpha * missing
        behind += (1 - self._alpha) * missing
        np.clip(found, 0.0, 1.0, out=found)
        layers[self._at] = found.T


def _side_by_side(layers_chw: Float32) -> Float32:
    """(6, h, w) as (h * w, 6): what six planes hold of a place is fetched at once."""
    return np.ascontiguousarray(layers_chw.reshape(6, -1).T)


def _weighted_sum(layers: Float32, terms: Iterable[tuple[Indices, Float32]]) -> Float32:
    """(6, n): of `layers`, _side_by_side, at each term's places (n,), times its shares (n,)."""
    (places, shares), *others = terms
    total = np.ascontiguousarray(layers.take(places, axis=0).T)
    total *= shares
    for places, shares in others:
        term = np.ascontiguousarray(layers.take(places, axis=0).T)
        term *= shares
        total += term
    return total


def _missing(
    front: Float32,
    behind: Float32,
    colours: npt.NDArray[np.float32 | np.uint8],
    alpha: Float32,
    yielding: Float32,
) -> Float32:
    """What foreground and background, (..., n), lack to make up `colours` with `alpha`, (n,): alpha
    times that moves the foreground towards the nearest values that do, and 1 - alpha times that the
    background. This is the paper's 2 x 2 system, solved."""
    missing = colours - alpha * front
    missing -= (1 - alpha) * behind
    missing *= yielding
    return missing


def _yielding(alpha: Float32, stiffness: Float32 | np.float32) -> Float32:
    """How much of it `_missing` tells: all of it where `stiffness` is 0."""
    beta = 1 - alpha
    stiff = alpha * alpha + beta * beta
    stiff += stiffness
    return np.reciprocal(stiff)


class Recoloured(NamedTuple):
    """Soft pixels of some rows of a photo: where they are among these rows' pixels, (n,), and the
    foreground's colours, uint8 (n, 3)."""

    rows: slice
    at: Indices
    colours: npt.NDArray[np.uint8]


def foreground_strips(
    rgba_hwc: npt.NDArray[np.uint8],
    layers_chw: Float32,
    mixed_hw: npt.NDArray[np.uint8] | None = None,
    strip_rows: int = _STRIP_ROWS,
) -> Iterator[Recoloured]:
    """The foreground in the soft pixels of `rgba_hwc`, uint8 (height, width, 4) straight, from top
    to bottom.

    `mixed_hw`, uint8 (height, width), is how much of its colour each pixel has from the foreground,
    where that is not its alpha. `layers_chw` are estimate_layers of the same photo at any size. Any
    `strip_rows` gives the same colours.
    """
    height, width = rgba_hwc.shape[:2]
    enlarged = _Enlarged.of(layers_chw * np.float32(255), height, width)
    for rows in strips_of(height, strip_rows):
        find = _found_at_once if loops else _found
        strip_hwc = rgba_hwc[rows]
        if mixed_hw is not None:
            strip_hwc = _as_mixed(strip_hwc, mixed_hw[rows])
        at, colours = find(strip_hwc, enlarged.part(rows))
        if at.size:
            yield Recoloured(rows, at, colours)


def _as_mixed(
    rgba_hwc: npt.NDArray[np.uint8], mixed_hw: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """What can be seen with the alpha that it was mixed with, if hardly any; nothing else."""
    mixed_hwc = rgba_hwc.copy()
    seen = np.maximum(mixed_hw, _CLEAR + 1)
    mixed_hwc[..., 3] = np.where(rgba_hwc[..., 3] > _CLEAR, seen, 0)
    return mixed_hwc


def _found_at_once(
    rgba_hwc: npt.NDArray[np.uint8], layers: "_Enlarged"
) -> tuple[Indices, npt.NDArray[np.uint8]]:
    """`_found`, compiled."""
    assert loops
    rows, width = rgba_hwc.shape[:2]
    at = np.empty(rows * width, np.intp)
    colours = np.empty((rows * width, 3), np.uint8)
    planes = layers.planes_chw, *layers.planes_chw.shape[1:]
    size = rows, width, _CLEAR
    count = loops.foreground(rgba_hwc, *size, *planes, *layers.down, *layers.across, at, colours)
    return at[:count].copy(), colours[:count].copy()  # those alone are kept


def _found(
    rgba_hwc: npt.NDArray[np.uint8], layers: "_Enlarged"
) -> tuple[Indices, npt.NDArray[np.uint8]]:
    """Soft pixels of a strip, (n,), and the foreground's colours there, (n, 3)."""
    # One comparison for both ends: less than _CLEAR + 1 wraps around.
    above = rgba_hwc[..., 3] - np.uint8(_CLEAR + 1)
    at = np.flatnonzero(above < 255 - 2 * _CLEAR - 1)
    rgba = as_numbers(rgba_hwc)[at].view(np.uint8).reshape(-1, 4)
    y, x = np.divmod(at, rgba_hwc.shape[1])
    return at, _foreground(rgba, layers.at(y, x))


def _foreground(rgba: npt.NDArray[np.uint8], layers: Iterator[Float32]) -> npt.NDArray[np.uint8]:
    """Of pixels (n, 4): (n, 3). `layers` are what `_Enlarged.at` gives for them."""
    colours = np.empty((len(rgba), 3), np.uint8)
    alpha = rgba[:, 3] * np.float32(1 / 255)
    yielding = _yielding(alpha, np.float32(0))
    for channel in range(3):
        front = next(layers)
        found = _missing(front, next(layers), rgba[:, channel], alpha, yielding)
        found *= alpha
        found += front
        np.clip(found, 0.0, 255.0, out=found)
        found += np.float32(0.5)  # the cast cuts off
        colours[:, channel] = found
    return colours


class _Enlarged:
    """Layers at the size of the photo, of which only the pixels that are asked for are computed."""

    def __init__(self, planes_chw: Float32, down: Between, across: Between) -> None:
        self.planes_chw, self.down, self.across = planes_chw, down, across

    @classmethod
    def of(cls, planes_chw: Float32, height: int, width: int) -> "_Enlarged":
        down, across = planes_chw.shape[1:]
        return cls(planes_chw, Between.of(height, down), Between.of(width, across))

    def part(self, rows: slice) -> "_Enlarged":
        return _Enlarged(self.planes_chw, self.down.part(rows), self.across)

    def at(self, y: Indices, x: Indices) -> Iterator[Float32]:
        """Foreground and background of each channel by turns, (n,)."""
        planes = self.planes_chw.reshape(6, -1)
        stride = self.planes_chw.shape[2]
        above, below = self.down.before[y] * stride, self.down.after[y] * stride
        left, right = self.across.before[x], self.across.after[x]
        lower, further = self.down.share[y], self.across.share[x]
        both = lower * further
        corners = (
            (above + left, 1 - lower - further + both),
            (above + right, further - both),
            (below + left, lower - both),
            (below + right, both),
        )
        for channel in range(3):
            for plane in (planes[channel], planes[channel + 3]):
                value = np.zeros(len(y), np.float32)
                for place, share in corners:
                    term = plane[place]  # many times as fast as take()
                    term *= share
                    value += term
                yield value
