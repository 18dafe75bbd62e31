"""From a cut-out to a file."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from pyside_logic.colour_space import in_space
from pyside_logic.cutout import Cutout
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.exif import carried_exif, credible_density, exif_density, exif_of_density
from pyside_logic.icc import icc_profile
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import Ancillary, Density, Pixels, strip_rows, write_png
from pyside_logic.render import AlphaRendering, Rendering
from pyside_logic.resample import strips_of
from pyside_logic.source import Source
from pyside_logic.svg import encode_svg
from pyside_logic.webp import encode_webp

__all__ = ["EncodedFile", "Picture", "ancillary_of", "encode", "render", "strips"]

UInt8 = npt.NDArray[np.uint8]

_INCHES_PER_METRE = 1 / 0.0254


class EncodedFile(NamedTuple):
    """`height` and `width` are those of the picture in `data`, in px."""

    data: bytes
    height: int
    width: int


class Picture(Protocol):
    """Grey (h, w), RGB (h, w, 3) or straight RGBA (h, w, 4), of which any rows can be had, and are
    the same whichever are asked for together."""

    height: int
    width: int
    channels: int
    depth: int

    def rows(self, rows: slice) -> Pixels: ...


def encode(
    cutout: Cutout,
    output: OutputOptions,
    content: str,
    source: Source | None = None,
    backdrop_hwc: UInt8 | None = None,
) -> EncodedFile:
    """The file of `cutout` as it is refined: content 'cutout' is the picture, 'alpha' its alpha,
    which in an SVG is the outline. `backdrop_hwc` (h, w, 4), straight, is the picture behind, where
    `output` wants one.

    Raises `invalid_argument` for another content, or where `output` does not fit it.
    """
    source = source or Source()
    if output.type == "image/svg+xml":
        return _drawing(cutout, output, content, source)
    picture = render(cutout, output, content, source, backdrop_hwc)
    ancillary = ancillary_of(picture, output, source)
    if output.type == "image/webp":
        pixels = np.concatenate([*strips(picture)])
        data = encode_webp(pixels, output.quality, ancillary)
    else:
        size = (picture.height, picture.width, picture.channels, picture.depth)
        data = write_png(strips(picture), *size, ancillary)
    return EncodedFile(data, picture.height, picture.width)


def render(
    cutout: Cutout,
    output: OutputOptions,
    content: str,
    source: Source | None = None,
    backdrop_hwc: UInt8 | None = None,
) -> Picture:
    """The pixels of the file. Raises as `encode` does."""
    source = source or Source()
    _check(cutout, output, content, backdrop_hwc)
    if content == "alpha":
        return AlphaRendering(cutout.rgba_hwc, output, cutout.precise_alpha_hw)
    space = source.colour_space
    output = output.recoloured(lambda colour: in_space(colour, space))
    return Rendering(cutout.rgba_hwc, output, cutout.source_alpha_hw, backdrop_hwc)


def strips(picture: Picture) -> Iterator[Pixels]:
    """From top to bottom, as many rows at a time as are best written."""
    row_bytes = picture.width * picture.channels * picture.depth // 8
    for rows in strips_of(picture.height, strip_rows(row_bytes)):
        yield picture.rows(rows)


def ancillary_of(picture: Picture, output: OutputOptions, source: Source) -> Ancillary:
    """What the file of `picture` says beside its pixels."""
    density = _density(output, source)
    # A photo that came with a profile leaves with one; a grey picture has no use for it.
    colourful = picture.channels > 1
    wide = source.colour_space != "srgb"
    labelled = colourful and (wide or (source.has_profile and output.metadata != "none"))
    profile = icc_profile(source.colour_space) if labelled else None
    exif = None
    if output.metadata != "none":
        size = (picture.height, picture.width)
        exif = carried_exif(source.exif, output.metadata, *size, density, source.colour_space)
    if exif is None and density is not None and output.type == "image/webp":
        exif = exif_of_density(density)
    return Ancillary(density, profile, exif)


def _density(output: OutputOptions, source: Source) -> Density | None:
    if output.canvas is not None:  # the photo's own is another's now
        per_inch = output.canvas.dpi
        if per_inch is None:
            return None
        per_metre = round(per_inch * _INCHES_PER_METRE)
        return per_metre, per_metre
    return credible_density(source.density) or exif_density(source.exif)


def _drawing(cutout: Cutout, output: OutputOptions, content: str, source: Source) -> EncodedFile:
    _check(cutout, output, content, None)
    subject = Rendering(cutout.rgba_hwc, replace(output, background=None))
    pixels = subject.rows(slice(0, subject.height))
    colour = output.background
    assert colour is None or isinstance(colour, tuple)  # OutputOptions has looked
    data = encode_svg(
        pixels,
        embed=output.embed and content == "cutout",
        background=colour,
        profile=ancillary_of(subject, output, source).profile,
    )
    return EncodedFile(data, subject.height, subject.width)


def _check(cutout: Cutout, output: OutputOptions, content: str, backdrop_hwc: UInt8 | None) -> None:
    if content not in ("cutout", "alpha"):
        raise _refusal("alpha or cutout for content", repr(content))
    if content == "alpha":
        for name in ("background", "shadow", "outline"):
            if getattr(output, name) is not None:
                raise _refusal(f"no {name} for alpha, which has no colours", "one")
    if output.depth == 16 and (content != "alpha" or cutout.precise_alpha_hw is None):
        raise _refusal("depth 8 for what has no 16 bits", "16")
    if output.background == "picture" and backdrop_hwc is None:
        raise _refusal("a picture for background", "none")


def _refusal(expected: str, received: str) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT, Stage.ENCODE, f"Expected {expected}, received {received}."
    )
