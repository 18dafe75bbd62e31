"""From pixels to a file."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyside_logic.background import over_colour
from pyside_logic.crop import subject_box
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import Density, encode_png
from pyside_logic.svg import encode_svg

__all__ = ["EncodedFile", "encode", "render"]

UInt8 = npt.NDArray[np.uint8]


class EncodedFile(NamedTuple):
    """`height` and `width` are those of the picture in `data`, in px."""

    data: bytes
    height: int
    width: int


def encode(
    rgba_hwc: UInt8, output: OutputOptions, content: str, density: Density | None = None
) -> EncodedFile:
    """The file of `rgba_hwc` (height, width, 4), straight: content 'cutout' is the picture, 'alpha'
    its alpha, which in an SVG is the outline. `density` goes into a PNG.

    Raises `invalid_argument` for another content or a background of alpha, `backend_unavailable`
    for a type that the browser writes and Python does not.
    """
    _check(output, content)
    if output.type == "image/svg+xml":
        rgba_hwc = _cropped(rgba_hwc, output)
        embed = output.embed and content == "cutout"
        data = encode_svg(rgba_hwc, embed=embed, background=output.background)
        return EncodedFile(data, *rgba_hwc.shape[:2])
    if output.type != "image/png":
        raise GossamerError(
            ErrorCode.BACKEND_UNAVAILABLE,
            Stage.ENCODE,
            f"Expected image/png or image/svg+xml for output type where there is no browser,"
            f" received {output.type!r}.",
        )
    pixels = render(rgba_hwc, output, content)
    return EncodedFile(encode_png(pixels, density), *pixels.shape[:2])


def render(rgba_hwc: UInt8, output: OutputOptions, content: str) -> UInt8:
    """The pixels of the file: of a cut-out straight (h, w, 4), or on a background (h, w, 3); of its
    alpha (h, w). They may be views of `rgba_hwc` (height, width, 4). Raises as `encode` does."""
    _check(output, content)
    rgba_hwc = _cropped(rgba_hwc, output)
    if content == "alpha":
        return rgba_hwc[..., 3]
    return rgba_hwc if output.background is None else over_colour(rgba_hwc, output.background)


def _check(output: OutputOptions, content: str) -> None:
    if content not in ("cutout", "alpha"):
        raise _refusal("alpha or cutout for content", repr(content))
    if content == "alpha" and output.background is not None:
        raise _refusal("no background for alpha, which has no colours", str(output.background))


def _cropped(rgba_hwc: UInt8, output: OutputOptions) -> UInt8:
    if output.margin_px is None:
        return rgba_hwc
    return rgba_hwc[subject_box(rgba_hwc[..., 3], output.margin_px)]


def _refusal(expected: str, received: str) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT, Stage.ENCODE, f"Expected {expected}, received {received}."
    )
