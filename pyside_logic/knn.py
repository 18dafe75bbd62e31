"""KNN matting in the unknown band of a trimap.

Q. Chen, D. Li, C.-K. Tang, "KNN Matting", CVPR 2012: pixels of a like colour have a like alpha,
also where they do not touch. Each unknown pixel is tied to the nearest others by colour and place;
the alpha that pulls least at these ties is the solution of a linear system. Neighbours are looked
for in the tile around a pixel, and colours are compared as RGB.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.solver import DEFAULT_LIMITS, Limits, conjugate_gradients
from pyside_logic.trimap import UNKNOWN

__all__ = ["knn_alpha", "nearest_neighbours"]

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

#: Pixels whose neighbours are looked for at once, and how far around them, both in px.
_TILE_PX = 16
_AROUND_PX = 16
#: How much the place counts: black and white are as far apart as two pixels at 1 / this px.
_PLACE = 0.01


def knn_alpha(
    guide_hwc: npt.NDArray[np.floating],
    matte_hw: npt.NDArray[np.floating],
    trimap_hw: npt.NDArray[np.uint8],
    on_progress: Callable[[int, int], None],
    *,
    trust: float = 0.0,
    neighbours: int = 10,
    limits: Limits = DEFAULT_LIMITS,
) -> Float64:
    """Alpha (h, w) in [0, 1]: 0 and 1 where the trimap is sure, solved for where it is not.

    The arguments are those of closed_form_alpha; `neighbours` is how many ties each unknown pixel
    gets, and `trust` is measured in ties. `on_progress` counts no iteration while they are looked
    for.
    """
    unknown = (trimap_hw == UNKNOWN).reshape(-1)
    alpha = np.where(unknown, 0.0, trimap_hw.reshape(-1) / 255.0)
    if not unknown.any() or unknown.size == 1:
        return np.where(unknown, matte_hw.reshape(-1), alpha).reshape(trimap_hw.shape)
    here, there, weights = _ties(
        guide_hwc,
        trimap_hw == UNKNOWN,
        neighbours,
        on_tile=lambda: on_progress(0, limits.iterations),
    )

    def laplacian(values: Float64) -> Float64:
        pull = weights * (values[here] - values[there])
        size = values.size
        product: Float64 = np.bincount(here, weights=pull, minlength=size).astype(np.float64)
        product -= np.bincount(there, weights=pull, minlength=size)
        of_unknown: Float64 = product[unknown]
        return of_unknown

    def multiply(values: Float64) -> Float64:
        spread = np.zeros(unknown.size)
        spread[unknown] = values
        return laplacian(spread) + trust * values

    start = matte_hw.reshape(-1)[unknown].astype(np.float64)
    right = trust * start - laplacian(alpha)
    alpha[unknown] = conjugate_gradients(multiply, right, start, limits, on_progress)
    return np.clip(alpha, 0.0, 1.0).reshape(trimap_hw.shape)


def _ties(
    guide_hwc: npt.NDArray[np.floating],
    unknown_hw: npt.NDArray[np.bool_],
    neighbours: int,
    on_tile: Callable[[], None],
) -> tuple[Indices, Indices, Float64]:
    """(pixel, other pixel, strength in 0..1) of every tie, pixels as flat indices."""
    found = []
    for tile in nearest_neighbours(_features(guide_hwc), unknown_hw, neighbours):
        found.append(tile)
        on_tile()
    here = np.concatenate([np.repeat(at, near.shape[1]) for at, near, _ in found])
    there = np.concatenate([near.reshape(-1) for _, near, _ in found])
    distances = np.concatenate([distance.reshape(-1) for *_, distance in found])
    # Even the loosest tie holds a little: without one a pixel would have no alpha at all.
    return here, there, np.maximum(1.0 - distances, 1e-3)


def _features(guide_hwc: npt.NDArray[np.floating]) -> Float64:
    """(h, w, 5): colour and place; between two of them at most about 1 in one tile."""
    height, width = guide_hwc.shape[:2]
    rows, columns = np.mgrid[:height, :width] * _PLACE
    colours = guide_hwc.astype(np.float64) / np.sqrt(3)
    return np.concatenate([colours, rows[..., None], columns[..., None]], axis=-1)


def nearest_neighbours(
    features_hwc: Float64,
    wanted_hw: npt.NDArray[np.bool_],
    count: int,
    tile_px: int = _TILE_PX,
    around_px: int = _AROUND_PX,
) -> Iterator[tuple[Indices, Indices, Float64]]:
    """Yields (pixels (n,), neighbours (n, count), distances (n, count)) tile by tile, pixels as
    flat indices: for each wanted pixel the nearest others by `features_hwc` (h, w, k) among those
    in its tile and `around_px` around it. Fewer than `count` where there are not so many."""
    height, width = wanted_hw.shape
    flat = np.arange(height * width).reshape(height, width)
    features = features_hwc.reshape(height * width, -1)
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            tile = (slice(top, top + tile_px), slice(left, left + tile_px))
            pixels = flat[tile][wanted_hw[tile]]
            if not pixels.size:
                continue
            near = (
                slice(max(0, top - around_px), top + tile_px + around_px),
                slice(max(0, left - around_px), left + tile_px + around_px),
            )
            yield (
                pixels,
                *_nearest(features, pixels, flat[near], count),
            )


def _nearest(
    features: Float64, pixels: Indices, candidates_hw: Indices, count: int
) -> tuple[Indices, Float64]:
    candidates = candidates_hw.reshape(-1)
    ours, theirs = features[pixels], features[candidates]
    squared = (ours * ours).sum(axis=1)[:, None] + (theirs * theirs).sum(axis=1)
    squared -= 2 * (ours @ theirs.T)
    # Of equally near ones the first: rounding must not choose, it differs between machines.
    squared += np.arange(candidates.size) * 1e-12
    squared[candidates == pixels[:, None]] = np.inf  # nobody is his own neighbour
    count = min(count, candidates.size - 1)
    nearest = np.argpartition(squared, count - 1, axis=1)[:, :count]
    distances = np.sqrt(np.maximum(np.take_along_axis(squared, nearest, axis=1), 0.0))
    return candidates[nearest], distances
