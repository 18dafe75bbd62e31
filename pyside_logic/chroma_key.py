"""A matte without a network, for a subject before a plain backdrop.

After A. R. Smith, J. F. Blinn, "Blue Screen Matting", SIGGRAPH 1996: where the backdrop is known, a
pixel is as opaque as its colour differs from it. The backdrop, which need not be even, is found
along the picture's borders, by a plane through each channel. Before a colourful one, to which no
subject is likely to fade by itself, a pixel at an edge is mixed of the backdrop's colour and of the
solid subject's nearby: it is as opaque as it lies far on the way from one to the other.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean
from pyside_logic.colours import Colour, parse_colour
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.regions import label_regions
from pyside_logic.shrink import shrink_photo
from pyside_logic.spread import spread_colours

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
#: Between a backdrop's highest and lowest channel: grey ones are on the way from white to black, as
#: half of what a subject wears is.
_COLOURFUL = 0.3
#: Of the longer side: what is opaque so far around is solid, where it also differs from the
#: backdrop by this share of what is usual for what is solid around. Hair that is mixed does not.
_SOLID_AROUND = 0.004
_USUAL_AROUND = 0.1
_LIKE_USUAL = 0.8
#: A pixel so far (of 1) beside the way is mixed, and from there on it has a colour of its own.
_BESIDE = 0.1, 0.2

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

    @property
    def is_colourful(self) -> bool:
        middle = self.planes @ (0.5, 0.5, 1)
        return bool(middle.max() - middle.min() >= _COLOURFUL)


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
    """How much of each pixel is subject, as float32 (h, w) in [0, 1]."""
    apart_hwc = (rgb_hwc - backdrop.colours(*rgb_hwc.shape[:2])).astype(np.float32)
    difference_hw = _length(apart_hwc)
    clear = _CLEAR_SIGMAS * max(backdrop.sigma, 1 / 255)
    opacity_hw = np.clip((difference_hw - np.float32(clear)) / np.float32(_OPAQUE_DIFFERENCE), 0, 1)
    if not backdrop.is_colourful:
        return opacity_hw
    solid_hw = _solid(opacity_hw, difference_hw)
    if not solid_hw.any():
        return opacity_hw
    # What the solid subject is apart from the backdrop, and goes on to be.
    solid_chw = np.ascontiguousarray(np.moveaxis(apart_hwc, -1, 0))
    way_hwc = np.moveaxis(spread_colours(solid_chw, solid_hw.astype(np.float32)), 0, -1)
    share_hw = _share_of_way(apart_hwc, way_hwc, np.float32(clear))
    found: Float32 = np.where(solid_hw, opacity_hw, np.minimum(opacity_hw, share_hw))
    return found


def _solid(opacity_hw: Float32, difference_hw: Float32) -> npt.NDArray[np.bool_]:
    """Where nothing of the backdrop shows: bool (h, w)."""
    longest_px = max(opacity_hw.shape)
    near_px, around_px = (max(1, round(one * longest_px)) for one in (_SOLID_AROUND, _USUAL_AROUND))
    solid_hw = box_mean((opacity_hw < 1).astype(np.float64), near_px) < 1e-6
    sums = box_mean(np.stack([difference_hw * solid_hw, solid_hw]).astype(np.float64), around_px)
    usual_hw = sums[0] / np.maximum(sums[1], 1e-6)
    like_usual: npt.NDArray[np.bool_] = solid_hw & (difference_hw >= _LIKE_USUAL * usual_hw)
    return like_usual


def _share_of_way(apart_hwc: Float32, way_hwc: Float32, clear: np.float32) -> Float32:
    """How far each pixel lies on the way from the backdrop, 0, to the colour of the solid subject
    nearby, 1, or 1 where it lies beside that way, as float32 (h, w). Both are given as differences
    from the backdrop; `clear` is how far noise reaches, from either end."""
    length_hw = np.maximum(_length(way_hwc), np.float32(_OPAQUE_DIFFERENCE))
    towards_hwc = way_hwc / length_hw[..., None]
    along_hw = np.einsum("hwc,hwc->hw", apart_hwc, towards_hwc)
    nearest_hw = np.clip(along_hw, 0, np.float32(1.2) * length_hw)
    beside_hw = _length(apart_hwc - nearest_hw[..., None] * towards_hwc)
    span_hw = np.maximum(length_hw - 2 * clear, np.float32(0.2) * length_hw)
    share_hw: Float32 = np.clip((along_hw - clear) / span_hw, 0, 1)
    mixed, own = _BESIDE
    own_hw = np.clip((beside_hw - np.float32(mixed)) / np.float32(own - mixed), 0, 1)
    share_hw += own_hw * (1 - share_hw)
    return share_hw


def _length(vectors_hwc: Float32) -> Float32:
    lengths_hw: Float32 = np.sqrt(np.einsum("hwc,hwc->hw", vectors_hwc, vectors_hwc))
    return lengths_hw


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
