"""What `output` asks for is in the file, as another decoder reads it."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Page
from skimage import data

from pyside_logic.crop import visible_box
from pyside_logic.encode import encode
from pyside_logic.icc import icc_profile
from pyside_logic.output_options import OutputOptions
from tests.unit.pyside_logic.cut_outs import cut_out_of

from .app import ApiError, ApiResult, App, call_api, intersection_over_union, png, porthole

PHOTO = porthole(data.chelsea())


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the network."""
    return quick_server


@pytest.fixture(scope="module")
def app(lasting_app: App) -> App:
    return lasting_app


def cut(page: Page, method: str = "removeBackground", **output: Any) -> ApiResult:
    return call_api(page, method, png(PHOTO), options={"output": output})


def test_a_crop_shows_the_subject_and_its_margin(app: App) -> None:
    whole = np.asarray(cut(app.page).picture)
    expected = whole[visible_box(whole[..., 3], 7)]
    assert expected.size < whole.size / 2
    assert (expected[..., 3] > 12).sum() > 0.95 * (whole[..., 3] > 12).sum()
    result = cut(app.page, crop={"margin_px": 7})
    assert np.array_equal(np.asarray(result.picture), expected)
    assert (result.fields["height"], result.fields["width"]) == expected.shape[:2]
    assert result.fields["type"] == "image/png"
    alpha = cut(app.page, "segmentForeground", crop={"margin_px": 7})
    assert np.array_equal(np.asarray(alpha.picture), expected[..., 3])
    assert alpha.matte_hw is not None
    assert alpha.matte_hw.shape == (64, 64)


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


WITHOUT_NETWORK = """
async ({ photos, output }) => {
  const files = []
  for (const photo of photos) {
    const bytes = Uint8Array.from(atob(photo), (c) => c.charCodeAt(0))
    const matte = { data: new Float32Array(4096), height: 64, width: 64 }
    for (let at = 0; at < 4096; at++) matte.data[at] = at % 64 < 32 ? 1 : 0
    const open = await gossamer.openPhoto(new Blob([bytes]), { matte })
    await open.refine({ detail: 'none', decontaminate: false })
    const { blob } = await open.encode(output)
    open.close()
    const url = new FileReader()
    url.readAsDataURL(blob)
    await new Promise((resolve) => { url.onload = resolve })
    files.push(url.result)
  }
  return files
}
"""


@pytest.mark.parametrize("output", [{"type": "image/webp"}, {"type": "image/webp", "quality": 1}])
def test_the_browser_writes_nothing_of_what_was_removed(app: App, output: dict[str, Any]) -> None:
    """Whatever lay there, the file is the same, byte for byte."""
    one, other = np.array(data.chelsea()[:256, :256]), np.array(data.chelsea()[:256, :256])
    other[:, 192:] = 255 - other[:, 192:]
    photos = [base64.b64encode(png(photo)).decode() for photo in (one, other)]
    first, second = app.page.evaluate(WITHOUT_NETWORK, {"photos": photos, "output": output})
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(first.split(",")[1]))))
    assert (read[:, 192:, 3] == 0).all()
    assert (read[:, :64, 3] == 255).all()
    assert first == second


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


def test_where_the_browser_writes_no_webp_python_does(installing_page: Page, server: str) -> None:
    page = installing_page
    requests: list[str] = []
    page.context.on("request", lambda request: requests.append(request.url))
    app = App(page, server).open()
    rgba = np.asarray(cut(app.page).picture).astype(int)
    cut(app.page, type="image/webp")
    app.wait_until_offline_ready()
    assert not any("pillow" in url for url in requests)
    worker = next(worker for worker in app.page.workers if "/python-worker." in worker.url)
    worker.evaluate(  # as Safari does
        """() => {
          const write = OffscreenCanvas.prototype.convertToBlob
          OffscreenCanvas.prototype.convertToBlob = function () {
            return write.call(this, { type: 'image/png' })
          }
        }"""
    )
    fetched = []
    for _ in range(2):
        result = cut(app.page, type="image/webp", crop=False)
        assert result.picture.format == "WEBP"
        assert result.fields["type"] == "image/webp"
        read = np.asarray(result.picture).astype(int)
        assert np.array_equal(read[..., 3], rgba[..., 3])
        opaque = rgba[..., 3] == 255
        assert np.abs(read - rgba)[opaque].mean() < 3
        fetched.append([url for url in requests if "pillow-" in url])
    assert len(set(fetched[0])) == 1
    assert fetched[1] == fetched[0]
    page.context.set_offline(True)  # and the service worker has kept it
    kept = page.evaluate("(url) => fetch(url).then((response) => response.ok)", fetched[0][0])
    assert kept


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
    assert caught.value.fields["stage"] == ("model" if told == "sparkle" else "encode")
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
    Image.fromarray(PHOTO).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


DESCRIPTION, ARTIST, EXPOSED, SERIAL_NUMBER, GPS = 0x010E, 0x013B, 0x9003, 0xA431, 0x8825


def exif_of_a_camera() -> Image.Exif:
    exif = Image.Exif()
    exif[DESCRIPTION] = "a cat"
    exif[ARTIST] = "somebody"
    exif.get_ifd(0x8769).update({EXPOSED: "2026:01:02 03:04:05", SERIAL_NUMBER: "12345"})
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 29.0)})
    return exif


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
@pytest.mark.parametrize("metadata", ["keep", "all", "none"])
def test_metadata_goes_with_the_picture_and_places_only_when_asked(
    app: App, kind: str, metadata: str
) -> None:
    photo = jpeg(dpi=(300, 150), exif=exif_of_a_camera())
    output = {"type": kind, "metadata": metadata}
    written = call_api(app.page, "removeBackground", photo, options={"output": output}).picture
    exif = written.getexif()
    assert (exif.get(DESCRIPTION), exif.get(ARTIST)) == (
        (None, None) if metadata == "none" else ("a cat", "somebody")
    )
    details = exif.get_ifd(0x8769)
    assert (EXPOSED in details) == (metadata != "none")
    assert (SERIAL_NUMBER in details) == (metadata == "all")
    assert bool(exif.get_ifd(GPS)) == (metadata == "all")
    if kind == "image/png":
        assert written.info["dpi"] == pytest.approx((300, 150), abs=0.02)
    else:
        assert float(exif[0x011A]) == pytest.approx(300, abs=0.02)


def test_no_metadata_is_made_up(app: App) -> None:
    written = cut(app.page).picture
    assert not {"dpi", "exif", "icc_profile"} & set(written.info)


DISPLAY_P3 = icc_profile("display-p3")


def on_srgb(picture: Image.Image) -> np.ndarray:
    """The picture's pixels as a colour-managed viewer shows them on an sRGB screen."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    srgb = ImageCms.createProfile("sRGB")
    shown = ImageCms.profileToProfile(picture.convert("RGB"), profile, srgb)
    assert shown is not None
    return np.asarray(shown).astype(int)


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
@pytest.mark.parametrize("container", ["PNG", "JPEG", "WEBP"])
def test_colours_that_srgb_has_not_are_kept(app: App, container: str, kind: str) -> None:
    rgb = PHOTO.copy()
    rgb[110:190, 180:270] = (250, 20, 10)  # redder than sRGB's red
    buffer = io.BytesIO()
    lossless = {"lossless": True} if container == "WEBP" else {"quality": 100}
    Image.fromarray(rgb).save(buffer, container, icc_profile=DISPLAY_P3, **lossless)
    output = {"type": kind, "background": "#ff0000", "quality": 1}
    written = call_api(
        app.page, "removeBackground", buffer.getvalue(), options={"output": output}
    ).picture
    assert "Display P3" in ImageCms.getProfileName(io.BytesIO(written.info["icc_profile"]))
    plain = call_api(
        app.page, "removeBackground", buffer.getvalue(), options={"output": {}}
    ).picture
    pixels = np.asarray(plain).astype(int)
    opaque = pixels[..., 3] == 255
    decoded = np.asarray(Image.open(buffer).convert("RGB")).astype(int)
    assert np.abs(pixels[..., :3] - decoded)[opaque].max() <= 2
    # The background is the red of sRGB, which is not the greatest red of Display P3.
    behind = on_srgb(written)[pixels[..., 3] == 0]
    assert np.abs(np.median(behind, axis=0) - (255, 0, 0)).max() <= 3
    assert np.median(np.asarray(written.convert("RGB"))[pixels[..., 3] == 0], axis=0)[0] < 240


def test_a_photo_with_the_profile_of_srgb_leaves_with_one(app: App) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, "PNG", icc_profile=srgb)
    written = call_api(app.page, "removeBackground", buffer.getvalue()).picture
    assert "sRGB" in ImageCms.getProfileName(io.BytesIO(written.info["icc_profile"]))
    pixels = np.asarray(written)
    opaque = pixels[..., 3] == 255
    assert np.abs(pixels[..., :3].astype(int) - PHOTO)[opaque].max() <= 1


def test_alpha_in_sixteen_bits(app: App) -> None:
    eight = np.asarray(cut(app.page, "segmentForeground").picture)
    deep = cut(app.page, "segmentForeground", depth=16).picture
    assert deep.mode == "I;16"
    values = np.asarray(deep).astype(float)
    assert np.abs(values / 257 - eight).max() <= 0.51
    assert len(np.unique(values)) > 1000


WITH_BACKGROUND = """
async ([kind, background]) => {
  const pixels = new ImageData(300, 240)
  for (let y = 0; y < 240; y++) {
    for (let x = 0; x < 300; x++) {
      const inside = Math.hypot(y + 0.5 - 120, x + 0.5 - 150) < 80
      pixels.data.set(inside ? [240, 60, 30, 255] : [30, 60, 40, 255], 4 * (y * 300 + x))
    }
  }
  const canvas = new OffscreenCanvas(60, 60)
  const context = canvas.getContext('2d')
  context.fillStyle = '#3264c8'
  context.fillRect(0, 0, 60, 60)
  const picture = await canvas.convertToBlob()
  const behind = { blob: picture, bitmap: () => createImageBitmap(picture),
                   data: context.getImageData(0, 0, 60, 60), given: background }[kind]
  const wanted = typeof behind === 'function' ? await behind() : behind
  const { blob } = await window.gossamer.removeBackground(pixels, { background: wanted })
  const bitmap = await createImageBitmap(blob)
  const drawing = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
  drawing.drawImage(bitmap, 0, 0)
  return [Array.from(drawing.getImageData(4, 4, 1, 1).data),
          Array.from(drawing.getImageData(4, 235, 1, 1).data),
          Array.from(drawing.getImageData(150, 120, 1, 1).data)]
}
"""


@pytest.mark.parametrize(
    ("kind", "background", "above", "below"),
    [
        ("blob", None, (50, 100, 200), (50, 100, 200)),
        ("bitmap", None, (50, 100, 200), (50, 100, 200)),
        ("data", None, (50, 100, 200), (50, 100, 200)),
        ("given", "blur", (30, 60, 40), (30, 60, 40)),
        ("given", {"gradient": ["black", "white"]}, (5, 5, 5), (250, 250, 250)),
        ("given", "teal", (0, 128, 128), (0, 128, 128)),
    ],
)
def test_what_is_behind_the_subject(
    app: App, kind: str, background: Any, above: tuple[int, ...], below: tuple[int, ...]
) -> None:
    seen = app.page.evaluate(WITH_BACKGROUND, [kind, background])
    for received, expected in zip(seen, (above, below, (240, 60, 30)), strict=True):
        assert np.abs(np.array(received) - (*expected, 255)).max() <= 4


def test_a_background_that_is_no_picture_is_told_as_such(app: App) -> None:
    message = app.page.evaluate(
        """async () => {
          const pixels = new ImageData(64, 48)
          const background = new Blob(['no picture'])
          try { await window.gossamer.removeBackground(pixels, { background }) }
          catch (error) { return [error.code, error.message] }
        }"""
    )
    assert message[0] == "unsupported_format"
    assert message[1].startswith("The background")


@pytest.mark.parametrize(
    ("preset", "size"),
    [
        ("product", (2000, 2000)),
        ("id-photo", (413, 531)),
        ("avatar", (1024, 1024)),
        ("sticker", None),
    ],
)
def test_presets(app: App, preset: str, size: tuple[int, int] | None) -> None:
    result = cut(app.page, preset=preset)
    assert result.picture.size == size or size is None
    assert result.picture.mode == ("RGBA" if preset in ("avatar", "sticker") else "RGB")
    assert (result.fields["width"], result.fields["height"]) == result.picture.size
    if preset == "id-photo":
        assert result.picture.info["dpi"] == pytest.approx((300, 300), abs=0.02)


def test_resolution_is_turned_with_the_photo(app: App) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is on the right
    photo = jpeg(dpi=(300, 150), exif=exif)
    written = call_api(app.page, "removeBackground", photo).picture
    assert written.size == (300, 451)
    assert written.info["dpi"] == pytest.approx((150, 300), abs=0.02)


READ_BACK = """
async ([content, type]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes], { type }))
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
  context.drawImage(bitmap, 0, 0)
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
  return { size: [bitmap.height, bitmap.width], data: Array.from(data) }
}
"""


def read_by_the_browser(page: Page, content: bytes, kind: str) -> np.ndarray:
    answer = page.evaluate(READ_BACK, [base64.b64encode(content).decode(), kind])
    return np.array(answer["data"], np.uint8).reshape(*answer["size"], 4)


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
@pytest.mark.parametrize("size", [(1, 1), (1, 67), (43, 1), (37, 23)])
def test_the_browser_reads_every_pixel_of_our_files(
    app: App, kind: str, size: tuple[int, int]
) -> None:
    rgba = np.random.default_rng(7).integers(0, 256, (*size, 4), np.uint8)
    rgba[..., 3] = np.where(rgba[..., 3] < 60, 0, np.where(rgba[..., 3] > 150, 255, rgba[..., 3]))
    cutout = cut_out_of(rgba)
    file = encode(cutout, OutputOptions(type=kind, quality=1), "cutout")
    read = read_by_the_browser(app.page, file.data, kind)
    assert np.array_equal(read[..., 3], rgba[..., 3])
    opaque = rgba[..., 3] == 255  # a canvas premultiplies the others
    assert np.array_equal(read[opaque], rgba[opaque])
    grey = encode(cutout, OutputOptions(type=kind, quality=1), "alpha")
    assert np.array_equal(read_by_the_browser(app.page, grey.data, kind)[..., 0], rgba[..., 3])
    if kind == "image/png":
        deep = rgba[..., 3].astype(np.uint16) * 256 + 100
        cutout.precise_alpha_hw = deep
        file = encode(cutout, OutputOptions(depth=16), "alpha")
        read = read_by_the_browser(app.page, file.data, kind)
        assert np.abs(read[..., 0] - deep / 257).max() <= 1
