"""Python's end of the Python worker.

`web/js/pipeline/` calls the functions at the top. Each answers with a JavaScript object, `{value}`
or `{error: {code, stage, message, fatal}}`. With `browser_pixels.py` and `browser_storage.py` this
is all that knows the browser.
"""

import asyncio
import functools
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import js
from pyodide.ffi import JsException, to_js

from pyside_logic.agreement import agreed_matte
from pyside_logic.browser_pixels import (
    js_object,
    matte_of,
    on_canvas,
    pixels_behind,
    pixels_of,
    to_float32_array,
    to_uint8_array,
)
from pyside_logic.browser_storage import name_networks, store_network
from pyside_logic.chroma_key import key_photo
from pyside_logic.encode import ancillary_of, render
from pyside_logic.encode import encode as encode_cutout
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import Ancillary
from pyside_logic.preview import Preview
from pyside_logic.refine import Cutout, RefineOptions
from pyside_logic.refine import refine as refine_cutout
from pyside_logic.second_look import fuse_looks, look_box
from pyside_logic.source import Source
from pyside_logic.subjects import Subjects
from pyside_logic.touch_up import TouchUp, correction_from_dict, is_kept
from pyside_logic.webp import label_webp
from pyside_logic.wider_look import fuse_wider

__all__ = [
    "add_second_look",
    "add_wider_look",
    "close_photo",
    "draw",
    "draw_file_preview",
    "draw_preview",
    "encode",
    "ensure_model",
    "label",
    "name_models",
    "offer_matte",
    "open_keyed_photo",
    "open_photo",
    "paint",
    "photo_pixels",
    "refine",
    "set_matte",
    "subject_part",
    "subjects",
    "touch_up",
]


@dataclass(frozen=True)
class _Photo:
    cutout: Cutout
    source: Source
    preview: Preview
    touch_up: TouchUp


_photos: dict[int, _Photo] = {}
# A worker that is started anew must not give out those of the one before, which somebody may hold.
_handles = itertools.count(int.from_bytes(os.urandom(6), "big"))


def _answers(stage: Stage) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What the function returns or raises becomes the answer; `stage` is the stage of errors that
    do not name their own."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(function):

            @functools.wraps(function)
            async def answer_later(*args: Any) -> Any:
                try:
                    return js_object(value=await function(*args))
                except Exception as error:  # noqa: BLE001 - it is not swallowed but handed over
                    return _error(error, stage)

            return answer_later

        @functools.wraps(function)
        def answer(*args: Any) -> Any:
            try:
                return js_object(value=function(*args))
            except Exception as error:  # noqa: BLE001 - likewise
                return _error(error, stage)

        return answer

    return decorate


# ---- refine and encode ---------------------------------------------------------------------------


@_answers(Stage.REFINE)
def open_photo(rgba: Any, height: int, width: int, file: Any = None) -> int:
    """Keeps a photo, which has no matte yet, and looks at its colours: `rgba` is a Uint8Array of
    height x width x 4, straight; `file` what decode.js has read in the photo's file beside its
    pixels, or null. Returns its handle."""
    cutout = Cutout(pixels_of(rgba, height, width))
    cutout.look()
    return _kept(cutout, file)


@_answers(Stage.REFINE)
def set_matte(handle: int, matte: Any, height: int, width: int) -> None:
    """Gives an open photo its matte, or another one, a Float32Array of height x width in [0, 1]."""
    _opened(handle).matte_hw = matte_of(matte, height, width)


@_answers(Stage.REFINE)
def add_wider_look(handle: int, matte: Any, height: int, width: int) -> Any:
    """Takes what the same network has found of an open photo in fewer pixels, a Float32Array of
    height x width in [0, 1], into the photo's matte. Returns what that is then, {data:
    Float32Array, height, width}, or null where nothing was lost."""
    cutout = _opened(handle)
    fused_hw = fuse_wider(cutout.matte_hw, matte_of(matte, height, width))
    if fused_hw is None:
        return None
    cutout.matte_hw = fused_hw
    h, w = fused_hw.shape
    return js_object(data=to_float32_array(fused_hw), height=h, width=w)


@_answers(Stage.INFER)
def open_keyed_photo(rgba: Any, height: int, width: int, key: str, file: Any = None) -> Any:
    """Keeps a photo whose matte its backdrop tells, {handle, data: Float32Array, height, width}.
    `key` is chroma_key.py's, `file` as in `open_photo`."""
    rgba_hwc = pixels_of(rgba, height, width)
    matte_hw = key_photo(rgba_hwc, key)
    h, w = matte_hw.shape
    handle = _kept(Cutout(rgba_hwc, matte_hw, keyed=True), file)
    return js_object(handle=handle, data=to_float32_array(matte_hw), height=h, width=w)


@_answers(Stage.REFINE)
def photo_pixels(handle: int) -> Any:
    """An open photo for a network, which sees no alpha, {rgba: Uint8Array, height, width}."""
    cutout = _opened(handle)
    rgba_hwc = cutout.original_rgba() if cutout.is_recoloured else cutout.rgba_hwc
    height, width = rgba_hwc.shape[:2]
    return js_object(rgba=to_uint8_array(rgba_hwc), height=height, width=width)


@_answers(Stage.REFINE)
def offer_matte(handle: int, matte: Any, height: int, width: int, agreement: float) -> Any:
    """Another network's matte of an open photo, a Float32Array of height x width in [0, 1], whose
    edges are taken where it agrees with the present one. Returns what the photo's matte is then,
    {data: Float32Array, height, width}, or null where they do not agree."""
    cutout = _opened(handle)
    offered_hw = matte_of(matte, height, width)
    size = cutout.rgba_hwc.shape[:2]
    agreed_hw = agreed_matte(cutout.matte_hw, offered_hw, agreement, *size)
    if agreed_hw is None:
        return None
    cutout.matte_hw = agreed_hw
    h, w = agreed_hw.shape
    return js_object(data=to_float32_array(agreed_hw), height=h, width=w)


@_answers(Stage.REFINE)
def subject_part(handle: int) -> Any:
    """The part of an open photo that is worth a second look, {rgba: Uint8Array, height, width}, or
    null where the subject fills it."""
    cutout = _opened(handle)
    box = look_box(cutout.matte_hw, *cutout.rgba_hwc.shape[:2])
    if box is None:
        return None
    part_hwc = cutout.rgba_hwc[box.rows, box.columns]
    height, width = part_hwc.shape[:2]
    return js_object(rgba=to_uint8_array(part_hwc), height=height, width=width)


@_answers(Stage.REFINE)
def add_second_look(handle: int, matte: Any, height: int, width: int) -> None:
    """Takes the matte of `subject_part`, a Float32Array of height x width in [0, 1], into the open
    photo's."""
    cutout = _opened(handle)
    size = cutout.rgba_hwc.shape[:2]
    box = look_box(cutout.matte_hw, *size)
    assert box is not None  # there has been a part to look at
    second_hw = matte_of(matte, height, width)
    cutout.matte_hw = fuse_looks(cutout.matte_hw, second_hw, box, *size)


@_answers(Stage.REFINE)
def refine(
    handle: int, options: Any, on_progress: Callable[[int, int], None], precise: bool = False
) -> bool:
    """Makes the alpha of an open photo. `options` is a JavaScript object of RefineOptions;
    `precise` keeps alpha in 16 bits too, for a file of that depth. Returns whether nothing is left
    of the photo."""
    cutout = _opened(handle)
    if precise:
        cutout.ask_for_precision()
    refine_cutout(cutout, _edges(cutout, options), on_progress)
    return cutout.is_empty


@_answers(Stage.REFINE)
def draw(handle: int) -> Any:
    """The cut-out of an open photo on an OffscreenCanvas of its size."""
    photo = _photo(handle)
    return on_canvas(photo.cutout.rgba_hwc, photo.source)


@_answers(Stage.REFINE)
def draw_preview(handle: int, options: Any, longest_px: int) -> Any:
    """What `refine` and `draw` would give, but of at most `longest_px` a side."""
    photo = _photo(handle)
    wanted = _edges(photo.cutout, options)
    return on_canvas(photo.preview.refined(wanted, longest_px), photo.source)


@_answers(Stage.ENCODE)
def draw_file_preview(
    handle: int, options: Any, output: Any, longest_px: int, backdrop: Any = None
) -> Any:
    """What `refine` and `encode` would give, but of at most `longest_px` a side, {canvas, height,
    width}: the size is the file's."""
    photo = _photo(handle)
    wanted = _edges(photo.cutout, options)
    file = OutputOptions.from_dict(output.to_py())
    seen = photo.preview.picture(wanted, file, longest_px, photo.source, pixels_behind(backdrop))
    canvas = on_canvas(seen.picture, photo.source)
    return js_object(canvas=canvas, height=seen.height, width=seen.width)


@_answers(Stage.REFINE)
def touch_up(handle: int, strokes: Any) -> None:
    """Corrects the matte of an open photo. `strokes` is a JavaScript array of all of them."""
    photo = _photo(handle)
    wanted = [correction_from_dict(stroke) for stroke in strokes.to_py()]
    photo.cutout.touch_hw = photo.touch_up.set_strokes(wanted, photo.cutout.matte_hw)


@_answers(Stage.REFINE)
def subjects(handle: int) -> Any:
    """Those that stand apart in an open photo, an array of {x, y, left, top, width, height, kept}
    in its pixels; one that was taken out is not `kept`."""
    cutout = _opened(handle)
    height, width = cutout.rgba_hwc.shape[:2]
    found = [
        js_object(
            x=one.x * width,
            y=one.y * height,
            left=one.left * width,
            top=one.top * height,
            width=(one.right - one.left) * width,
            height=(one.bottom - one.top) * height,
            kept=is_kept(cutout.touch_hw, one.y, one.x),
        )
        for one in Subjects(cutout.matte_hw).found()
    ]
    return to_js(found)


@_answers(Stage.ENCODE)
def encode(handle: int, output: Any, content: str, backdrop: Any = None) -> Any:
    """An open photo's file, {bytes: Uint8Array, height, width}. `output` is a JavaScript object of
    OutputOptions; `content` is 'cutout' or 'alpha'; `backdrop` is the picture behind, {rgba:
    Uint8Array, height, width}, or null."""
    options = OutputOptions.from_dict(output.to_py())
    photo = _photo(handle)
    file = encode_cutout(photo.cutout, options, content, photo.source, pixels_behind(backdrop))
    return js_object(bytes=file.data, height=file.height, width=file.width)


@_answers(Stage.ENCODE)
def paint(handle: int, output: Any, content: str, backdrop: Any = None) -> Any:
    """What `encode` would write, for a file that the browser writes: {canvas, quality, label}.
    `label` is what `label` below wants of the file's profile and EXIF."""
    options = OutputOptions.from_dict(output.to_py())
    photo = _photo(handle)
    picture = render(photo.cutout, options, content, photo.source, pixels_behind(backdrop))
    ancillary = ancillary_of(picture, options, photo.source)
    label = js_object(profile=ancillary.profile, exif=ancillary.exif)
    return js_object(canvas=on_canvas(picture, photo.source), quality=options.quality, label=label)


@_answers(Stage.ENCODE)
def label(webp: Any, height: int, width: int, label: Any) -> Any:
    """The WebP file that a browser wrote of a canvas from `paint`, with what it does not write."""
    profile, exif = (data and data.to_bytes() for data in (label.profile, label.exif))
    return to_js(label_webp(webp.to_bytes(), height, width, Ancillary(None, profile, exif)))


@_answers(Stage.REFINE)
def close_photo(handle: int) -> None:
    """Forgets an open photo. One that is not open is none to forget."""
    _photos.pop(handle, None)


def _kept(cutout: Cutout, file: Any) -> int:
    handle = next(_handles)
    height, width = cutout.rgba_hwc.shape[:2]
    _photos[handle] = _Photo(cutout, _source(file), Preview(cutout), TouchUp(height, width))
    return handle


def _source(file: Any) -> Source:
    if file is None:
        return Source()
    density = file.density and (file.density.vertical, file.density.horizontal)
    exif = file.exif and file.exif.to_bytes()
    return Source(density or None, exif or None, file.hasProfile, file.colorSpace)


def _edges(cutout: Cutout, options: Any) -> RefineOptions:
    return RefineOptions.from_dict(options.to_py(), keyed=cutout.keyed)


def _opened(handle: int) -> Cutout:
    return _photo(handle).cutout


def _photo(handle: int) -> _Photo:
    if handle not in _photos:  # handles are our own: this worker is not the one that gave it
        raise GossamerError(
            ErrorCode.WORKER_DIED,
            Stage.REFINE,
            "The part that refines edges was stopped by the browser. Try again: it starts anew.",
        )
    return _photos[handle]


# ---- the model store -----------------------------------------------------------------------------


@_answers(Stage.MODEL)
async def ensure_model(
    entry: Any, keep: Any, received: Any, on_progress: Callable[[int, int], None]
) -> Any:
    """Stores the network `entry` ({name, url, sha256, bytes, place}), and then forgets all but
    `keep` (sha256s) and what copies of Gossamer at other places name. `received`, a Blob, is the
    network's beginning that has come already, or all of it. Returns {blob}, which holds the
    network where the device would not keep it, else null.
    """
    return js_object(blob=await store_network(entry, keep.to_py(), received, on_progress))


@_answers(Stage.MODEL)
async def name_models(place: str, keep: Any) -> None:
    """Writes down that Gossamer at the path `place` names `keep` (sha256s); forgets other ones."""
    await name_networks(place, keep.to_py())


# ---- answers -------------------------------------------------------------------------------------


def _error(error: Exception, stage: Stage) -> Any:
    # Memory goes back to Python and not to the browser: without other photos to lose, a new Python
    # has more of it.
    is_full = isinstance(error, MemoryError) and len(_photos) <= 1
    if isinstance(error, MemoryError) or _says_out_of_memory(error):
        error = GossamerError(
            ErrorCode.OUT_OF_MEMORY,
            stage,
            "This picture needs more memory than the browser gives. Close other photos, or make it "
            "smaller first.",
        )
    elif isinstance(error, JsException) and getattr(error, "code", None) == "aborted":
        # From `on_progress`: rpc/serve.js.
        error = GossamerError(ErrorCode.ABORTED, stage, "Nobody waits for this any more.")
    elif not isinstance(error, GossamerError):
        error = GossamerError(ErrorCode.INTERNAL, stage, f"{type(error).__name__}: {error}")
    fields = {**error.to_dict(), "fatal": is_full}
    wire = to_js(fields, dict_converter=js.Object.fromEntries)
    return js_object(error=wire)


def _says_out_of_memory(error: Exception) -> bool:
    """JavaScript has no type for it."""
    return isinstance(error, JsException) and "allocation failed" in str(error).lower()
