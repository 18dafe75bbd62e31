"""Smooth curves through many points.

P. Schneider, "An algorithm for automatically fitting digitized curves", Graphics Gems, 1990: one
cubic Bézier curve by least squares, and two where one is too far off.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["fit_closed"]

Float64 = npt.NDArray[np.float64]

#: Points on either side from which the direction at a point is told.
_REACH = 3
_REPARAMETRISATIONS = 4


def fit_closed(points: Float64, tolerance_px: float) -> list[Float64]:
    """Curves (4, 2) of start, two controls and end, each from the end of the one before, around the
    closed polygon `points` (n, 2), n >= 2, that pass all of them within `tolerance_px`."""
    half = len(points) // 2
    closed = np.concatenate([points, points[:1]])
    start = _direction(points, 0)
    middle = _direction(points, half)
    pieces = [(closed[: half + 1], start, -middle), (closed[half:], middle, -start)]
    curves: list[Float64] = []
    while pieces:
        piece, leaving, arriving = pieces.pop(0)
        curve, worst = _fit(piece, leaving, arriving, tolerance_px)
        if worst is None:
            curves.append(curve)
            continue
        turn = _direction(piece, worst, closed=False)
        first = (piece[: worst + 1], leaving, -turn)
        pieces[:0] = [first, (piece[worst:], turn, arriving)]
    return curves


def _fit(
    points: Float64, leaving: Float64, arriving: Float64, tolerance_px: float
) -> tuple[Float64, int | None]:
    """The best curve, and the point that is farthest from it where that is too far."""
    if len(points) == 2:
        return _thirds(points, leaving, arriving), None
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*(points[1:] - points[:-1]).T))])
    at = lengths / max(lengths[-1], 1e-12)
    for _ in range(_REPARAMETRISATIONS):
        weights = _bernstein(at)
        curve = _least_squares(points, weights, leaving, arriving, float(lengths[-1]))
        away = weights @ curve - points
        squares = np.einsum("ij,ij->i", away, away)
        worst = int(squares.argmax())
        if squares[worst] <= tolerance_px**2:
            return curve, None
        if squares[worst] > (4 * tolerance_px) ** 2:  # no other parameters help
            break
        at = _closer(curve, away, at)
    return curve, min(max(worst, 1), len(points) - 2)


def _bernstein(at: Float64) -> Float64:
    """How much each of a curve's four points counts at the parameters `at`, (n, 4)."""
    s = 1 - at
    weights = np.empty((len(at), 4))
    weights[:, 0] = s * s * s
    weights[:, 1] = 3 * at * s * s
    weights[:, 2] = 3 * at * at * s
    weights[:, 3] = at * at * at
    return weights


def _least_squares(
    points: Float64, weights: Float64, leaving: Float64, arriving: Float64, length: float
) -> Float64:
    """The curve from the first point to the last that leaves and arrives as told, and of those the
    closest to `points` where their Bernstein `weights` (n, 4) say. `length` is that of the way
    along the points."""
    first, last = points[0], points[-1]
    rest = points - weights @ np.stack([first, first, last, last])
    early, late = weights[:, 1], weights[:, 2]
    aa, bb = float(early @ early), float(late @ late)  # directions are unit vectors
    ab = float(early @ late) * float(leaving @ arriving)
    determinant = aa * bb - ab * ab
    span = math.dist(first, last)
    if determinant > 1e-12:
        ar, br = float(early @ (rest @ leaving)), float(late @ (rest @ arriving))
        reach_a, reach_b = (ar * bb - br * ab) / determinant, (br * aa - ar * ab) / determinant
        # Of directions nearly on one line the controls may fly off: a needle between two points.
        if min(reach_a, reach_b) > 1e-3 * span and max(reach_a, reach_b) <= length:
            return np.stack([first, first + reach_a * leaving, last + reach_b * arriving, last])
    return _thirds(points, leaving, arriving)


def _thirds(points: Float64, leaving: Float64, arriving: Float64) -> Float64:
    first, last = points[0], points[-1]
    third = math.dist(first, last) / 3
    return np.stack([first, first + third * leaving, last + third * arriving, last])


def _closer(curve: Float64, away: Float64, at: Float64) -> Float64:
    """One step of Newton's method towards each point's nearest place on the curve, from which it
    lies `away` (n, 2) at the parameters `at`."""
    velocity = 3 * (curve[1:] - curve[:-1])
    acceleration = 2 * (velocity[1:] - velocity[:-1])
    t = at[:, None]
    s = 1 - t
    slope = s * s * velocity[0] + 2 * s * t * velocity[1] + t * t * velocity[2]
    bend = s * acceleration[0] + t * acceleration[1]
    divisor = (slope * slope + away * bend).sum(axis=1)
    usable = np.abs(divisor) > 1e-9
    step = np.where(usable, (away * slope).sum(axis=1) / np.where(usable, divisor, 1), 0)
    nearer: Float64 = np.clip(at - step, 0, 1)
    return nearer


def _direction(points: Float64, index: int, *, closed: bool = True) -> Float64:
    """The unit vector along the polygon at a point."""
    count = len(points)
    reach = min(_REACH, max(1, (count - 1) // 2))
    if closed:
        way = points[(index + reach) % count] - points[(index - reach) % count]
    else:
        way = points[min(index + reach, count - 1)] - points[max(index - reach, 0)]
    length = math.hypot(*way)
    return way / length if length > 1e-9 else np.array([0.0, 1.0])
