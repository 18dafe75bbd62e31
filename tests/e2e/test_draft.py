"""A first look at a photo, at half the network's size, before all of it runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page
from skimage import data

from .app import App, in_base64, png
from .journeys import DRAWN_PX
from .test_workers import DIE_AT, worker_named

pytestmark = pytest.mark.soak  # only sites in int8 draw drafts

# Opens a photo for a draft, and once more for none.
OPEN_TWICE = """
async (bytes) => {
  const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'photo.png')
  const drafts = []
  const cut = async (options) => {
    const open = await gossamer.openPhoto(file, options)
    await open.refine({})
    const { blob } = await open.encode()
    open.close()
    return { open, ...open.matte, bytes: [...new Uint8Array(await blob.arrayBuffer())].join() }
  }
  const onDraft = async (open) => {
    const { data, height } = open.matte
    const preview = await open.preview({ detail: 'none', decontaminate: false }, 100)
    drafts.push({ open, data, height, width_px: preview.width })
    preview.close()
  }
  const seen = (data) => Array.from(data, (value) => (value > 0.5 ? 1 : 0)).join('')
  const drafted = await cut({ onDraft })
  const plain = await cut({})
  return {
    drafts: drafts.map(({ open, data, height, width_px }) =>
      ({ height, width_px, seen: seen(data), isSame: open === drafted.open })),
    height: drafted.height,
    seen: seen(drafted.data),
    isSameFile: drafted.bytes === plain.bytes,
  }
}
"""


@pytest.fixture(scope="module")
def drafting_app(lasting_page: Page, int8_server: str) -> App:
    app = App(lasting_page, int8_server).open()
    app.page.evaluate("gossamer.preload()")
    app.page.evaluate("gossamer.preloadDraft()")
    return app


def open_twice(app: App, rgb_hwc: np.ndarray) -> Any:
    return app.page.evaluate(OPEN_TWICE, in_base64(png(rgb_hwc)))


def test_a_draft_is_the_same_subject_and_changes_nothing_after_it(drafting_app: App) -> None:
    answer = open_twice(drafting_app, data.astronaut())
    (draft,) = answer["drafts"]
    assert draft["isSame"]
    assert (draft["height"], draft["width_px"], answer["height"]) == (160, 100, 320)
    small_hw = np.array(list(draft["seen"])).reshape(160, 160) == "1"
    whole_hw = np.array(list(answer["seen"])).reshape(320, 320)[::2, ::2] == "1"
    assert (small_hw & whole_hw).sum() > 0.9 * (small_hw | whole_hw).sum()
    assert answer["isSameFile"]


def test_a_draft_that_found_no_subject_is_not_shown(drafting_app: App) -> None:
    assert open_twice(drafting_app, data.rocket())["drafts"] == []


def test_a_photo_outlives_the_worker_that_holds_its_draft(drafting_app: App) -> None:
    worker_named(drafting_app, "python").evaluate(DIE_AT, "preview")
    answer = open_twice(drafting_app, data.astronaut())
    assert answer["drafts"][-1]["isSame"]
    assert answer["height"] == 320
    assert answer["isSameFile"]


def test_the_app_shows_a_large_photo_as_a_draft_and_small_and_then_whole(
    drafting_app: App, tmp_path: Path
) -> None:
    drafting_app.page.evaluate(DRAWN_PX)
    large = Image.fromarray(data.coffee()).resize((4200, 2800))
    large.save(tmp_path / "large.jpg")
    drafting_app.add(tmp_path / "large.jpg")
    drafting_app.wait_for_states("done")
    draft, small, whole = drafting_app.page.evaluate("drawnPx")
    assert draft == small <= 1000
    assert whole == 4200
