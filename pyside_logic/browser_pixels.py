"""Pixels and objects between Python and JavaScript: copied once on the way in and once on the way
out."""

from typing import Any

import js
import numpy as np
import numpy.typing as npt
from pyodide.ffi import to_js

from pyside_logic.encode import Picture, strips
from pyside_logic.source import Source

__all__ = [
    "js_object",
    "matte_of",
    "on_canvas",
    "pixels_behind",
    "pixels_of",
    "to_float32_array",
    "to_uint8_array",
]

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


def js_object(**values: Any) -> Any:
    """A JavaScript object of these fields."""
    return js.Object.fromEntries(to_js([[key, value] for key, value in values.items()]))


def pixels_of(values: Any, height: int, width: int) -> UInt8:
    """A Uint8Array of height x width x 4."""
    rgba_hwc = np.empty((height, width, 4), np.uint8)
    values.assign_to(rgba_hwc.reshape(-1))
    return rgba_hwc


def matte_of(values: Any, height: int, width: int) -> Float32:
    """A Float32Array of height x width."""
    matte_hw = np.empty((height, width), np.float32)
    values.assign_to(matte_hw.reshape(-1))
    return matte_hw


def pixels_behind(photo: Any) -> UInt8 | None:
    """The pixels of a JavaScript Photo, None for null."""
    return None if photo is None else pixels_of(photo.rgba, photo.height, photo.width)


def to_float32_array(values: Float32) -> Any:
    """A Float32Array of all the values, row by row."""
    array = js.Float32Array.new(values.size)
    array.assign(np.ascontiguousarray(values).reshape(-1))
    return array


def to_uint8_array(values: UInt8) -> Any:
    """A Uint8Array of all the values, row by row."""
    array = js.Uint8Array.new(values.size)
    array.assign(np.ascontiguousarray(values).reshape(-1))
    return array


def on_canvas(picture: Picture | UInt8, source: Source) -> Any:
    """An OffscreenCanvas of a picture, or of pixels (height, width, 4), in the photo's colours."""
    if isinstance(picture, np.ndarray):
        height, width = picture.shape[:2]
        parts = iter([picture])
    else:
        height, width = picture.height, picture.width
        parts = (pixels.astype(np.uint8, copy=False) for pixels in strips(picture))
    space = js_object(colorSpace=source.colour_space)
    canvas = js.OffscreenCanvas.new(width, height)
    context = canvas.getContext("2d", space)
    top = 0
    for part in parts:
        pixels = js.Uint8ClampedArray.new(len(part) * width * 4)
        pixels.assign(_with_alpha(part).reshape(-1))
        context.putImageData(js.ImageData.new(pixels, width, len(part), space), 0, top)
        top += len(part)
    return canvas


def _with_alpha(pixels: UInt8) -> UInt8:
    """Grey (h, w), RGB (h, w, 3) or RGBA (h, w, 4) as the RGBA that a canvas takes."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return np.ascontiguousarray(pixels)
    rgba_hwc = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    rgba_hwc[..., :3] = pixels if pixels.ndim == 3 else pixels[..., None]
    return rgba_hwc
