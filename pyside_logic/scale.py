"""Lanczos resampling of a cut-out, premultiplied, so that what is transparent lends no colour.

C. Duchon, "Lanczos Filtering in One and Two Dimensions", 1979; three lobes, and when a side
shrinks, the kernel is widened by the same factor, as Pillow's LANCZOS does.
"""

import math

import numpy as np
import numpy.typing as npt

from pyside_logic.resample import strips_of

__all__ = ["resize_picture"]

Float32 = npt.NDArray[np.float32]
UInt8 = npt.NDArray[np.uint8]
Taps = tuple[npt.NDArray[np.intp], Float32]

_LOBES = 3
_STRIP_ROWS = 32
#: From here on a picture is averaged down by whole blocks first: the kernel alone would be slow.
_REDUCE_FROM = 4.0
_ALL = (slice(None), slice(None))


def resize_picture(
    pixels_hwc: UInt8, height: int, width: int, part: tuple[slice, slice] = _ALL
) -> UInt8:
    """`pixels_hwc`, (h, w, 4) straight or (h, w, 3), at (height, width, the same channels); of that
    the rows and the columns of `part` alone."""
    source, factor = pixels_hwc, 1
    reduction = min(len(source) / height, source.shape[1] / width)
    if reduction >= _REDUCE_FROM:
        factor = int(reduction / 2)
        source = _reduced(source, factor)
    down = _taps(len(pixels_hwc) / factor, len(source), height, part[0])
    across = _taps(pixels_hwc.shape[1] / factor, source.shape[1], width, part[1])
    resized = np.empty((down[0].shape[1], across[0].shape[1], source.shape[2]), np.uint8)
    held = np.zeros((0, *source.shape[1:]), np.float32)
    first = 0  # of the rows in `held`
    for rows in strips_of(len(resized), _STRIP_ROWS):
        indices, weights = down[0][:, rows], down[1][:, rows]
        top, end = int(indices.min()), int(indices.max()) + 1
        held = held[max(0, top - first) :]
        first = max(first, top) if len(held) else top
        new = source[first + len(held) : end]
        held = np.concatenate([held, _premultiplied(new)])
        lines = _mixed(held, (indices - first, weights))
        # Columns as rows: what is taken together then lies together.
        columns = _mixed(np.ascontiguousarray(lines.transpose(1, 0, 2)), across)
        resized[rows] = _straight(columns.transpose(1, 0, 2))
    return resized


def _taps(extent: float, length: int, to_length: int, part: slice) -> Taps:
    """For the outputs of `part`, of `to_length` in all: output i is the sum over k of
    weights[k, i] * input[indices[k, i]]. The picture ends at `extent`, which may lie within the
    last of the `length` pixels."""
    scale = extent / to_length
    widened = max(scale, 1.0)
    reach = _LOBES * widened
    centres = (np.arange(to_length)[part] + 0.5) * scale
    indices = np.floor(centres - reach + 0.5).astype(np.intp)
    indices = indices + np.arange(math.ceil(2 * reach) + 1)[:, None]
    at = (indices + 0.5 - centres) / widened
    weights = np.where(np.abs(at) < _LOBES, np.sinc(at) * np.sinc(at / _LOBES), 0)
    weights[(indices < 0) | (indices >= length)] = 0
    weights /= weights.sum(axis=0)
    return np.clip(indices, 0, length - 1), weights.astype(np.float32)


def _mixed(rows: Float32, taps: Taps) -> Float32:
    indices, weights = taps
    mixed: Float32 = rows[indices[0]]
    mixed *= weights[0][:, None, None]
    for index, weight in zip(indices[1:], weights[1:], strict=True):
        term = rows[index]
        term *= weight[:, None, None]
        mixed += term
    return mixed


def _premultiplied(rows: UInt8) -> Float32:
    values = rows.astype(np.float32)
    if rows.shape[2] == 4:
        values[..., :3] *= values[..., 3:] * np.float32(1 / 255)
    return values


def _straight(values: Float32) -> UInt8:
    if values.shape[2] == 4:
        # Where the kernel overshoots, it does so in colours and alpha alike.
        values[..., :3] *= 255 / np.maximum(values[..., 3:], 1e-3)
    return (np.clip(values, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _reduced(pixels_hwc: UInt8, factor: int) -> UInt8:
    """Means of factor x factor blocks, weighted by alpha; what does not fill a block at the right
    and at the bottom counts as much as the rest of its block."""
    height, width, channels = pixels_hwc.shape
    reduced = np.empty((-(-height // factor), -(-width // factor), channels), np.uint8)
    for rows in strips_of(len(reduced), _STRIP_ROWS):
        strip = _premultiplied(pixels_hwc[rows.start * factor : rows.stop * factor])
        fill = ((0, -len(strip) % factor), (0, -width % factor), (0, 0))
        blocks = np.pad(strip, fill, mode="edge")
        blocks = blocks.reshape(-1, factor, reduced.shape[1], factor, channels)
        reduced[rows] = _straight(blocks.sum(axis=(1, 3), dtype=np.float32) / factor**2)
    return reduced
