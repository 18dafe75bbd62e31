"""A second look of the network, at the part of the photo that the subject fills.

A network sees 320 x 320 px of whatever it is shown. Shown the subject alone it sees the same edge
on more of them: that is worth one more run where the subject is small, and only at edges, for what
the subject is, the first look knows better.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.morphology import dilated
from pyside_logic.resample import Between, check_matte, resize_bilinear

__all__ = ["Box", "fuse_looks", "look_box"]

Float32 = npt.NDArray[np.float32]

#: What is more opaque than this belongs to the subject, and so much of its size is left around it.
_SUBJECT = 0.2
_MARGIN = 0.15
#: Of the picture: a box that covers more is hardly a closer look.
_LARGEST_BOX = 0.8
#: The second look counts where the first is between this and 1 minus this, and around there: so
#: much of the diagonal.
_CERTAIN = 0.05
_REACH = 0.01
#: The longer side of the fused matte: that of a box which is a quarter as wide as the photo.
_LONGEST_PX = 1280


@dataclass(frozen=True)
class Box:
    """Rows and columns of a photo, in px."""

    rows: slice
    columns: slice


def look_box(matte_hw: Float32, height: int, width: int) -> Box | None:
    """Where to look again in the photo of (height, width) that `matte_hw` (h, w) is of.

    None where there is no subject, and where it nearly fills the photo. Raises `invalid_argument`
    for what is no matte.
    """
    inside_hw = check_matte(matte_hw) > _SUBJECT
    if not inside_hw.any():
        return None
    rows = _stretch(np.any(inside_hw, axis=1, keepdims=True), height)
    columns = _stretch(np.any(inside_hw, axis=0, keepdims=True), width)
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return None if area > _LARGEST_BOX * height * width else Box(rows, columns)


def fuse_looks(first_hw: Float32, second_hw: Float32, box: Box, height: int, width: int) -> Float32:
    """Both mattes as one of the whole photo, (height, width), float32 in [0, 1]: the first look,
    and at its edges the second, which is of `box` only. It has the second one's pixels, as far as
    _LONGEST_PX allows.

    Raises `invalid_argument` for what is no matte.
    """
    first_hw, second_hw = check_matte(first_hw), check_matte(second_hw)
    h = _fused_length(len(second_hw), box.rows, height)
    w = _fused_length(second_hw.shape[1], box.columns, width)
    fused = resize_bilinear(first_hw, h, w)
    rows, down = _between(box.rows, height, h, len(second_hw))
    columns, across = _between(box.columns, width, w, second_hw.shape[1])
    window = fused[rows, columns]
    unsure = (window > _CERTAIN) & (window < 1 - _CERTAIN)
    reach_px = max(1, round(_REACH * float(np.hypot(h, w))))
    closer = _interpolated(_interpolated(second_hw, down).T, across).T
    np.copyto(window, closer, where=dilated(unsure, reach_px))
    return fused


def _stretch(inside: npt.NDArray[np.bool_], length: int) -> slice:
    """From the first to the last pixel inside, with a margin, of a side of `length` px."""
    at = np.flatnonzero(inside)
    scale = length / inside.size
    margin = _MARGIN * (at[-1] + 1 - at[0])
    first, end = (at[0] - margin) * scale, (at[-1] + 1 + margin) * scale
    return slice(max(0, int(first)), min(length, int(np.ceil(end))))


def _fused_length(second: int, part: slice, whole: int) -> int:
    closest = round(second * whole / (part.stop - part.start))
    return max(1, min(int(closest), whole, _LONGEST_PX))


def _between(part: slice, whole: int, fused: int, second: int) -> tuple[slice, Between]:
    """Of the `fused` pixels of a side those whose centres lie in `part` of the photo's `whole`, and
    where each lies among the `second` look's pixels."""
    scale = fused / whole
    inside = slice(*(int(np.ceil(edge * scale - 0.5)) for edge in (part.start, part.stop)))
    centres = (np.arange(inside.start, inside.stop) + 0.5) / scale
    places = (centres - part.start) * second / (part.stop - part.start) - 0.5
    return inside, Between.at(places, second)


def _interpolated(values: Float32, at: Between) -> Float32:
    """Rows between the rows of `values`."""
    share = at.share[:, None]
    between: Float32 = values[at.before] * (1 - share) + values[at.after] * share
    return between
