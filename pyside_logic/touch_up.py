"""Brush strokes, and subjects taken out, that correct a matte.

They become a map over the photo, float32 in [-1, 1]: 1 is surely the subject, -1 surely the
background, 0 is left to the network. `refine` corrects the matte by it, so that edges are sought
where a person says that they are, and holds alpha to it at the end, whatever was found.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.resample import Resized
from pyside_logic.strips import Strip
from pyside_logic.subjects import Subjects

__all__ = ["Pick", "Stroke", "TouchUp", "correction_from_dict", "held", "touched"]

Float32 = npt.NDArray[np.float32]

#: The longer side of the map: a brush is soft anyway.
_MAP_PX = 1600
#: No photo has such a side, and no hand such a reach.
_FARTHEST_PX = 1e6


@dataclass(frozen=True)
class Stroke:
    """`points` are (x, y), and with `radius` in px of the photo; `hardness` in [0, 1] is the part
    of the radius that is painted at full strength. Raises `invalid_argument`."""

    keep: bool
    radius: float
    hardness: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points or not 0 < self.radius <= _FARTHEST_PX or not 0 <= self.hardness <= 1:
            raise _invalid(
                "a point, a radius above 0 and a hardness from 0 to 1",
                f"{len(self.points)} points, {self.radius!r} and {self.hardness!r}",
            )
        if any(not abs(at) <= _FARTHEST_PX for point in self.points for at in point):
            raise _invalid(f"points within {_FARTHEST_PX:g} px of the photo", "others")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """`points` of the public API are x, y, x, y ..."""
        try:
            flat = [float(at) for at in values["points"]]
            points = tuple(zip(flat[::2], flat[1::2], strict=True))
            radius, hardness = float(values["radius"]), float(values["hardness"])
            return cls(bool(values["keep"]), radius, hardness, points)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            expected = "keep, radius, hardness and points as pairs of numbers"
            raise _invalid(expected, f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Pick:
    """Takes the subject at (x, y), in px of the photo, out of the cut-out, or back into it. Raises
    `invalid_argument`."""

    x: float
    y: float

    def __post_init__(self) -> None:
        if not all(abs(at) <= _FARTHEST_PX for at in (self.x, self.y)):
            raise _invalid(f"a subject within {_FARTHEST_PX:g} px of the photo", "another")


def correction_from_dict(values: Mapping[str, Any]) -> Stroke | Pick:
    """From the public API. Raises `invalid_argument`."""
    if "subject" not in values:
        return Stroke.from_dict(values)
    try:
        x, y = values["subject"]
        return Pick(float(x), float(y))
    except (OverflowError, TypeError, ValueError) as error:
        received = f"{type(error).__name__}: {error}"
        raise _invalid("x and y of a subject", received) from error


def _invalid(expected: str, received: str) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT,
        Stage.REFINE,
        f"Expected strokes with {expected}, received {received}.",
    )


class TouchUp:
    """All strokes on a photo of (height, width); painting one more paints only that one."""

    def __init__(self, height: int, width: int) -> None:
        self._scale = min(1.0, _MAP_PX / max(height, width))
        self._shape = (max(1, round(height * self._scale)), max(1, round(width * self._scale)))
        self._strokes: list[Stroke | Pick] = []
        #: The matte in which subjects were last looked for, and what was found.
        self._looked: tuple[Float32, Subjects] | None = None
        self._map = np.zeros(self._shape, np.float32)

    def set_strokes(
        self, strokes: Sequence[Stroke | Pick], matte_hw: Float32 | None = None
    ) -> Float32 | None:
        """The map of exactly these strokes, None where there are none. `matte_hw` is the network's,
        in which a Pick finds its subject."""
        known = len(self._strokes)
        if list(strokes[:known]) != self._strokes:
            self._map[:] = 0
            known = 0
        for stroke in strokes[known:]:
            if isinstance(stroke, Stroke):
                self._paint(stroke)
            elif matte_hw is not None:
                self._pick(stroke, matte_hw)
        self._strokes = list(strokes)
        return self._map if strokes else None

    def _pick(self, pick: Pick, matte_hw: Float32) -> None:
        height, width = self._shape
        at = (pick.y * self._scale / height, pick.x * self._scale / width)
        if self._looked is None or self._looked[0] is not matte_hw:
            self._looked = (matte_hw, Subjects(matte_hw))
        territory = self._looked[1].territory(*at)
        if territory is None:
            return
        share = Resized(territory.astype(np.float32), height, width).rows(slice(0, height))
        is_out = float((self._map * share).sum()) < -0.5 * float(share.sum())
        target = np.float32(0 if is_out else -1)
        self._map += share * (target - self._map)

    def _paint(self, stroke: Stroke) -> None:
        points = np.array(stroke.points, np.float32) * np.float32(self._scale)
        radius = max(0.75, stroke.radius * self._scale)
        height, width = self._shape
        left, top = np.maximum(np.floor(points.min(axis=0) - radius), 0).astype(int)
        right, bottom = np.ceil(points.max(axis=0) + radius + 1).astype(int)
        window = self._map[top : min(bottom, height), left : min(right, width)]
        strength = np.zeros(window.shape, np.float32)
        for start, end in zip(points, points[min(1, len(points) - 1) :], strict=False):
            _paint_segment(strength, start - (left, top), end - (left, top), radius, stroke)
        # Towards the brush's side, never away from it: strokes may overlap.
        target = np.float32(1 if stroke.keep else -1)
        window += strength * (target - window)


def _paint_segment(
    strength: Float32, start: Float32, end: Float32, radius: float, stroke: Stroke
) -> None:
    """Raises `strength` (h, w) to that of a brush moved from `start` to `end`, (x, y) within it."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius), 0).astype(int)
    high = np.maximum(np.ceil(np.maximum(start, end) + radius + 1), 0).astype(int)
    part = strength[low[1] : high[1], low[0] : high[0]]
    x = np.arange(low[0], low[0] + part.shape[1], dtype=np.float32) + np.float32(0.5) - start[0]
    y = np.arange(low[1], low[1] + part.shape[0], dtype=np.float32) + np.float32(0.5) - start[1]
    dx, dy = end - start
    y = y[:, None]
    along = np.clip((x * dx + y * dy) / max(float(dx * dx + dy * dy), 1e-9), 0, 1)
    distance = np.hypot(x - along * dx, y - along * dy)
    soft = max(1.0, (1 - stroke.hardness) * radius)  # a pixel of ramp at least: no jagged edge
    np.maximum(part, np.clip((radius - distance) / soft, 0, 1), out=part)


def is_kept(touch_hw: Float32 | None, y: float, x: float) -> bool:
    """Whether the place at (y, x), in parts of the height and the width, was not taken out."""
    if touch_hw is None:
        return True
    height, width = touch_hw.shape
    return bool(touch_hw[int(y * height), int(x * width)] > -0.5)


def touched(matte_hw: Float32, touch_hw: Float32) -> Float32:
    """`matte_hw` (h, w) in [0, 1] as a person has corrected it, at the size of `touch_hw`."""
    enlarged = Resized(matte_hw, *touch_hw.shape).rows(slice(0, len(touch_hw)))
    return _towards(enlarged, touch_hw)


def held(strips: Iterable[Strip], touch_hw: Float32, height: int, width: int) -> Iterator[Strip]:
    """The strips of an alpha of (height, width), held to what a person has painted."""
    resized = Resized(touch_hw, height, width)
    for rows, alpha_hw in strips:
        yield rows, _towards(alpha_hw, resized.rows(rows))


def _towards(alpha_hw: Float32, touch_hw: Float32) -> Float32:
    """From alpha to 1 where the map is positive, to 0 where it is negative, as far as it says."""
    painted: Float32 = np.maximum(touch_hw, 0)
    painted *= 1 - alpha_hw
    painted += alpha_hw
    painted += np.minimum(touch_hw, 0) * painted
    return painted
