"""A matte without a network, for a subject before a plain backdrop.

After A. R. Smith, J. F. Blinn, "Blue Screen Matting", SIGGRAPH 1996: where the backdrop is known, a
pixel is as opaque as its colour differs from it. The backdrop, which need not be even, is found
along the picture's borders, by a plane through each channel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.colours import Colour, parse_colour
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.regions import label_regions
from pyside_logic.shrink import shrink_photo

__all__ = ["Backdrop", "backdrop_of", "chroma_key", "find_backdrop", "key_photo", "parse_key"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

#: Of the shorter side: the frame that is looked at for the backdrop.
_FRAME = 0.04
#: At least so much of the frame must be backdrop, or of the picture where its colour is given, and
#: differ from it by less than these (of 1), one after the other: light from the side is part of the
#: plane only once there is a plane.
_LEAST_OF_FRAME = 0.6
_LEAST_OF_PICTURE = 0.02
_TOLERANCES = (0.25, 0.16, 0.1, 0.08, 0.08)
#: In standard deviations of a channel: less is backdrop. What differs by so much more is subject.
_CLEAR_SIGMAS = 4.5
_OPAQUE_DIFFERENCE = 0.15

#: The longer side of a photo's matte, and how many pixels along its shorter side tell the backdrop
#: of a given colour.
_LONGEST_PX = 1536
_SAMPLES = 256


@dataclass(frozen=True)
class Backdrop:
    """`planes` (3, 3): the colour at (row, column) in 0..1 of the picture is planes @ (row, column,
    1), RGB in [0, 1]; `sigma` is how far the backdrop's pixels are from it."""

    planes: Float64
    sigma: float

    def colours(self, height: int, width: int) -> Float64:
        """(height, width, 3)."""
        return _places(height, width) @ self.planes.T


def key_photo(rgba_hwc: npt.NDArray[np.uint8], key: str) -> Float32:
    """The matte of a photo, uint8 (height, width, 3 or 4), as float32 (h, w) in [0, 1] of at most
    _LONGEST_PX.

    `key` is 'auto', for a plain backdrop of any colour that surrounds the subject, or a colour as
    colours.py reads it: then what is of about this colour goes wherever it shows. Raises
    `invalid_argument` for another key, and where the photo has no such backdrop.
    """
    colour = parse_key(key)
    rgb_hwc = shrink_photo(rgba_hwc, _LONGEST_PX)[..., :3]
    if colour is None:
        return chroma_key(rgb_hwc)
    return _opacity(rgb_hwc, backdrop_of(rgb_hwc, np.array(colour) / 255))


def parse_key(key: str) -> Colour | None:
    """The colour of a key, None for 'auto'. Raises `invalid_argument`."""
    if key == "auto":
        return None
    try:
        return parse_colour(key, "chromaKey, or 'auto'")
    except GossamerError as error:
        raise GossamerError(error.code, Stage.INFER, error.message) from error


def find_backdrop(rgb_hwc: Float32) -> Backdrop:
    """The plain backdrop of a picture, float32 (h, w, 3) in [0, 1].

    Raises `invalid_argument` where most of the picture's frame is not of one colour.
    """
    height, width = rgb_hwc.shape[:2]
    frame = np.ones((height, width), bool)
    margin = max(1, round(_FRAME * min(height, width)))
    frame[margin:-margin, margin:-margin] = False
    colours = rgb_hwc[frame].astype(np.float64)
    # The subject may cross the frame: begin with the median, then keep what fits.
    median = np.median(colours, axis=0)
    return _fitted(_places(height, width)[frame], colours, median, _LEAST_OF_FRAME, "the borders")


def backdrop_of(rgb_hwc: Float32, colour: npt.NDArray[np.floating]) -> Backdrop:
    """The backdrop of about this `colour`, RGB in [0, 1], as it is lit in the picture, float32 (h,
    w, 3) in [0, 1]. Raises `invalid_argument` where hardly anything is of that colour."""
    height, width = rgb_hwc.shape[:2]
    step = max(1, min(height, width) // _SAMPLES)
    places, colours = _places(height, width)[::step, ::step], rgb_hwc[::step, ::step]
    return _fitted(
        places.reshape(-1, 3),
        colours.reshape(-1, 3).astype(np.float64),
        colour,
        _LEAST_OF_PICTURE,
        "the picture",
    )


def _fitted(
    places: Float64,
    colours: Float64,
    colour: npt.NDArray[np.floating],
    least_share: float,
    where: str,
) -> Backdrop:
    expected = np.broadcast_to(colour, colours.shape)
    for tolerance in _TOLERANCES:
        fits = np.linalg.norm(colours - expected, axis=1) < tolerance
        if fits.mean() < least_share:
            raise GossamerError(
                ErrorCode.INVALID_ARGUMENT,
                Stage.INFER,
                f"Expected a plain backdrop on {least_share:.0%} of {where} or more, received one"
                f" on {fits.mean():.0%}. Use a network for this photo.",
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
    matte = _opacity(rgb_hwc, backdrop or find_backdrop(rgb_hwc))
    kept: Float32 = np.where(_reachable(matte < 1), matte, np.float32(1.0))
    return kept


def _opacity(rgb_hwc: Float32, backdrop: Backdrop) -> Float32:
    """How far each pixel's colour is from the backdrop's, as float32 (h, w) in [0, 1]."""
    difference = np.linalg.norm(rgb_hwc - backdrop.colours(*rgb_hwc.shape[:2]), axis=-1)
    clear = _CLEAR_SIGMAS * max(backdrop.sigma, 1 / 255)
    opacity: Float32 = np.clip((difference - clear) / _OPAQUE_DIFFERENCE, 0, 1).astype(np.float32)
    return opacity


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
