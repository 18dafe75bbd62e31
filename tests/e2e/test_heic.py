"""Photos as phones write them, and the library that only they need."""

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from skimage import data

from pyside_logic.icc import icc_profile

from .app import ApiError, App, call_api, in_base64, png, porthole

MAKE, GPS = 0x010F, 0x8825


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the network."""
    return quick_server


def heic(rgb_hwc: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(rgb_hwc)).save(buffer, quality=90, **options)
    return buffer.getvalue()


def fetched(app: App) -> bool:
    urls = app.page.evaluate(
        "new Promise((resolve) => window.gossamer.onRequests(resolve))"
        ".then((requests) => requests.map(({ url }) => url))"
    )
    return any("libheif" in url for url in urls)


def test_a_heic_photo_is_cut_out_and_only_it_fetches_the_library(app: App) -> None:
    content = heic(porthole(data.chelsea()))
    # The same pixels, as another decoder reads them.
    decoded = np.asarray(pillow_heif.open_heif(content).to_pillow())
    expected = call_api(app.page, "removeBackground", png(decoded)).picture
    assert not fetched(app)
    cutout = call_api(app.page, "removeBackground", content, name="IMG_2041.HEIC").picture
    assert fetched(app)
    assert cutout.size == (451, 300)
    rgba, wanted = (np.asarray(picture).astype(int) for picture in (cutout, expected))
    assert np.abs(rgba[..., 3] - wanted[..., 3]).mean() < 1
    opaque = (rgba[..., 3] == 255) & (wanted[..., 3] == 255)
    assert opaque.sum() > 10_000
    assert np.abs(rgba[opaque] - wanted[opaque])[:, :3].mean() < 1


def test_its_colours_and_who_took_it_go_along(lasting_app: App) -> None:
    """As telephones write them: in Display P3. Where the camera was stays out."""
    profile = icc_profile("display-p3")
    exif = Image.Exif()
    exif[MAKE] = "Maker"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 29.0)})
    content = heic(porthole(data.chelsea()), icc_profile=profile, exif=exif.tobytes())
    cutout = call_api(lasting_app.page, "removeBackground", content, name="IMG_2042.HEIC").picture
    assert cutout.info["icc_profile"] == profile
    assert cutout.getexif().get(MAKE) == "Maker"
    assert not cutout.getexif().get_ifd(GPS)
    # In the colours of that profile, numbers are as they were stored.
    decoded = np.asarray(pillow_heif.open_heif(content).to_pillow()).astype(int)
    rgba = np.asarray(cutout).astype(int)
    opaque = rgba[..., 3] == 255
    assert opaque.sum() > 10_000
    assert np.abs(rgba[..., :3] - decoded)[opaque].mean() < 1


@pytest.mark.soak
def test_who_has_opened_one_can_open_the_next_without_a_network(installing_app: App) -> None:
    app = installing_app
    app.wait_until_offline_ready()
    app.open()  # now the service worker answers
    small = heic(data.chelsea()[::2, ::2])
    call_api(app.page, "removeBackground", small, name="first.heic")
    app.page.context.set_offline(True)
    app.open()
    assert call_api(app.page, "removeBackground", small, name="next.heic").picture.size == (
        226,
        150,
    )
    app.page.context.set_offline(False)


@pytest.mark.soak
def test_the_page_shows_what_it_cut_out_of_one(app: App, tmp_path: Path) -> None:
    photo = tmp_path / "IMG_2041.heic"
    photo.write_bytes(heic(data.chelsea()))
    app.add(photo)
    app.wait_for_states("done")
    expect(app.part("cutout")).to_be_visible()
    box = app.part("cutout").bounding_box()
    assert box
    assert abs(box["width"] / box["height"] - 451 / 300) < 0.01
    name, picture = app.save()
    assert (name, picture.size) == ("IMG_2041-cutout.png", (451, 300))


def test_a_turned_heic_photo_comes_out_upright(lasting_app: App) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.rot90(data.chelsea()).copy()
    content = heic(stored, exif=exif.tobytes())
    assert pillow_heif.open_heif(content).size == (451, 300)
    cutout = call_api(lasting_app.page, "removeBackground", content, name="turned.heic").picture
    assert cutout.size == (451, 300)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda content: content[: len(content) // 2], "truncated_image"),
        (lambda content: content[:32] + bytes(300) + content[332:], "corrupt_image"),
    ],
    ids=["cut off", "overwritten"],
)
def test_a_damaged_heic_file_is_named(lasting_app: App, damage: object, code: str) -> None:
    assert callable(damage)
    with pytest.raises(ApiError) as caught:
        call_api(
            lasting_app.page, "removeBackground", damage(heic(data.chelsea())), name="IMG_7.heic"
        )
    assert caught.value.fields["code"] == code
    assert "IMG_7.heic" in caught.value.fields["message"]
    assert call_api(lasting_app.page, "removeBackground", png(data.chelsea())).picture.size == (
        451,
        300,
    )


@pytest.mark.parametrize("part", ["libheif*", "heif.*.js"], ids=["library", "module"])
def test_a_reader_that_does_not_come_is_not_the_files_fault(app: App, part: str) -> None:
    small = heic(data.chelsea()[::2, ::2])
    app.page.context.route(f"**/{part}", lambda route: route.abort())
    with pytest.raises(ApiError) as caught:
        call_api(app.page, "removeBackground", small, name="IMG_8.heic")
    assert caught.value.fields["code"] == "model_unavailable"
    assert "reload the page" in caught.value.fields["message"]  # an update may have replaced it
    app.page.context.unroute(f"**/{part}")
    assert call_api(app.page, "removeBackground", small).picture.size == (226, 150)


# In the page, where the library's memory can be seen.
DECODE_OFTEN = """
async ([url, bytes]) => {
  const memories = []
  WebAssembly.Instance = class extends WebAssembly.Instance {
    constructor(...given) {
      super(...given)
      const parts = Object.values(this.exports)
      memories.push(...parts.filter((one) => one instanceof WebAssembly.Memory))
    }
  }
  const { decodeHeif } = await import(url)
  const file = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))])
  const sizes = []
  for (let count = 0; count < 10; count++) {
    ;(await decodeHeif(file, 'photo', () => {})).close()
    sizes.push(memories[0].buffer.byteLength)
  }
  return sizes
}
"""


def test_what_a_heic_photo_took_comes_back(page: Page, server: str, quick_site_dir: Path) -> None:
    (module,) = (quick_site_dir / "js" / "pipeline").glob("heif.*.js")
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    page.goto(f"{server}licences.txt")  # where no app starts anything
    url = f"{server}js/pipeline/{module.name}"
    sizes = page.evaluate(DECODE_OFTEN, [url, in_base64(heic(noise))])
    assert sizes[-1] == sizes[1]


WATCH_ZOOM = """
() => {
  const bar = document.querySelector('gossamer-zoom-bar')
  window.zooms = new Set([bar.textContent])
  new MutationObserver(() => zooms.add(bar.textContent)).observe(bar, {
    subtree: true, childList: true, characterData: true,
  })
}
"""


@pytest.mark.soak
def test_edges_and_brushes_know_its_size_though_no_browser_does(app: App, tmp_path: Path) -> None:
    """A preview is smaller than the photo: what is painted on it is meant for the photo."""
    photo = tmp_path / "IMG_2041.heic"
    large = Image.fromarray(data.astronaut()).resize((3000, 3000))
    photo.write_bytes(heic(np.asarray(large)))
    app.add(photo)
    app.wait_for_states("done")
    app.page.evaluate(WATCH_ZOOM)
    app.part("feather").get_by_role("slider").fill("6")
    app.save()
    assert app.page.evaluate("zooms.size") == 1
    app.part("brush").get_by_label("Remove", exact=True).check(force=True)
    app.part("feather").get_by_role("slider").fill("7")
    box = app.page.locator(".frame").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    app.page.mouse.move(x, y)
    app.page.mouse.down()
    app.page.mouse.move(x + 2, y)
    app.page.mouse.up()
    assert np.asarray(app.save()[1])[1500, 1500, 3] == 0
