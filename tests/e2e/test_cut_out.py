"""A photo dropped on the page comes back cut out, by the real network."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect
from skimage import data

from exporter.catalog import find_network
from exporter.confidence import SURE
from exporter.finder import Finder, FindSettings
from exporter.native import NativeNetwork, cut_out, look_again, parse_refinement
from exporter.origins import fetch
from exporter.pictures import read_photo_bytes

from .app import ApiError, App, call_api, intersection_over_union, png, unique
from .reference import reference_alpha, reference_matte

PHOTOS = ["astronaut", "chelsea", "coffee", "rocket"]
# The published network looks once. It loses a part of the cat alone, which a wider look finds.
AS_PUBLISHED = {"chelsea": {"widerLook": False}}


def photo_named(name: str) -> Image.Image:
    return Image.fromarray(getattr(data, name)())


@pytest.mark.parametrize("name", PHOTOS)
def test_matte_equals_native_onnxruntime_on_the_same_input(lasting_app: App, name: str) -> None:
    # A photo of the network's own size is not resized: both sides get the same input.
    photo = photo_named(name).resize((320, 320), Image.Resampling.LANCZOS)
    options = AS_PUBLISHED.get(name, {})
    result = call_api(
        lasting_app.page, "segmentForeground", png(np.asarray(photo)), options=options
    )
    assert result.matte_hw is not None
    assert np.abs(result.matte_hw - reference_matte(photo)).mean() <= 1 / 255
    assert result.fields["width"] == result.fields["height"] == 320


@pytest.mark.parametrize("name", PHOTOS)
def test_alpha_equals_a_native_reference_end_to_end(lasting_app: App, name: str) -> None:
    photo = photo_named(name)
    options = AS_PUBLISHED.get(name, {})
    cutout = call_api(
        lasting_app.page, "removeBackground", png(np.asarray(photo)), options=options
    ).picture
    assert cutout.mode == "RGBA"
    assert cutout.size == photo.size
    rgba = np.asarray(cutout)
    alpha, expected = rgba[..., 3] / 255, reference_alpha(photo)
    assert np.abs(alpha - expected).mean() <= 4 / 255
    assert intersection_over_union(alpha, expected) >= 0.98
    opaque = rgba[..., 3] == 255
    assert opaque.any()
    assert np.array_equal(rgba[opaque][:, :3], np.asarray(photo)[opaque])


def test_it_is_as_sure_of_a_subject_as_native_onnxruntime_is(lasting_app: App) -> None:
    find = Finder(FindSettings(), threads=2)
    told = {}
    for name in ("astronaut", "chelsea", "gravel"):
        picture = (
            data.gravel()[..., None].repeat(3, 2)
            if name == "gravel"
            else np.asarray(photo_named(name))
        )
        result = call_api(lasting_app.page, "segmentForeground", png(picture))
        told[name] = result.fields["confidence"]
        expected = find(picture).confidence
        assert expected is not None
        assert abs(told[name] - expected) < 0.02
    assert told["gravel"] < 0.2 < SURE < min(told["astronaut"], told["chelsea"])


def test_a_person_drops_a_photo_and_saves_the_cut_out(emptied_app: App, tmp_path: Path) -> None:
    app = emptied_app
    photo = photo_named("astronaut")
    file = tmp_path / "my astronaut.png"
    photo.save(file)
    app.add(file)
    expect(app.part("original")).to_be_visible()
    app.wait_for_states("done")
    expect(app.part("cutout")).to_be_visible()
    said = app.page.locator("gossamer-app > p[role=status]")
    expect(said).to_have_text("The cut-out of my astronaut.png is ready")
    name, saved = app.save()
    assert name == "my astronaut-cutout.png"
    assert saved.size == photo.size
    alpha = np.asarray(saved)[..., 3] / 255
    assert intersection_over_union(alpha, reference_alpha(photo)) >= 0.98


def test_the_film_strip_keeps_a_photos_shape(emptied_app: App, tmp_path: Path) -> None:
    app = emptied_app
    file = tmp_path / "tall.png"
    photo_named("astronaut").crop((150, 0, 350, 500)).save(file)
    app.add(file)
    app.wait_for_states("done")
    thumbnail = app.part("photo").locator("canvas.checkerboard")
    expect(thumbnail).to_be_visible()
    width, height = thumbnail.evaluate("({ width, height }) => [width, height]")
    assert abs(width / height - 200 / 500) < 0.01


def test_progress_and_timings_name_every_stage(lasting_app: App) -> None:
    result = call_api(lasting_app.page, "removeBackground", png(data.coffee()))
    stages = [stage for stage in unique(result.fields["stages"]) if stage != "model"]
    assert stages == ["decode", "preprocess", "infer", "refine", "encode"]
    timings = result.fields["timings"]
    assert all(timings[f"{stage}_ms"] > 0 for stage in stages)
    assert sum(timings[f"{stage}_ms"] for stage in stages) <= timings["total_ms"] + 1
    assert (result.fields["model"], result.fields["backend"]) == ("u2netp", "wasm")


def test_a_second_look_is_the_one_of_the_native_toolchain(lasting_app: App) -> None:
    """A subject that fills a small part of the photo: the rocket, small on a plain picture."""
    rgb_hwc = np.full((600, 900, 3), data.rocket()[0, 0], np.uint8)
    rgb_hwc[200:414, 300:620] = data.rocket()[::2, ::2]
    options = {"refine": {"detail": "none"}}
    first = call_api(lasting_app.page, "removeBackground", png(rgb_hwc), options=options)
    second = call_api(
        lasting_app.page, "removeBackground", png(rgb_hwc), options={**options, "secondLook": True}
    )
    network = find_network("u2netp")
    native = NativeNetwork(network, fetch(network.part), threads=2)
    rgba_hwc = np.dstack([rgb_hwc, np.full((600, 900), 255, np.uint8)])
    matte_hw = look_again(native, rgba_hwc, native.matte(rgba_hwc))
    expected = cut_out(rgba_hwc, matte_hw, parse_refinement('{"detail": "none"}'))[..., 3]
    alphas = [np.asarray(result.picture)[..., 3].astype(int) for result in (first, second)]
    assert np.abs(alphas[1] - expected).mean() < 0.25 * np.abs(alphas[0] - expected).mean()
    assert np.abs(alphas[1] - expected).mean() < 0.2


def test_a_plain_backdrop_needs_no_network(lasting_app: App) -> None:
    """The coffee cup on a green table of our own: alpha is known."""
    y, x = np.mgrid[:400, :600]
    alpha = np.clip((150 - np.hypot(y - 200, x - 300)) / 2 + 0.5, 0, 1)[..., None]
    mixed = alpha * (data.coffee() * [1, 0.5, 1]) + (1 - alpha) * np.array([20, 200, 60])
    photo = png(mixed.round().astype(np.uint8))
    for key in ("auto", "#14c83c"):
        result = call_api(lasting_app.page, "removeBackground", photo, options={"chromaKey": key})
        assert result.fields["model"] == "chroma-key"
        assert unique(result.fields["stages"]) == ["decode", "infer", "refine", "encode"]
        found = np.asarray(result.picture)[..., 3] / 255
        assert np.abs(found - alpha[..., 0]).mean() < 0.01
    with pytest.raises(ApiError) as caught:
        call_api(lasting_app.page, "removeBackground", photo, options={"chromaKey": "greenish"})
    assert caught.value.fields["code"] == "invalid_argument"


@pytest.mark.parametrize("kind", ["ImageData", "ImageBitmap"])
def test_pixels_as_a_source(lasting_app: App, kind: str) -> None:
    size = lasting_app.page.evaluate(
        """async (kind) => {
          const pixels = new ImageData(64, 48)
          pixels.data.fill(200)
          for (let i = 0; i < 1000; i++) pixels.data[4 * (1500 + i)] = 10
          const source = kind === 'ImageData' ? pixels : await createImageBitmap(pixels)
          const { width, height, blob } = await window.gossamer.removeBackground(source)
          return [width, height, blob.type]
        }""",
        kind,
    )
    assert size == [64, 48, "image/png"]


def test_an_address_as_a_source(lasting_app: App) -> None:
    codes = lasting_app.page.evaluate(
        """() => Promise.all(['icon.svg', 'nothing-here.jpg'].map((path) =>
          window.gossamer.removeBackground(new URL(path, location.href))
            .then(() => 'done', ({ code }) => code)))"""
    )
    assert codes == ["unsupported_format", "invalid_argument"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(lasting_app: App, orientation: int) -> None:
    upright = photo_named("chelsea").resize((226, 150))
    undo = {  # what a camera does to the sensor's picture, so that the tag means upright
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=95, exif=exif)
    cutout = call_api(
        lasting_app.page, "removeBackground", buffer.getvalue(), name="cat.jpg"
    ).picture
    assert cutout.size == upright.size
    rgba = np.asarray(cutout).astype(int)
    opaque = rgba[..., 3] == 255
    assert opaque.sum() > 1000
    difference = np.abs(rgba[..., :3] - np.asarray(upright))[opaque]
    assert difference.mean() < 6  # JPEG's own loss; a wrong orientation gives over 30


XMP = b'<rdf:Description tiff:Orientation="6"/>'


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("told", ["exif", "xmp"])
def test_the_toolchain_turns_what_chromium_turns(lasting_app: App, kind: str, told: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, Any] = {"exif": exif} if told == "exif" else {"xmp": XMP}
    if kind == "PNG" and told == "xmp":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, kind, **options)
    size = lasting_app.page.evaluate(
        """async (bytes) => {
          const { height, width } = await createImageBitmap(new Blob([new Uint8Array(bytes)]))
          return [height, width]
        }""",
        list(buffer.getvalue()),
    )
    assert size == list(read_photo_bytes(told, buffer.getvalue(), b"").rgba_hwc.shape[:2])
