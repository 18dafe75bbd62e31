"""The page as a person uses it, and its API as a script uses it."""

import base64
import contextlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, BrowserType, Error, Locator, Page, expect

from exporter.chromium import chromium_arguments, find_chromium

#: Python start, engine start and a first run on two cores, with room for a slow machine.
SLOW_MS = 120_000


def wait_until(page: Page, expression: str) -> None:
    """Waits until `expression` is true in `page`, across reloads.

    Playwright's own way polls inside the page with eval, which the site's policy forbids.
    """
    deadline_s = time.monotonic() + SLOW_MS / 1000
    while time.monotonic() < deadline_s:
        with contextlib.suppress(Error):  # the page is being replaced
            if page.evaluate(expression):
                return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {expression}")


# A narrow window shows the button on the photo that is looked at alone.
REMOVE_ALL = """
for (const photo of document.querySelectorAll('[data-testid=photo]')) {
  photo.querySelector('button:last-of-type').click()
}
"""


class App:
    """Drives the page through what a person sees."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self) -> "App":
        self.page.goto(self.url)
        wait_until(self.page, "Boolean(window.gossamer)")
        return self

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def add(self, *files: Path) -> None:
        self.part("file-input").set_input_files([str(file) for file in files])

    def remove_photos(self) -> None:
        self.page.evaluate(REMOVE_ALL)

    def wait_for_states(self, *states: str) -> None:
        """Waits until the film strip's photos are in these states, in order."""
        photos = self.part("photo")
        expect(photos).to_have_count(len(states), timeout=SLOW_MS)
        for index, state in enumerate(states):
            expect(photos.nth(index)).to_have_attribute("data-state", state, timeout=SLOW_MS)

    def wait_until_offline_ready(self) -> None:
        expect(self.part("offline-state")).to_be_visible(timeout=SLOW_MS)

    def save(self) -> tuple[str, Image.Image]:
        """Presses the save button: the file's name and picture."""
        with self.page.expect_download(timeout=SLOW_MS) as download:
            self.part("save").click()
        picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
        return download.value.suggested_filename, picture


def refusing_storage(chromium: BrowserType, folder: Path) -> BrowserContext:
    """Chromium as a person sets it to block the data of all sites; its profile lies in `folder`."""
    (folder / "Default").mkdir(parents=True)
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (folder / "Default" / "Preferences").write_text(json.dumps(blocked))
    return chromium.launch_persistent_context(
        folder, executable_path=find_chromium(), args=chromium_arguments()
    )


#: The sha256s in the model store, with `.part` for a beginning.
STORED_KEYS = """
new Promise((resolve, reject) => {
  const opened = indexedDB.open('gossamer', 1)
  opened.onupgradeneeded = () => opened.result.createObjectStore('models')
  opened.onerror = () => reject(opened.error)
  opened.onsuccess = () => {
    const asked = opened.result.transaction('models').objectStore('models').getAllKeys()
    asked.onsuccess = () => {
      opened.result.close()
      resolve(asked.result.filter((key) => !key.startsWith('names ')))
    }
  }
})
"""


@dataclass(frozen=True)
class ApiResult:
    """What `removeBackground` or `segmentForeground` resolved to, its blob decoded by Pillow."""

    picture: Image.Image
    fields: dict[str, Any]
    matte_hw: np.ndarray | None


CALL = """
async ([method, content, type, name, options]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const file = new File([bytes], name, { type })
  const toText = async (blob) => {
    const url = await new Promise((resolve) => {
      const reader = new FileReader()
      reader.onload = () => resolve(reader.result)
      reader.readAsDataURL(blob)
    })
    return url.slice(url.indexOf(',') + 1)
  }
  const seen = []
  options.onProgress = ({ stage }) => seen.push(stage)
  try {
    const { blob, matte, ...fields } = await window.gossamer[method](file, options)
    const values = matte && (await toText(new Blob([matte.data])))
    return { blob: await toText(blob), type: blob.type, values, seen,
             matteShape: matte && [matte.height, matte.width], fields }
  } catch (error) {
    return { error: { name: error.name, code: error.code, stage: error.stage,
                      message: error.message } }
  }
}
"""


class ApiError(Exception):
    """A rejected promise; `fields` holds name, code, stage and message."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields)
        self.fields = fields


def call_api(
    page: Page,
    method: str,
    content: bytes,
    *,
    name: str = "photo.png",
    options: dict[str, Any] | None = None,
) -> ApiResult:
    """Calls `window.gossamer[method](file, options)` in the page. Raises ApiError."""
    answer = page.evaluate(CALL, [method, in_base64(content), "", name, options or {}])
    if "error" in answer:
        raise ApiError(answer["error"])
    matte = None
    if answer["values"]:
        values = np.frombuffer(base64.b64decode(answer["values"]), np.float32)
        matte = values.reshape(answer["matteShape"])
    picture = Image.open(io.BytesIO(base64.b64decode(answer["blob"])))
    fields = {**answer["fields"], "type": answer["type"], "stages": answer["seen"]}
    return ApiResult(picture, fields, matte)


def png(rgb_hwc: np.ndarray) -> bytes:
    """`rgb_hwc` as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(rgb_hwc).save(buffer, "PNG")
    return buffer.getvalue()


def porthole(rgb_hwc: np.ndarray) -> np.ndarray:
    """The middle of a photo, round, on a plain backdrop: a network of 64 x 64 px finds that."""
    height, width = rgb_hwc.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    inside = np.clip((0.3 * min(height, width) - distance) / 4 + 0.5, 0, 1)[..., None]
    mixed = inside * rgb_hwc + (1 - inside) * np.array([215, 220, 225])
    return mixed.round().astype(np.uint8)


def in_base64(content: bytes) -> str:
    """For `atob` in the page: as numbers, a picture takes seconds to get there."""
    return base64.b64encode(content).decode()


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two alphas in [0, 1], binarised at one half."""
    first, second = a >= 0.5, b >= 0.5
    return float((first & second).sum() / max(1, (first | second).sum()))


def unique(values: Sequence[str]) -> list[str]:
    """`values` without repeats, in the order of their first appearance."""
    return list(dict.fromkeys(values))
