"""A matte without a network, for a subject before a plain backdrop.

After A. R. Smith, J. F. Blinn, "Blue Screen Matting", SIGGRAPH 1996: where the backdrop is known, a
pixel is as opaque as its colour differs from it. The backdrop, which need not be even, is found
along the picture's borders, by a plane through each channel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.regions import label_regions

__all__ = ["Backdrop", "chroma_key", "find_backdrop"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

#: Of the shorter side: the frame that is looked at for the backdrop.
_FRAME = 0.04
#: At least so much of the frame must be backdrop, and differ from it by less than these (of 1), one
#: after the other: light from the side is part of the plane only once there is a plane.
_LEAST_SHARE = 0.6
_TOLERANCES = (0.25, 0.16, 0.1, 0.08, 0.08)
#: In standard deviations of a channel: less is backdrop. What differs by so much more is subject.
_CLEAR_SIGMAS = 4.5
_OPAQUE_DIFFERENCE = 0.15


@dataclass(frozen=True)
class Backdrop:
    """`planes` (3, 3): the colour at (row, column) in 0..1 of the picture is planes @ (row, column,
    1), RGB in [0, 1]; `sigma` is how far the backdrop's pixels are from it."""

    planes: Float64
    sigma: float

    def colours(self, height: int, width: int) -> Float64:
        """(height, width, 3)."""
        return _places(height, width) @ self.planes.T


def find_backdrop(rgb_hwc: Float32) -> Backdrop:
    """The plain backdrop of a picture, float32 (h, w, 3) in [0, 1].

    Raises `invalid_argument` where most of the picture's frame is not of one colour.
    """
    height, width = rgb_hwc.shape[:2]
    frame = np.ones((height, width), bool)
    margin = max(1, round(_FRAME * min(height, width)))
    frame[margin:-margin, margin:-margin] = False
    places, colours = _places(height, width)[frame], rgb_hwc[frame].astype(np.float64)
    # The subject may cross the frame: begin with the median, then keep what fits.
    expected = np.broadcast_to(np.median(colours, axis=0), colours.shape)
    for tolerance in _TOLERANCES:
        fits = np.linalg.norm(colours - expected, axis=1) < tolerance
        if fits.mean() < _LEAST_SHARE:
            raise GossamerError(
                ErrorCode.INVALID_ARGUMENT,
                Stage.INFER,
                f"Expected a plain backdrop along the borders, received one on {fits.mean():.0%} of"
                " them. Use a network for this photo.",
            )
        planes = np.linalg.lstsq(places[fits], colours[fits], rcond=None)[0].T
        expected = places @ planes.T
    sigma = float(np.sqrt(np.mean((colours - expected)[fits] ** 2)))
    return Backdrop(planes, sigma)


def chroma_key(rgb_hwc: Float32, backdrop: Backdrop | None = None) -> Float32:
    """The matte of `rgb_hwc`, float32 (h, w, 3) in [0, 1], as float32 (h, w) in [0, 1].

    What looks like the backdrop is transparent only where it touches the picture's border: a white
    shirt before a white wall stays. Raises `invalid_argument` where `backdrop` is not given and
    not to be found.
    """
    backdrop = backdrop or find_backdrop(rgb_hwc)
    difference = np.linalg.norm(rgb_hwc - backdrop.colours(*rgb_hwc.shape[:2]), axis=-1)
    clear = _CLEAR_SIGMAS * max(backdrop.sigma, 1 / 255)
    matte = np.clip((difference - clear) / _OPAQUE_DIFFERENCE, 0.0, 1.0)
    return np.where(_reachable(matte < 1), matte, 1.0).astype(np.float32)


def _reachable(inside_hw: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Those pixels inside whose region touches the border of the picture."""
    labels, areas = label_regions(inside_hw)
    touches = np.zeros(len(areas), bool)
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touches[border] = True
    touches[0] = False
    reachable: npt.NDArray[np.bool_] = touches[labels]
    return reachable


def _places(height: int, width: int) -> Float64:
    """(height, width, 3): row and column from 0 to 1, and 1."""
    rows = (np.arange(height) + 0.5) / height
    columns = (np.arange(width) + 0.5) / width
    places = np.ones((height, width, 3))
    places[..., 0] = rows[:, None]
    places[..., 1] = columns
    return places
