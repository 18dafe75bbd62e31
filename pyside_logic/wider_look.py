"""A look from further away, for what the first one has lost.

A network that is shown a subject as large as the picture may take a part of it for all: a sheep's
head for the sheep, a heart for the pillow that it is sewn on. Shown the same picture in fewer
pixels it sees more of it at a time, and finds the rest. Then it knows better what the subject is,
but worse where its edges are, and it finds more that is none: so of that matte only large and
certain parts are taken, and only those that the first matte borders on.
"""

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean
from pyside_logic.morphology import dilated, eroded, opened
from pyside_logic.regions import label_regions
from pyside_logic.resample import check_matte, resize_bilinear

__all__ = ["fuse_wider"]

Float32 = npt.NDArray[np.float32]

#: A look sees what is more opaque than this; of that the first one has lost what is less than that.
_SEEN = 0.5
_WHOLE = 0.8
#: What is narrower, in pixels of the matte, is an edge that the two see in different places.
_EDGE_RADIUS_PX = 2
#: A part is large from this share of the picture on, and certain from this mean opacity on.
_LEAST_AREA = 0.025
_LEAST_OPACITY = 0.8
#: So much of its outline lies so near to what the first look has found.
_LEAST_BORDER = 0.3
_BORDER_PX = 6
#: So far around a part the two are one; within twice the radius beyond that the wider look fades,
#: as it may go on where the part is too narrow: no seam is seen.
_AROUND_PX, _FADE_RADIUS_PX = 4, 3


def fuse_wider(first_hw: Float32, wider_hw: Float32) -> Float32 | None:
    """The first matte with the parts that it lacks, float32 of its (h, w) in [0, 1]; None where it
    lacks none. `wider_hw` is the same network's of the same photo in fewer pixels, of any size.

    Raises `invalid_argument` for what is no matte.
    """
    first_hw, wider_hw = check_matte(first_hw), check_matte(wider_hw)
    wider_hw = np.minimum(resize_bilinear(wider_hw, *first_hw.shape), 1)
    lost = (wider_hw > _SEEN) & (first_hw < _WHOLE)
    if np.count_nonzero(lost) < _LEAST_AREA * lost.size:  # as in most photos
        return None
    lost = opened(lost, _EDGE_RADIUS_PX)
    labels, areas = label_regions(lost)
    near = dilated(first_hw >= _SEEN, _BORDER_PX)
    outline = labels * ~eroded(lost, 1)
    opacity = np.bincount(labels.reshape(-1), wider_hw.reshape(-1)) / np.maximum(areas, 1)
    lengths = np.bincount(outline.reshape(-1), minlength=len(areas))
    borders = np.bincount(outline[near], minlength=len(areas))
    is_part = (
        (areas >= _LEAST_AREA * first_hw.size)
        & (opacity >= _LEAST_OPACITY)
        & (borders >= np.maximum(_LEAST_BORDER * lengths, 1))
    )
    is_part[0] = False  # what lies outside
    if not is_part.any():
        return None
    around = dilated(is_part[labels], _AROUND_PX + _FADE_RADIUS_PX)
    share = box_mean(around.astype(np.float64), _FADE_RADIUS_PX).astype(np.float32)
    return np.maximum(first_hw, np.minimum(share, 1) * wider_hw)
