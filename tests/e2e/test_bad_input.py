"""What is not a usable picture gets one clear message that names it, and costs nothing else."""

import io
import re
import struct
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from skimage import data

from pyside_logic.errors import GossamerError
from pyside_logic.output_options import OutputOptions
from pyside_logic.refine_options import RefineOptions

from .app import ApiError, App, call_api, in_base64, png, porthole, unique


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


def jpeg(rgb_hwc: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb_hwc).save(buffer, "JPEG")
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, with hardly any data behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def damaged_png() -> bytes:
    content = bytearray(png(data.chelsea()))
    content[2000:90000] = bytes(88000)
    return bytes(content)


CHELSEA = jpeg(data.chelsea())

BAD_FILES = {
    "text.jpg": (b"This is a letter, not a picture.", "unsupported_format"),
    "cut off.jpg": (CHELSEA[: len(CHELSEA) // 2], "truncated_image"),
    "cut off.png": (png(data.chelsea())[:90000], "truncated_image"),
    "empty.jpg": (b"", "empty_file"),
    "dot.png": (png(np.zeros((1, 1, 3), np.uint8)), "image_too_small"),
    "huge.png": (png_header(20000, 20000), "image_too_large"),
    "hollow.png": (png_header(2000, 2000), "corrupt_image"),
    "damaged.png": (damaged_png(), "truncated_image"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_the_error_names_the_file_and_the_next_photo_works(lasting_app: App, name: str) -> None:
    content, code = BAD_FILES[name]
    with pytest.raises(ApiError) as caught:
        call_api(lasting_app.page, "removeBackground", content, name=name)
    assert caught.value.fields["name"] == "GossamerError"
    assert caught.value.fields["code"] == code
    assert caught.value.fields["stage"] == "decode"
    assert name in caught.value.fields["message"]
    assert call_api(lasting_app.page, "removeBackground", CHELSEA).picture.size == (451, 300)


def test_the_page_shows_each_message_and_finishes_the_good_photos(
    emptied_app: App, tmp_path: Path
) -> None:
    app = emptied_app
    files = []
    for name in ("text.jpg", "empty.jpg", "huge.png"):
        files.append(tmp_path / name)
        files[-1].write_bytes(BAD_FILES[name][0])
    good = tmp_path / "cat.jpg"
    good.write_bytes(CHELSEA)
    app.add(files[0], good, files[1], files[2])
    app.wait_for_states("failed", "done", "failed", "failed")
    for index, file in ((0, files[0]), (2, files[1]), (3, files[2])):
        app.part("photo").nth(index).click()
        expect(app.part("error")).to_contain_text(file.name)
    app.part("photo").nth(1).click()
    assert app.save()[1].size == (451, 300)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "deeplab"}, "'u2netp'"),
        ({"backend": "cuda"}, "'wasm'"),
        ({"output": {"type": "image/tiff"}}, "image/png"),
        ({"refine": {"fether_px": 3}}, "Did you mean 'feather_px'?"),
        ({"output": {"qualty": 1}}, "Did you mean 'quality'?"),
        ({"refine": {"sharpen": 9}}, "sharpen"),
    ],
)
def test_wrong_options_name_what_was_expected(
    lasting_app: App, options: dict[str, object], told: str
) -> None:
    with pytest.raises(ApiError) as caught:
        call_api(lasting_app.page, "removeBackground", CHELSEA, options=options)
    assert caught.value.fields["code"] == "invalid_argument"
    assert told in caught.value.fields["message"]


def test_a_source_that_is_no_picture_at_all(lasting_app: App) -> None:
    message = lasting_app.page.evaluate(
        "window.gossamer.removeBackground(42).catch((error) => [error.code, error.message])"
    )
    assert message[0] == "invalid_argument"
    assert "Number" in message[1]


CALLS_WITH_NOTHING = """
async ([bytes]) => {
  const photo = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])
  const { removeBackground, segmentForeground, inspect } = window.gossamer
  const code = (promise) => promise.then(() => 'done', (error) => error.code ?? error.name)
  return [
    await code(removeBackground(photo, null)),
    await code(segmentForeground(photo, null)),
    await code(removeBackground(photo, { onProgress: null, refine: null, signal: null })),
    await code(removeBackground(null)),
    await code(inspect(null)),
  ]
}
"""


def test_nothing_is_no_option_and_no_picture(lasting_app: App) -> None:
    outcomes = lasting_app.page.evaluate(CALLS_WITH_NOTHING, [in_base64(CHELSEA)])
    assert outcomes == ["done"] * 3 + ["invalid_argument"] * 2


def test_a_misspelt_option_is_refused_before_anything_starts(
    lasting_app: App, quick_site_dir: Path
) -> None:
    (module,) = (quick_site_dir / "js").glob("options.*.js")
    known = lasting_app.page.evaluate(
        "(url) => import(url).then(({ KNOWN_WITHIN }) => KNOWN_WITHIN)",
        f"{lasting_app.url}js/{module.name}",
    )
    assert known["refine"] == [field.name for field in fields(RefineOptions)]
    with pytest.raises(GossamerError) as refusal:
        OutputOptions.from_dict({"no option": 1})
    assert set(re.findall(r"'(\w+)'", refusal.value.message)) == set(known["output"])
    for name in ("refine", "output"):
        with pytest.raises(ApiError) as caught:
            call_api(lasting_app.page, "removeBackground", b"no picture", options={name: {"x": 1}})
        assert (caught.value.fields["code"], caught.value.fields["stage"]) == (
            "invalid_argument",
            "model",
        )


WRONG_CALLS = """
async ([bytes]) => {
  const photo = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])
  const api = window.gossamer
  const { GossamerError, openPhoto, removeBackground } = api
  const open = await openPhoto(photo)
  const words = []
  const told = async (call) => {
    try {
      await call()
      return 'done'
    } catch (error) {
      words.push(error.message)
      return error instanceof GossamerError ? error.code : `${error}`
    }
  }
  const once = Symbol('x')
  const matte = (given) => told(() => openPhoto(photo, { matte: given }))
  const refused = []
  for (const options of [
    ...[new AbortController(), 'x', {}, true].map((signal) => ({ signal })),
    { onProgress: 'x' }, { onPreview: {} }, { progress: 7 },
    { model: once }, { backend: once }, { backend: [once] }, { output: { type: once } },
    { device: once },
  ]) refused.push(await told(() => removeBackground(photo, options)))
  refused.push(
    await told(() => open.refine({}, { signal: 'x' })),
    await told(() => api.preloadSpecialists({ signal: {} })),
    await matte({ data: new Float32Array(4), height: 3, width: 3 }),
    await matte({ data: new Uint8Array(9), height: 3, width: 3 }),
    await matte({}),
    await matte('x'),
  )
  const taken = [
    await told(() => open.refine(null, null)),
    await told(() => open.encode(null)),
    await told(() => open.preview(null, 100).then((preview) => preview.close())),
    await told(() => api.inspectEngines(null)),
    await told(() => api.preloadSpecialists(null)),
    await matte(null),
    await matte({ data: new Float32Array(9).fill(0.5), height: 3, width: 3 }),
  ]
  open.close()
  return { refused, taken, words }
}
"""


def test_a_wrong_argument_of_any_kind_is_told_as_such(lasting_app: App) -> None:
    answer = lasting_app.page.evaluate(WRONG_CALLS, [in_base64(CHELSEA)])
    assert set(answer["refused"]) == {"invalid_argument"}
    assert set(answer["taken"]) == {"done"}
    assert all(words.startswith(("Expected ", "'Symbol(x)' for ")) for words in answer["words"])


UNDEFINED = """
async ([bytes]) => {
  const photo = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])
  const refine = { feather_px: undefined, detail: undefined }
  const outputs = [
    { type: undefined, quality: undefined },
    { crop: { margin_px: undefined } },
    { canvas: { height_mm: 20, width_mm: 20, dpi: undefined } },
    { outline: { width_px: 3, colour: undefined } },
    { background: { gradient: ['red', ['blue', 1]], angle: undefined } },
  ]
  const { openPhoto, removeBackground } = window.gossamer
  const { blob } = await removeBackground(photo, { refine, output: outputs[0] })
  const open = await openPhoto(photo)
  await open.refine(refine)
  const previews = [await open.preview(refine, 100)]
  for (const output of outputs) {
    await open.encode(output)
    previews.push((await open.previewFile(refine, output, 100)).preview)
  }
  for (const preview of previews) preview.close()
  open.close()
  return [blob.type, previews.length]
}
"""


def test_what_is_undefined_was_not_given(lasting_app: App) -> None:
    assert lasting_app.page.evaluate(UNDEFINED, [in_base64(CHELSEA)]) == ["image/png", 6]


OF_ANOTHER_WINDOW = """
async ([bytes]) => {
  const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
  const frame = document.createElement('iframe')
  document.body.append(frame)
  const { Blob, File, Uint8Array: Bytes, ArrayBuffer, ImageData } = frame.contentWindow
  const growing = new globalThis.ArrayBuffer(content.length, { maxByteLength: 1e6 })
  new Uint8Array(growing).set(content)
  const shared = new Uint8Array(new SharedArrayBuffer(content.length))
  shared.set(content)
  const { inspect, removeBackground } = window.gossamer
  const widths = []
  for (const source of [
    new Blob([content]), new File([content], 'cat.jpg'), new Bytes(content), new ImageData(64, 64),
    new Bytes(content).buffer, growing, shared,
  ]) widths.push((await removeBackground(source)).width)
  const background = new Blob([content])
  widths.push((await removeBackground(new Blob([content]), { background })).width)
  widths.push((await inspect(new Blob([content]))).width)
  const letter = new File(['no picture'], 'letter.txt')
  const words = await removeBackground(letter).catch(({ message }) => message)
  frame.remove()
  return { widths, words }
}
"""


def test_a_picture_of_another_window_or_in_an_odd_buffer_is_one(lasting_app: App) -> None:
    answer = lasting_app.page.evaluate(OF_ANOTHER_WINDOW, [in_base64(CHELSEA)])
    assert answer["widths"] == [451, 451, 451, 64, *[451] * 5]
    assert "“letter.txt”" in answer["words"]


PROGRESS = """
async ([bytes, secondLook]) => {
  const photo = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])
  const seen = []
  const onProgress = ({ stage, done, total }) => seen.push([stage, done / total])
  await window.gossamer.removeBackground(photo, { secondLook, onProgress })
  return seen
}
"""


@pytest.mark.parametrize("second_look", [False, True])
def test_progress_never_goes_back(lasting_app: App, *, second_look: bool) -> None:
    photo = jpeg(porthole(data.chelsea()))
    seen = lasting_app.page.evaluate(PROGRESS, [in_base64(photo), second_look])
    stages = ["decode", "preprocess", "infer", "refine", "encode"]
    assert unique([stage for stage, _ in seen if stage != "model"]) == stages
    for stage in stages:
        fractions = [done for name, done in seen if name == stage]
        assert fractions == sorted(set(fractions))
        assert (fractions[0], fractions[-1]) == (0, 1)
