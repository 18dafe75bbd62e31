"""A worker that dies takes nothing with it but the calls that waited for it."""

from pathlib import Path

import pytest
from playwright.sync_api import Worker, expect
from skimage import data

from .app import App, call_api, png, wait_until

START = """
(bytes) => {
  window.outcome = null
  const file = new File([Uint8Array.from(bytes)], 'cat.png')
  window.stages = []
  window.gossamer
    .removeBackground(file, { onProgress: ({ stage }) => window.stages.push(stage) })
    .then(() => { window.outcome = 'done' }, (error) => { window.outcome = error.code })
}
"""


def worker_named(app: App, name: str) -> Worker:
    return next(worker for worker in app.page.workers if f"/{name}-worker." in worker.url)


@pytest.mark.parametrize(("name", "stage"), [("inference", "infer"), ("python", "refine")])
def test_a_killed_worker_rejects_what_waits(app: App, name: str, stage: str) -> None:
    call_api(app.page, "removeBackground", png(data.chelsea()))
    app.page.evaluate(START, list(png(data.chelsea())))
    # close() ends the worker without an event, as the browser does when memory runs out.
    worker_named(app, name).evaluate("() => { self.close() }")
    wait_until(app.page, "Boolean(window.outcome)")
    assert app.page.evaluate("window.outcome") == "worker_died"
    assert call_api(app.page, "removeBackground", png(data.chelsea())).picture.size == (451, 300)


def test_aborting_rejects_with_the_reason_and_frees_the_queue(app: App) -> None:
    outcome = app.page.evaluate(
        """async (bytes) => {
          const file = new File([Uint8Array.from(bytes)], 'cat.png')
          const controller = new AbortController()
          const cut = window.gossamer.removeBackground(file, { signal: controller.signal,
            onProgress: ({ stage }) => stage === 'infer' && controller.abort('not wanted') })
          return cut.then(() => 'done', (reason) => reason)
        }""",
        list(png(data.chelsea())),
    )
    assert outcome == "not wanted"
    assert call_api(app.page, "removeBackground", png(data.chelsea())).picture.size == (451, 300)


def test_many_calls_at_once_all_settle(app: App) -> None:
    outcomes = app.page.evaluate(
        """async (bytes) => {
          const good = new File([Uint8Array.from(bytes)], 'cat.png')
          const bad = new File(['no picture'], 'letter.png')
          const files = [good, bad, good, bad, good]
          const calls = files.map((file) => window.gossamer.removeBackground(file))
          return (await Promise.allSettled(calls)).map(({ status }) => status)
        }""",
        list(png(data.chelsea())),
    )
    assert outcomes == ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]


def test_the_page_says_what_happened_and_tries_again(app: App, tmp_path: Path) -> None:
    app.wait_until_offline_ready()
    photo = tmp_path / "cat.png"
    photo.write_bytes(png(data.chelsea()))
    app.add(photo)
    app.wait_for_states("working")
    worker_named(app, "inference").evaluate("() => { self.close() }")
    app.wait_for_states("failed")
    expect(app.part("error")).to_be_visible()
    app.part("retry").click()
    app.wait_for_states("done")
