"""A cut-out as a drawing: the subject's outline, with or without the photo in it."""

import base64

import numpy as np
import numpy.typing as npt

from pyside_logic.bezier import fit_closed
from pyside_logic.colours import Colour
from pyside_logic.contours import trace_contours
from pyside_logic.png import Ancillary, write_png
from pyside_logic.resample import strips_of

__all__ = ["encode_svg", "outline_path"]

UInt8 = npt.NDArray[np.uint8]
Float64 = npt.NDArray[np.float64]

#: How far curves may stray from the outline that they smooth, in px and of the longer side: noise
#: that only a magnifying glass shows would make most of the file.
_TOLERANCE_PX, _TOLERANCE = 0.35, 1 / 4000
#: The square root of an outline's area, likewise; smaller ones are specks.
_LEAST_SIZE_PX, _LEAST_SIZE = 1.4, 1 / 500


def encode_svg(
    rgba_hwc: UInt8,
    *,
    embed: bool,
    background: Colour | None = None,
    profile: bytes | None = None,
) -> bytes:
    """The SVG of `rgba_hwc` (height, width, 4), straight: its outline filled black, or with `embed`
    the photo's pixels clipped to it. Where alpha is 0, no pixel of the photo is in the file.
    `profile` is the ICC profile of the pixels, None for sRGB."""
    height, width = rgba_hwc.shape[:2]
    size = f'width="{width}" height="{height}"'
    path = f'd="{outline_path(rgba_hwc[..., 3])}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">']
    if background is not None:
        lines.append(f'<rect {size} fill="rgb{background}"/>')
    if embed:
        lines += [
            f'<clipPath id="subject"><path clip-rule="evenodd" {path}/></clipPath>',
            f'<image {size} clip-path="url(#subject)" href="{_photo_url(rgba_hwc, profile)}"/>',
        ]
    else:
        lines.append(f'<path fill-rule="evenodd" {path}/>')
    return "\n".join([*lines, "</svg>\n"]).encode()


def outline_path(alpha_hw: UInt8) -> str:
    """Path data of the curves along which `alpha_hw` (height, width) is one half. Holes are
    outlines in outlines, which the even-odd rule leaves empty."""
    longer_side = max(alpha_hw.shape)
    tolerance_px = max(_TOLERANCE_PX, _TOLERANCE * longer_side)
    least_area_px = max(_LEAST_SIZE_PX, _LEAST_SIZE * longer_side) ** 2
    outlines = (points for points in trace_contours(alpha_hw) if _area(points) >= least_area_px)
    return "".join(_closed_path(fit_closed(points, tolerance_px)) for points in outlines)


def _closed_path(curves: list[Float64]) -> str:
    start = f"M{_pair(curves[0][0])}"
    return start + "".join("C" + " ".join(map(_pair, curve[1:])) for curve in curves) + "Z"


def _pair(point: Float64) -> str:
    y, x = point
    return f"{x:.2f},{y:.2f}"


def _area(points: Float64) -> float:
    """C. F. Gauss's shoelace formula."""
    y, x = points.T
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


def _photo_url(rgba_hwc: UInt8, profile: bytes | None) -> str:
    """The clip makes the edge, so that what is soft under it must not be so once more."""
    photo = rgba_hwc.copy()
    photo[..., 3] = np.where(photo[..., 3] > 0, 255, 0)
    height, width, channels = photo.shape
    strips = (photo[rows] for rows in strips_of(height))
    png = write_png(strips, height, width, channels, 8, Ancillary(profile=profile))
    return "data:image/png;base64," + base64.b64encode(png).decode()
