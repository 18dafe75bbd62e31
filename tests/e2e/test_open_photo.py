"""A photo that stays open: other edges, a quick preview and strokes, without another matte."""

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page
from skimage import data

from .app import App, call_api, in_base64, png, porthole


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    """Nothing here looks at the network."""
    return quick_server


SETUP = """
async ([bytes, body, given]) => {
  const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'photo.png')
  const toText = async (blob) => {
    const read = new Uint8Array(await blob.arrayBuffer())
    let text = ''
    for (let at = 0; at < read.length; at += 1e4) {
      text += String.fromCharCode(...read.subarray(at, at + 1e4))
    }
    return btoa(text)
  }
  const stages = []
  const onProgress = ({ stage }) => stages.includes(stage) || stages.push(stage)
  const api = window.gossamer
  return RUNS[body]({ api, file, toText, stages, onProgress, given })
}
"""

RUNS = """
const RUNS = {
  edges: async ({ api, file, toText, stages, onProgress, given }) => {
    const photo = await api.openPhoto(file, { onProgress })
    const files = []
    for (const options of given) {
      await photo.refine(options)
      files.push(await toText((await photo.encode()).blob))
    }
    const { height, width, model, backend } = photo
    photo.close()
    const again = await api.openPhoto(file, { matte: photo.matte, onProgress: (report) => {
      if (report.stage === 'infer' || report.stage === 'model') throw new Error(report.stage)
    } })
    await again.refine(given[0])
    files.push(await toText((await again.encode()).blob))
    again.close()
    return { files, stages, height, width, model, backend }
  },
  unrefined: async ({ api, file, toText, given }) => {
    const photo = await api.openPhoto(file)
    const text = async () => toText((await photo.encode()).blob)
    const files = [await text()]
    await photo.refine({})
    files.push(await text())
    await photo.touchUp(given)
    files.push(await text())
    await photo.refine({})
    files.push(await text())
    const refining = photo.refine({ contract_px: 9 })
    const atOnce = text() // nobody has awaited what it is to show
    await refining
    files.push(await atOnce, await text())
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const { signal } = controller
    await photo.refine({ contract_px: -32 }, { signal, onProgress }).catch(() => {})
    files.push(await text())
    photo.close()
    return files
  },
  preview: async ({ api, file, toText, given }) => {
    const photo = await api.openPhoto(file)
    await photo.refine({})
    const before = await toText((await photo.encode()).blob)
    const preview = await photo.preview(given, 200)
    const canvas = new OffscreenCanvas(preview.width, preview.height)
    canvas.getContext('2d').drawImage(preview, 0, 0)
    preview.close()
    const after = await toText((await photo.encode()).blob)
    await photo.refine(given)
    const refined = await toText((await photo.encode()).blob)
    photo.close()
    return { same: before === after, refined, preview: await toText(await canvas.convertToBlob()) }
  },
  previewFile: async ({ api, file, toText, given }) => {
    const photo = await api.openPhoto(file)
    const backdrop = new OffscreenCanvas(300, 300)
    const context = backdrop.getContext('2d')
    context.fillStyle = 'rgb(10 200 30)'
    context.fillRect(0, 0, 300, 300)
    const wall = await backdrop.convertToBlob()
    const seen = []
    for (const { picture, ...output } of given) {
      const options = picture ? { ...output, background: wall } : output
      for (let time = 0; time < 2; time++) {
        const { preview, height, width } = await photo.previewFile({}, options, 500)
        const canvas = new OffscreenCanvas(preview.width, preview.height)
        canvas.getContext('2d').drawImage(preview, 0, 0)
        preview.close()
        seen.push([await toText(await canvas.convertToBlob()), height, width])
      }
    }
    const codeOf = (promise) => promise.then(() => 'done', (error) => error.code ?? error)
    const text = new File(['no picture'], 'wall.jpg')
    const codes = [
      await codeOf(photo.previewFile({}, { preset: 'poster' }, 100)),
      await codeOf(photo.previewFile({ sparkle: 1 }, {}, 100)),
      await codeOf(photo.previewFile({}, { background: text }, 100)),
    ]
    photo.close()
    return { seen, codes }
  },
  errors: async ({ api, file }) => {
    const codeOf = (promise) => promise.then(() => 'done', (error) => error.code ?? error)
    const photo = await api.openPhoto(file)
    const codes = [
      await codeOf(photo.refine({ sparkle: 1 })),
      await codeOf(photo.preview({ feather_px: -1 }, 100)),
      await codeOf(photo.touchUp([{ keep: true, radius: 3, hardness: 1, points: [] }])),
      await codeOf(photo.encode({ type: 'image/tiff' })),
      await codeOf(photo.refine({}).then(() => photo.encode())),
    ]
    photo.close()
    photo.close()
    const calls = [
      photo.encode(),
      photo.refine(),
      photo.preview({}, 100),
      photo.previewFile({}, {}, 100),
      photo.subjects(),
      photo.touchUp([]),
      photo.askSpecialists(),
    ]
    const told = (error) => `${error.code}: ${error.message}`
    const closed = await Promise.all(calls.map((call) => call.then(() => 'done', told)))
    return { codes, closed }
  },
  keyed: async ({ api, file, toText }) => {
    const options = { chromaKey: 'auto' }
    const photo = await api.openPhoto(file, options)
    await photo.refine()
    const opened = await toText((await photo.encode()).blob)
    photo.close()
    return [opened, await toText((await api.removeBackground(file, options)).blob)]
  },
  abort: async ({ api, file, toText }) => {
    const photo = await api.openPhoto(file)
    await photo.refine({ contract_px: 2 })
    const expected = await toText((await photo.encode()).blob)
    const controller = new AbortController()
    const onProgress = () => controller.abort('enough')
    const slow = photo.refine({ contract_px: -32 }, { signal: controller.signal, onProgress })
    const reason = await slow.then(() => 'done', (error) => error)
    await photo.refine({ contract_px: 2 })
    const { blob } = await photo.encode()
    photo.close()
    return [reason, (await toText(blob)) === expected]
  },
}
"""


def run(page: Page, body: str, given: Any = None, rgb_hwc: np.ndarray | None = None) -> Any:
    picture = data.chelsea() if rgb_hwc is None else rgb_hwc
    function = SETUP.replace("const api =", RUNS + "\nconst api =")
    return page.evaluate(function, [in_base64(png(picture)), body, given])


def rgba(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGBA"))


@pytest.mark.soak
def test_other_edges_are_those_of_a_fresh_start(lasting_app: App) -> None:
    options: list[dict[str, Any]] = [{"feather_px": 4}, {"contract_px": 5}, {}]
    answer = run(lasting_app.page, "edges", options)
    for text, refine in zip(answer["files"], [*options, options[0]], strict=True):
        fresh = call_api(
            lasting_app.page, "removeBackground", png(data.chelsea()), options={"refine": refine}
        )
        assert np.array_equal(rgba(text), np.asarray(fresh.picture))
    assert [stage for stage in answer["stages"] if stage != "model"] == [
        "decode",
        "preprocess",
        "infer",
        "refine",
    ]
    assert (answer["height"], answer["width"]) == (300, 451)
    assert (answer["model"], answer["backend"]) == ("u2netp", "wasm")


def test_a_file_is_of_the_matte_as_it_is_though_nobody_has_refined_it(lasting_app: App) -> None:
    stroke = {"keep": False, "radius": 60, "hardness": 1, "points": [500, 400]}
    photo = np.asarray(Image.fromarray(data.chelsea()).resize((1200, 800)))
    files = run(lasting_app.page, "unrefined", [stroke], photo)
    at_once, refined, touched, touched_refined, not_awaited, moved, after_an_abort = files
    assert at_once == refined != touched == touched_refined
    assert touched_refined != moved == not_awaited == after_an_abort


def test_a_preview_shows_what_refine_will_make_and_changes_nothing(lasting_app: App) -> None:
    photo = np.asarray(Image.fromarray(porthole(data.chelsea())).resize((600, 600)))
    answer = run(lasting_app.page, "preview", {"feather_px": 10, "contract_px": 10}, photo)
    assert answer["same"]
    preview = rgba(answer["preview"]).astype(float)
    assert preview.shape == (200, 200, 4)
    small = rgba(answer["refined"]).reshape(200, 3, 200, 3, 4).mean(axis=(1, 3))
    assert np.abs(preview - small)[..., 3].mean() < 3
    opaque = (preview[..., 3] == 255) & (small[..., 3] == 255)
    assert np.abs(preview - small)[opaque].mean() < 3


def test_a_preview_of_the_file_shows_what_encode_will_write(lasting_app: App) -> None:
    photo = np.asarray(Image.fromarray(porthole(data.chelsea())).resize((600, 600)))
    given = [{"preset": "product"}, {"picture": True}]
    answer = run(lasting_app.page, "previewFile", given, photo)
    product, again, wall, wall_again = (rgba(text) for text, _, _ in answer["seen"])
    assert [size for _, *size in answer["seen"]] == [[2000, 2000]] * 2 + [[600, 600]] * 2
    assert product.shape == wall.shape == (500, 500, 4)
    assert np.array_equal(product, again)
    assert np.array_equal(wall, wall_again)  # of a backdrop that was kept
    assert product[2, 2].tolist() == [255, 255, 255, 255]
    assert np.abs(wall[2, 2].astype(int) - [10, 200, 30, 255]).max() <= 1
    expected = call_api(
        lasting_app.page, "removeBackground", png(photo), options={"output": given[0]}
    ).picture.convert("RGBA")
    small = np.asarray(expected).reshape(500, 4, 500, 4, 4).mean(axis=(1, 3))
    assert np.abs(product - small).mean() < 4
    assert answer["codes"] == ["invalid_argument", "invalid_argument", "unsupported_format"]


def test_an_open_photo_before_a_plain_backdrop_has_the_edges_of_one_that_is_cut_out(
    lasting_app: App,
) -> None:
    y, x = np.mgrid[:300, :400]
    alpha = np.clip((100 - np.hypot(y - 150, x - 200)) / 8 + 0.5, 0, 1)[..., None]
    mixed = alpha * [180, 40, 160] + (1 - alpha) * [20, 200, 60]
    opened, cut_out = run(lasting_app.page, "keyed", None, mixed.round().astype(np.uint8))
    assert opened == cut_out


def test_what_is_wrong_is_told_and_the_photo_stays_open(lasting_app: App) -> None:
    answer = run(lasting_app.page, "errors")
    assert answer["codes"] == [*["invalid_argument"] * 4, "done"]
    assert (
        answer["closed"] == ["invalid_argument: Expected an open photo: this photo was closed."] * 7
    )


@pytest.mark.timeout(120)
def test_a_refinement_that_nobody_waits_for_ends(lasting_app: App) -> None:
    photo = np.asarray(Image.fromarray(data.chelsea()).resize((1200, 800)))
    assert run(lasting_app.page, "abort", None, photo) == ["enough", True]
