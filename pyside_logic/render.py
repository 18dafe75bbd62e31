"""The picture that is asked for, layer over layer: background, shadow, rim, subject.

No layer but the subject lies in memory as a whole: any rows can be had, and are the same whichever
are asked for together.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyside_logic.backdrop import backdrop_picture
from pyside_logic.background import mix, over
from pyside_logic.blurred_background import Blur, BlurredRows
from pyside_logic.colours import Colour
from pyside_logic.crop import visible_box
from pyside_logic.gradient import Gradient, GradientRows
from pyside_logic.layout import Layout, cropped_layout, placed_layout, whole_layout
from pyside_logic.outline import LEAST_WORKING_PX, OutlineRows
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import Pixels
from pyside_logic.scale import resize_picture
from pyside_logic.shadow import ShadowRows

__all__ = ["AlphaRendering", "Rendering"]

UInt8 = npt.NDArray[np.uint8]


class Rows(Protocol):
    def rows(self, rows: slice) -> UInt8: ...


def _layout_of(alpha_hw: UInt8, output: OutputOptions) -> Layout:
    """Where the cut-out with `alpha_hw` comes to lie."""
    if output.canvas is not None:
        return placed_layout(alpha_hw, output.canvas)
    if output.margin_px is None:
        return whole_layout(alpha_hw)
    size = _subject_size(alpha_hw)
    rim = output.outline.room_px(*size) if output.outline else 0
    cast = output.shadow.growth(*size) if output.shadow else (0, 0, 0, 0)
    above, below, left, right = (rim + length for length in cast)
    return cropped_layout(alpha_hw, output.margin_px, (above, below, left, right))


def _subject_size(alpha_hw: UInt8) -> tuple[int, int]:
    rows, columns = visible_box(alpha_hw, 0)
    return rows.stop - rows.start, columns.stop - columns.start


def _placed(rgba_hwc: UInt8, layout: Layout) -> tuple[UInt8, Layout]:
    """The subject at the picture's own scale, and its place there in whole pixels."""
    if layout.scale == 1:
        shift = Layout(layout.height, layout.width, 1, round(layout.top), round(layout.left))
        return rgba_hwc, shift
    rows, columns = visible_box(rgba_hwc[..., 3], 1)
    subject = rgba_hwc[rows, columns]
    height, width = (max(1, round(length * layout.scale)) for length in subject.shape[:2])
    top = round(layout.top + rows.start * layout.scale)
    left = round(layout.left + columns.start * layout.scale)
    # What lies outside is not seen, but for the last of the blocks in which shadow and rim see the
    # picture: a small head in a large photo makes it gigabytes.
    beyond = 1 + max(layout.height, layout.width) // LEAST_WORKING_PX
    y = _inside(top, height, layout.height + beyond)
    x = _inside(left, width, layout.width + beyond)
    scaled = resize_picture(subject, height, width, (y, x))
    return scaled, Layout(layout.height, layout.width, 1, top + y.start, left + x.start)


def _inside(start: int, length: int, side: int) -> slice:
    """Which of the `length` pixels from `start` on lie within `side`; one of them at least."""
    first = min(max(0, -start), length - 1)
    return slice(first, max(first + 1, min(length, side - start)))


class Rendering:
    """The cut-out `rgba_hwc`, (h, w, 4) straight, as `output` wants it: uint8 of `height`, `width`
    and `channels`, which are RGBA, or RGB where there is a background.

    `source_alpha_hw` is the alpha that the photo came with, None for an opaque one. `backdrop_hwc`
    is the picture behind, (h, w, 4) straight, where `output` wants one.
    """

    def __init__(
        self,
        rgba_hwc: UInt8,
        output: OutputOptions,
        source_alpha_hw: UInt8 | None = None,
        backdrop_hwc: UInt8 | None = None,
    ) -> None:
        layout = _layout_of(rgba_hwc[..., 3], output)
        self.height, self.width = layout.height, layout.width
        self._subject, self._place = _placed(rgba_hwc, layout)
        alpha_hw = self._subject[..., 3]
        self._outline: OutlineRows | None = None
        if output.outline:
            size = _subject_size(rgba_hwc[..., 3])
            width_px = output.outline.fitted_width_px(*(layout.scale * length for length in size))
            self._outline = OutlineRows(width_px, alpha_hw, self._place)
        self._outline_colour = output.outline.colour if output.outline else (0, 0, 0)
        self._shadow: ShadowRows | None = None
        if output.shadow:
            self._shadow = ShadowRows(output.shadow, alpha_hw, self._place, self._outline)
        self._shadow_colour = output.shadow.colour if output.shadow else (0, 0, 0)
        self._behind: Rows | None = None
        match output.background:
            case None:
                pass
            case Gradient() as gradient:
                self._behind = GradientRows(gradient, self.height, self.width)
            case Blur() as blur:
                self._behind = BlurredRows(blur, rgba_hwc, source_alpha_hw, layout)
            case "picture":
                assert backdrop_hwc is not None  # encode.py has looked
                self._behind = _Held(backdrop_picture(backdrop_hwc, self.height, self.width))
            case colour:
                self._behind = _Even(colour, self.width)
        self.channels = 4 if self._behind is None else 3
        self.depth = 8

    def rows(self, rows: slice) -> UInt8:
        """uint8 (rows, width, channels), straight; it may be a view of the photo."""
        subject = self._subject_rows(rows)
        below = [
            (layer.rows(rows), colour)
            for layer, colour in (
                (self._shadow, self._shadow_colour),
                (self._outline, self._outline_colour),
            )
            if layer is not None
        ]
        if self._outline is not None:  # what sticks out of a sticker is cut off
            subject = _clipped(subject, self._outline.cover_rows(rows))
        if self._behind is not None:
            picture = self._behind.rows(rows)
            for alpha_hw, colour in below:
                picture = mix(picture, np.array(colour, np.uint8), alpha_hw[..., None])
            return mix(picture, subject[..., :3], subject[..., 3:])
        layers = [_coloured(alpha_hw, colour) for alpha_hw, colour in below]
        picture = subject
        for layer in reversed(layers):
            picture = over(picture, layer)
        return picture

    def _subject_rows(self, rows: slice) -> UInt8:
        top, left = round(self._place.top), round(self._place.left)
        height, width = self._subject.shape[:2]
        inside = rows.start - top >= 0 and rows.stop - top <= height
        if inside and left <= 0 and self.width - left <= width:
            return self._subject[rows.start - top : rows.stop - top, -left : self.width - left]
        subject = np.zeros((rows.stop - rows.start, self.width, 4), np.uint8)
        first, last = max(rows.start, top), min(rows.stop, top + height)
        x, right = max(0, left), min(self.width, left + width)
        if first < last and x < right:
            subject[first - rows.start : last - rows.start, x:right] = self._subject[
                first - top : last - top, x - left : right - left
            ]
        return subject


class AlphaRendering:
    """The alpha of the cut-out `rgba_hwc`, (h, w, 4), where `output` places it: grey of `depth`
    bits. `precise_alpha_hw` is the same in 16 bits, where `output` wants them."""

    def __init__(
        self,
        rgba_hwc: UInt8,
        output: OutputOptions,
        precise_alpha_hw: npt.NDArray[np.uint16] | None = None,
    ) -> None:
        self._rendering = Rendering(rgba_hwc, output)
        self.height, self.width = self._rendering.height, self._rendering.width
        self.channels, self.depth = 1, output.depth
        self._precise: npt.NDArray[np.uint16] | None = None
        if output.depth == 16:
            assert precise_alpha_hw is not None  # encode.py has looked
            layout = _layout_of(rgba_hwc[..., 3], output)  # of that depth: within the photo
            top, left = -round(layout.top), -round(layout.left)
            self._precise = precise_alpha_hw[top : top + self.height, left : left + self.width]

    def rows(self, rows: slice) -> Pixels:
        """(rows, width), uint8 or uint16."""
        if self._precise is not None:
            return self._precise[rows]
        return self._rendering.rows(rows)[..., 3]


class _Even:
    def __init__(self, colour: Colour, width: int) -> None:
        self._line = np.tile(np.array(colour, np.uint8), (1, width, 1))

    def rows(self, rows: slice) -> UInt8:
        return np.broadcast_to(self._line, (rows.stop - rows.start, *self._line.shape[1:]))


class _Held:
    def __init__(self, rgb_hwc: UInt8) -> None:
        self._rgb_hwc = rgb_hwc

    def rows(self, rows: slice) -> UInt8:
        return self._rgb_hwc[rows]


def _coloured(alpha_hw: UInt8, colour: Colour) -> UInt8:
    layer = np.empty((*alpha_hw.shape, 4), np.uint8)
    layer[..., :3] = colour
    layer[..., 3] = alpha_hw
    return layer


def _clipped(subject: UInt8, inside_hw: UInt8) -> UInt8:
    clipped = subject.copy()
    clipped[..., 3] = np.minimum(subject[..., 3], inside_hw)
    return clipped
