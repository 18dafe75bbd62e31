"""Python's end of the Python worker: the only file that knows the browser.

`web/js/pipeline/` calls the functions at the top. Each answers with a JavaScript object, `{value}`
or `{error: {code, stage, message}}`. Pixels are copied once on the way in and once on the way out.
"""

import asyncio
import contextlib
import dataclasses
import functools
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import js
import numpy as np
import numpy.typing as npt
from pyodide.ffi import JsException, create_proxy, to_js

from pyside_logic.chroma_key import key_photo
from pyside_logic.encode import ancillary_of, render, strips
from pyside_logic.encode import encode as encode_pixels
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import Ancillary
from pyside_logic.preview import Preview
from pyside_logic.refine import Cutout, RefineOptions
from pyside_logic.refine import refine as refine_cutout
from pyside_logic.second_look import fuse_looks, subject_box
from pyside_logic.source import Source
from pyside_logic.store import (
    DownloadError,
    Entry,
    ModelStore,
    RefusedStorage,
    Response,
    Storage,
    StorageError,
)
from pyside_logic.touch_up import Stroke, TouchUp
from pyside_logic.webp import label_webp

__all__ = [
    "add_second_look",
    "close_photo",
    "draw",
    "draw_preview",
    "encode",
    "ensure_model",
    "label",
    "open_keyed_photo",
    "open_photo",
    "paint",
    "refine",
    "subject_part",
    "touch_up",
]

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Photo:
    cutout: Cutout
    source: Source
    preview: Preview
    touch_up: TouchUp


_photos: dict[int, _Photo] = {}
_handles = itertools.count(1)


def _answers(stage: Stage) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What the function returns or raises becomes the answer; `stage` is the stage of errors that
    do not name their own."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if asyncio.iscoroutinefunction(function):

            @functools.wraps(function)
            async def answer_later(*args: Any) -> Any:
                try:
                    return js.Object.fromEntries(_entries(value=await function(*args)))
                except Exception as error:  # noqa: BLE001 - it is not swallowed but handed over
                    return _error(error, stage)

            return answer_later

        @functools.wraps(function)
        def answer(*args: Any) -> Any:
            try:
                return js.Object.fromEntries(_entries(value=function(*args)))
            except Exception as error:  # noqa: BLE001 - likewise
                return _error(error, stage)

        return answer

    return decorate


# ---- stage 4 and 5 -------------------------------------------------------------------------------


@_answers(Stage.REFINE)
def open_photo(
    rgba: Any,
    height: int,
    width: int,
    matte: Any,
    matte_height: int,
    matte_width: int,
    file: Any = None,
) -> int:
    """Keeps a photo and its matte. `rgba` is a Uint8Array of height x width x 4, straight; `matte`
    a Float32Array of matte_height x matte_width in [0, 1]; `file` is what decode.js has read in the
    photo's file beside its pixels, or null. Returns its handle."""
    rgba_hwc = _pixels(rgba, height, width)
    return _kept(Cutout(rgba_hwc, _matte(matte, matte_height, matte_width)), file)


@_answers(Stage.INFER)
def open_keyed_photo(rgba: Any, height: int, width: int, key: str, file: Any = None) -> Any:
    """Keeps a photo whose matte its backdrop tells, {handle, data: Float32Array, height, width}.
    `key` is chroma_key.py's, `file` as in `open_photo`."""
    rgba_hwc = _pixels(rgba, height, width)
    matte_hw = key_photo(rgba_hwc, key)
    data = js.Float32Array.new(matte_hw.size)
    data.assign(np.ascontiguousarray(matte_hw).reshape(-1))
    h, w = matte_hw.shape
    handle = _kept(Cutout(rgba_hwc, matte_hw), file)
    return js.Object.fromEntries(_entries(handle=handle, data=data, height=h, width=w))


@_answers(Stage.REFINE)
def subject_part(handle: int) -> Any:
    """The part of an open photo that is worth a second look, {rgba: Uint8Array, height, width}, or
    null where the subject fills it."""
    cutout = _opened(handle)
    box = subject_box(cutout.matte_hw, *cutout.rgba_hwc.shape[:2])
    if box is None:
        return None
    part_hwc = np.ascontiguousarray(cutout.rgba_hwc[box.rows, box.columns])
    height, width = part_hwc.shape[:2]
    rgba = js.Uint8Array.new(part_hwc.size)
    rgba.assign(part_hwc.reshape(-1))
    return js.Object.fromEntries(_entries(rgba=rgba, height=height, width=width))


@_answers(Stage.REFINE)
def add_second_look(handle: int, matte: Any, height: int, width: int) -> None:
    """Takes the matte of `subject_part`, a Float32Array of height x width in [0, 1], into the open
    photo's."""
    cutout = _opened(handle)
    size = cutout.rgba_hwc.shape[:2]
    box = subject_box(cutout.matte_hw, *size)
    assert box is not None  # there has been a part to look at
    second_hw = _matte(matte, height, width)
    cutout.matte_hw = fuse_looks(cutout.matte_hw, second_hw, box, *size)


@_answers(Stage.REFINE)
def refine(
    handle: int, options: Any, on_progress: Callable[[int, int], None], precise: bool = False
) -> None:
    """Makes the alpha of an open photo. `options` is a JavaScript object of RefineOptions;
    `precise` keeps alpha in 16 bits too, for a file of that depth."""
    cutout = _opened(handle)
    if precise:
        cutout.ask_for_precision()
    refine_cutout(cutout, RefineOptions.from_dict(options.to_py()), on_progress)


@_answers(Stage.REFINE)
def draw(handle: int) -> Any:
    """The cut-out of an open photo on an OffscreenCanvas of its size."""
    photo = _photo(handle)
    return _on_canvas(photo.cutout.rgba_hwc, photo.source)


@_answers(Stage.REFINE)
def draw_preview(handle: int, options: Any, longest_px: int) -> Any:
    """What `refine` and `draw` would give, but of at most `longest_px` a side."""
    wanted = RefineOptions.from_dict(options.to_py())
    photo = _photo(handle)
    return _on_canvas(photo.preview.refined(wanted, longest_px), photo.source)


@_answers(Stage.REFINE)
def touch_up(handle: int, strokes: Any) -> None:
    """Corrects the matte of an open photo. `strokes` is a JavaScript array of all of them."""
    photo = _photo(handle)
    wanted = [Stroke.from_dict(stroke) for stroke in strokes.to_py()]
    photo.cutout.touch_hw = photo.touch_up.set_strokes(wanted)


@_answers(Stage.ENCODE)
def encode(handle: int, output: Any, content: str, backdrop: Any = None) -> Any:
    """An open photo's file, {bytes: Uint8Array, height, width}. `output` is a JavaScript object of
    OutputOptions; `content` is 'cutout' or 'alpha'; `backdrop` is the picture behind, {rgba:
    Uint8Array, height, width}, or null."""
    options = OutputOptions.from_dict(output.to_py())
    cutout = _opened(handle)
    source = _source_of(handle)
    file = encode_pixels(cutout.rgba_hwc, options, content, source, _pixels_of(backdrop))
    entries = _entries(bytes=file.data, height=file.height, width=file.width)
    return js.Object.fromEntries(entries)


@_answers(Stage.ENCODE)
def paint(handle: int, output: Any, content: str, backdrop: Any = None) -> Any:
    """What `encode` would write, for a file that the browser writes: {canvas, quality, label}.
    `label` is what `label` below wants of the file's profile and EXIF."""
    options = OutputOptions.from_dict(output.to_py())
    cutout = _opened(handle)
    source = _source_of(handle)
    picture = render(cutout.rgba_hwc, options, content, source, _pixels_of(backdrop))
    canvas, context = _canvas(picture.height, picture.width, source)
    top = 0
    for pixels in strips(picture):
        _put(context, _with_alpha(pixels.astype(np.uint8, copy=False)), top, source)
        top += len(pixels)
    ancillary = ancillary_of(picture, options, source)
    label = js.Object.fromEntries(_entries(profile=ancillary.profile, exif=ancillary.exif))
    return js.Object.fromEntries(_entries(canvas=canvas, quality=options.quality, label=label))


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


def _pixels(values: Any, height: int, width: int) -> UInt8:
    rgba_hwc = np.empty((height, width, 4), np.uint8)
    values.assign_to(rgba_hwc.reshape(-1))
    return rgba_hwc


def _matte(values: Any, height: int, width: int) -> npt.NDArray[np.float32]:
    matte_hw = np.empty((height, width), np.float32)
    values.assign_to(matte_hw.reshape(-1))
    return matte_hw


def _on_canvas(rgba_hwc: UInt8, source: Source) -> Any:
    canvas, context = _canvas(rgba_hwc.shape[0], rgba_hwc.shape[1], source)
    _put(context, rgba_hwc, 0, source)
    return canvas


def _canvas(height: int, width: int, source: Source) -> tuple[Any, Any]:
    canvas = js.OffscreenCanvas.new(width, height)
    return canvas, canvas.getContext("2d", _object(colorSpace=source.colour_space))


def _put(context: Any, rgba_hwc: UInt8, top: int, source: Source) -> None:
    height, width = rgba_hwc.shape[:2]
    pixels = js.Uint8ClampedArray.new(rgba_hwc.size)
    pixels.assign(rgba_hwc.reshape(-1))
    space = _object(colorSpace=source.colour_space)
    context.putImageData(js.ImageData.new(pixels, width, height, space), 0, top)


def _with_alpha(pixels: UInt8) -> UInt8:
    """Grey (h, w), RGB (h, w, 3) or RGBA (h, w, 4) as the RGBA that a canvas takes."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return np.ascontiguousarray(pixels)
    rgba_hwc = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    rgba_hwc[..., :3] = pixels if pixels.ndim == 3 else pixels[..., None]
    return rgba_hwc


def _pixels_of(photo: Any) -> UInt8 | None:
    """A JavaScript Photo, copied, or None for null."""
    if photo is None:
        return None
    rgba_hwc = np.empty((photo.height, photo.width, 4), np.uint8)
    photo.rgba.assign_to(rgba_hwc.reshape(-1))
    return rgba_hwc


def _source(file: Any) -> Source:
    if file is None:
        return Source()
    density = file.density and (file.density.vertical, file.density.horizontal)
    exif = file.exif and file.exif.to_bytes()
    return Source(density or None, exif or None, file.hasProfile, file.colorSpace)


def _source_of(handle: int) -> Source:
    photo = _photo(handle)
    return dataclasses.replace(
        photo.source,
        alpha_hw=photo.cutout.source_alpha_hw,
        precise_alpha_hw=photo.cutout.precise_alpha_hw,
    )


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
async def ensure_model(entry: Any, keep: Any, on_progress: Callable[[int, int], None]) -> Any:
    """Stores the network `entry` ({name, url, sha256, bytes}) and forgets all but `keep` (sha256s).

    Returns {stored, blob}: `blob` holds the network where the device would not keep it.
    """
    wanted = Entry(entry.name, entry.url, entry.sha256, int(entry.bytes))
    async with _open_storage() as storage:
        store = ModelStore(storage, _fetch)
        await store.evict(keep.to_py())
        data = await store.ensure(wanted, on_progress)
    blob = None if data is None else _blob(data)
    return js.Object.fromEntries(_entries(stored=blob is None, blob=blob))


@contextlib.asynccontextmanager
async def _open_storage() -> AsyncIterator[Storage]:
    try:
        storage = await _IndexedDb.open()
    except (JsException, StorageError):
        yield RefusedStorage()
        return
    try:
        yield storage
    finally:
        storage.close()


class _IndexedDb:
    """Database `gossamer`, object store `models`: Blobs by sha256."""

    def __init__(self, database: Any) -> None:
        self._database = database

    @classmethod
    async def open(cls) -> "_IndexedDb":
        factory = getattr(js, "indexedDB", None)
        if factory is None:
            raise StorageError("there is no IndexedDB in this window")
        request = factory.open("gossamer", 1)

        def create(_event: Any) -> None:
            request.result.createObjectStore("models")

        upgrade = create_proxy(create)
        request.onupgradeneeded = upgrade
        try:
            await _first_event(request, "success", "error", "blocked")
        finally:
            request.onupgradeneeded = None
            upgrade.destroy()
        if request.readyState != "done" or request.error:
            raise StorageError(f"IndexedDB is refused: {request.error}")
        return cls(request.result)

    def close(self) -> None:
        self._database.close()

    async def get(self, key: str) -> bytes | None:
        blob = await self._run("readonly", lambda models: models.get(key))
        if not blob:
            return None
        try:
            data: bytes = (await blob.arrayBuffer()).to_bytes()
        except JsException as error:  # the browser lost the file behind the Blob
            raise StorageError(str(error)) from error
        return data

    async def put(self, key: str, data: bytes) -> None:
        blob = _blob(data)
        await self._run("readwrite", lambda models: models.put(blob, key))

    async def delete(self, key: str) -> None:
        await self._run("readwrite", lambda models: models.delete(key))

    async def keys(self) -> list[str]:
        found = await self._run("readonly", lambda models: models.getAllKeys())
        return [str(key) for key in found]

    async def _run(self, mode: str, ask: Callable[[Any], Any]) -> Any:
        """The result of one request, when its transaction is complete: a full disk shows only
        then."""
        try:
            transaction = self._database.transaction("models", mode)
            request = ask(transaction.objectStore("models"))
            await _first_event(transaction, "complete", "abort", "error")
        except JsException as error:
            raise StorageError(str(error)) from error
        if transaction.error or request.error:
            raise StorageError(str(transaction.error or request.error))
        return request.result


async def _first_event(target: Any, *types: str) -> None:
    def listen(resolve: Any, _reject: Any) -> None:
        for kind in types:
            target.addEventListener(kind, resolve)

    listener = create_proxy(listen)
    try:
        await js.Promise.new(listener)
    finally:
        listener.destroy()


async def _fetch(url: str, offset: int) -> Response:
    """A Download by the browser's fetch; the model store is its only cache."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    options = to_js({"cache": "no-store", "headers": headers}, dict_converter=js.Object.fromEntries)
    try:
        response = await js.fetch(url, options)
    except JsException as error:
        raise DownloadError(f"the site cannot be reached ({error.message})") from error
    if response.status == 416:  # nothing there from `offset` on
        return await _fetch(url, 0)
    if not response.ok:
        raise DownloadError(f"the site answered {response.status}")
    return Response(offset if response.status == 206 else 0, _chunks(response.body.getReader()))


async def _chunks(reader: Any) -> AsyncGenerator[bytes, None]:
    try:
        while not (step := await reader.read()).done:
            yield step.value.to_bytes()
    except JsException as error:
        raise DownloadError(f"the connection was cut ({error.message})") from error
    finally:
        with contextlib.suppress(JsException):  # of a download that has failed already
            await reader.cancel()


# ---- answers -------------------------------------------------------------------------------------


def _error(error: Exception, stage: Stage) -> Any:
    if isinstance(error, MemoryError) or _says_out_of_memory(error):
        error = GossamerError(
            ErrorCode.OUT_OF_MEMORY,
            stage,
            "This picture needs more memory than the browser gives. Make it smaller first.",
        )
    elif isinstance(error, JsException) and getattr(error, "code", None) == "aborted":
        # From `on_progress`: rpc/serve.js.
        error = GossamerError(ErrorCode.ABORTED, stage, "Nobody waits for this any more.")
    elif not isinstance(error, GossamerError):
        error = GossamerError(ErrorCode.INTERNAL, stage, f"{type(error).__name__}: {error}")
    wire = to_js(error.to_dict(), dict_converter=js.Object.fromEntries)
    return js.Object.fromEntries(_entries(error=wire))


def _says_out_of_memory(error: Exception) -> bool:
    """JavaScript has no type for it."""
    return isinstance(error, JsException) and "allocation failed" in str(error).lower()


def _entries(**values: Any) -> Any:
    """[[key, value], ...] as JavaScript arrays."""
    return to_js([[key, value] for key, value in values.items()])


def _object(**values: Any) -> Any:
    return js.Object.fromEntries(_entries(**values))


def _blob(data: bytes) -> Any:
    return js.Blob.new(to_js([data]))
