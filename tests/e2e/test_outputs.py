"""What `output` asks for is in the file, as another decoder reads it."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page
from skimage import data

from .app import ApiError, ApiResult, App, call_api, intersection_over_union, png

ROCKET = png(data.rocket())


def cut(page: Page, method: str = "removeBackground", **output: Any) -> ApiResult:
    return call_api(page, method, ROCKET, options={"output": output})


def test_a_crop_shows_the_subject_and_its_margin(app: App) -> None:
    whole = np.asarray(cut(app.page).picture)
    rows = np.flatnonzero((whole[..., 3] > 12).any(axis=1))
    columns = np.flatnonzero((whole[..., 3] > 12).any(axis=0))
    top, bottom = max(0, rows[0] - 7), min(len(whole), rows[-1] + 8)
    left, right = max(0, columns[0] - 7), min(whole.shape[1], columns[-1] + 8)
    assert (bottom - top) * (right - left) < whole[..., 3].size / 2
    expected = whole[top:bottom, left:right]
    result = cut(app.page, crop={"margin_px": 7})
    assert np.array_equal(np.asarray(result.picture), expected)
    assert (result.fields["height"], result.fields["width"]) == expected.shape[:2]
    assert result.fields["type"] == "image/png"
    alpha = cut(app.page, "segmentForeground", crop={"margin_px": 7})
    assert np.array_equal(np.asarray(alpha.picture), expected[..., 3])
    assert alpha.matte_hw is not None
    assert alpha.matte_hw.shape == (320, 320)


def test_a_background_makes_the_picture_opaque(app: App) -> None:
    rgba = np.asarray(cut(app.page).picture).astype(float)
    result = cut(app.page, background="#ff8000")
    assert result.picture.mode == "RGB"
    alpha = rgba[..., 3:] / 255
    expected = alpha * rgba[..., :3] + (1 - alpha) * [255, 128, 0]
    assert np.abs(np.asarray(result.picture) - expected).max() <= 0.5 + 1e-9


def test_an_option_that_is_undefined_was_not_given(app: App) -> None:
    size = app.page.evaluate(
        """async () => {
          const pixels = new ImageData(64, 48)
          pixels.data.fill(200)
          const output = { type: undefined, crop: undefined, background: undefined }
          const { width, height, blob } = await window.gossamer.removeBackground(pixels, { output })
          return [width, height, blob.type]
        }"""
    )
    assert size == [64, 48, "image/png"]


def test_webp_is_the_same_picture_within_its_loss(app: App) -> None:
    rgba = np.asarray(cut(app.page).picture).astype(int)
    result = cut(app.page, type="image/webp")
    assert result.picture.format == "WEBP"
    assert result.fields["type"] == "image/webp"
    read = np.asarray(result.picture.convert("RGBA")).astype(int)
    assert read.shape == rgba.shape == (result.fields["height"], result.fields["width"], 4)
    assert np.abs(read[..., 3] - rgba[..., 3]).max() <= 1  # WebP keeps alpha without loss
    opaque = rgba[..., 3] == 255
    assert opaque.sum() > 1000
    assert np.abs(read - rgba)[opaque].mean() < 3


def test_webp_quality_crop_and_background(app: App) -> None:
    output: dict[str, Any] = {"type": "image/webp", "crop": True, "background": "white"}
    expected = np.asarray(cut(app.page, crop=True, background="white").picture).astype(int)
    errors = []
    for quality in (0.2, 0.95):
        result = cut(app.page, **output, quality=quality)
        assert result.picture.mode == "RGB"
        assert (result.fields["height"], result.fields["width"]) == expected.shape[:2]
        errors.append(np.abs(np.asarray(result.picture).astype(int) - expected).mean())
    assert errors[1] < 3
    assert errors[1] < 0.7 * errors[0]


def test_alpha_as_webp(app: App) -> None:
    alpha = np.asarray(cut(app.page, "segmentForeground").picture).astype(int)
    result = cut(app.page, "segmentForeground", type="image/webp")
    read = np.asarray(result.picture.convert("L")).astype(int)
    assert read.shape == alpha.shape
    assert np.abs(read - alpha).mean() < 2


def test_a_browser_that_writes_no_webp_is_told_as_such(app: App) -> None:
    call_api(app.page, "removeBackground", ROCKET)
    worker = next(worker for worker in app.page.workers if "/python-worker." in worker.url)
    worker.evaluate(  # as Safari does
        """() => {
          const write = OffscreenCanvas.prototype.convertToBlob
          OffscreenCanvas.prototype.convertToBlob = function () {
            return write.call(this, { type: 'image/png' })
          }
        }"""
    )
    with pytest.raises(ApiError) as caught:
        cut(app.page, type="image/webp")
    assert caught.value.fields["code"] == "backend_unavailable"
    assert caught.value.fields["stage"] == "encode"
    assert "image/png" in caught.value.fields["message"]
    assert cut(app.page).picture.size == (640, 427)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ({"crop": {"left": 3}}, "margin_px"),
        ({"crop": 3}, "margin_px"),
        ({"background": "blurple"}, "#rrggbb"),
        ({"type": "image/webp", "quality": 90}, "quality"),
        ({"sparkle": 3}, "sparkle"),
    ],
)
def test_wrong_outputs_name_what_was_expected(app: App, output: dict[str, Any], told: str) -> None:
    with pytest.raises(ApiError) as caught:
        cut(app.page, **output)
    assert caught.value.fields["code"] == "invalid_argument"
    assert caught.value.fields["stage"] == "encode"
    assert told in caught.value.fields["message"]


RENDER = """
async ([options, scale]) => {
  const { width, height } = options.size
  const pixels = new ImageData(width, height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = Math.hypot(y + 0.5 - height / 2, x + 0.5 - width / 2) < 0.35 * height
      pixels.data.set(inside ? [240, 60, 30, 255] : [30, 60, 40, 255], 4 * (y * width + x))
    }
  }
  const cut = (output) => window.gossamer.removeBackground(pixels, { output })
  const draw = async (blob) => {
    const picture = new Image()
    picture.src = URL.createObjectURL(blob)
    await picture.decode()
    URL.revokeObjectURL(picture.src)
    const canvas = new OffscreenCanvas(width * scale, height * scale)
    const context = canvas.getContext('2d')
    context.drawImage(picture, 0, 0, canvas.width, canvas.height)
    const read = context.getImageData(0, 0, canvas.width, canvas.height)
    let text = ''
    for (const value of read.data) text += String.fromCharCode(value)
    return btoa(text)
  }
  const file = await cut({ ...options.output, type: 'image/svg+xml' })
  const png = await cut({})
  return { svg: await draw(file.blob), png: await draw(png.blob), type: file.blob.type,
           size: [file.height, file.width], text: await file.blob.text() }
}
"""


def rendered(page: Page, output: dict[str, Any], scale: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """The answer of RENDER on a disc, and the SVG and the PNG as Chromium draws them."""
    height, width = 240, 300
    options = {"output": output, "size": {"height": height, "width": width}}
    answer = page.evaluate(RENDER, [options, scale])
    shape = (height * scale, width * scale, 4)
    svg, cutout = (
        np.frombuffer(base64.b64decode(answer[kind]), np.uint8).reshape(shape)
        for kind in ("svg", "png")
    )
    assert answer["type"] == "image/svg+xml"
    assert answer["size"] == [height, width]
    return answer, svg, cutout


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("embed", [False, True])
def test_an_svg_drawn_by_the_browser_is_the_subject(app: App, embed: bool, scale: int) -> None:
    answer, svg, cutout = rendered(app.page, {"embed": embed}, scale)
    assert 0.1 < (cutout[..., 3] > 127).mean() < 0.9
    assert intersection_over_union(svg[..., 3] / 255, cutout[..., 3] / 255) >= 0.99
    assert ("data:image/png" in answer["text"]) == embed
    opaque = (svg[..., 3] == 255) & (cutout[..., 3] == 255)
    expected = cutout[opaque][:, :3].astype(int) if embed else 0
    assert np.abs(svg[opaque][:, :3] - expected).max() <= 2


def test_an_svg_on_a_background(app: App) -> None:
    _, svg, cutout = rendered(app.page, {"background": "teal"}, 1)
    assert (svg[..., 3] == 255).all()
    assert (svg[cutout[..., 3] == 0] == [0, 128, 128, 255]).all(axis=-1).mean() > 0.99


def jpeg(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(data.rocket()).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def test_resolution_is_carried_over_and_metadata_is_not(app: App) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    photo = jpeg(dpi=(300, 150), exif=exif)
    written = call_api(app.page, "removeBackground", photo).picture
    assert written.info["dpi"] == pytest.approx((300, 150), abs=0.02)
    assert not written.getexif()
    assert "dpi" not in cut(app.page).picture.info


def test_resolution_is_turned_with_the_photo(app: App) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is on the right
    photo = jpeg(dpi=(300, 150), exif=exif)
    written = call_api(app.page, "removeBackground", photo).picture
    assert written.size == (427, 640)
    assert written.info["dpi"] == pytest.approx((150, 300), abs=0.02)
