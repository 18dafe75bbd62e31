"""A worker that dies takes nothing with it but the calls that waited for it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Worker, expect
from skimage import data

from exporter.serve import make_server, running

from .app import ApiError, App, call_api, in_base64, png, wait_until

# The worker ends itself when a message of this type has reached it, without an event, as when the
# browser takes it because memory ran out.
DIE_AT = """
(type) => self.addEventListener('message', (event) => {
  if (event.data.type === type) self.close()
})
"""

MESSAGES = [
    ("inference", "decode"),
    ("inference", "load"),
    ("inference", "preprocess"),
    ("inference", "infer"),
    ("python", "start"),
    ("python", "openPhoto"),
    ("python", "refine"),
    ("python", "encode"),
]


@pytest.fixture(scope="module")
def server(quick_server: str) -> str:
    return quick_server


def worker_named(app: App, name: str) -> Worker:
    found = [worker for worker in app.page.workers if f"/{name}-worker." in worker.url]
    return found[-1]  # the ones before it are on their way out


@pytest.mark.soak
def test_a_killed_worker_hangs_nothing_and_starts_anew(app: App) -> None:
    cat = png(data.chelsea())
    call_api(app.page, "removeBackground", cat)
    died, mended = [], []
    for name, message in MESSAGES:
        worker_named(app, name).evaluate(DIE_AT, message)
        try:  # a worker whose part is done is not missed
            result = call_api(app.page, "removeBackground", cat)
            if result.fields["notices"]:
                mended.append(message)
        except ApiError as error:
            assert name == "python", (message, error)
            assert error.fields["code"] == "worker_died", (message, error)
            assert "Try again" in error.fields["message"]
            died.append(message)
        assert call_api(app.page, "removeBackground", cat).picture.size == (451, 300)
    # These cannot have answered.
    assert "decode" in mended
    assert "refine" in died


def test_aborting_rejects_with_the_reason_and_frees_the_queue(lasting_app: App) -> None:
    outcome = lasting_app.page.evaluate(
        """async (bytes) => {
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          const file = new File([content], 'cat.png')
          const controller = new AbortController()
          const cut = window.gossamer.removeBackground(file, { signal: controller.signal,
            onProgress: ({ stage }) => stage === 'infer' && controller.abort('not wanted') })
          return cut.then(() => 'done', (reason) => reason)
        }""",
        in_base64(png(data.chelsea())),
    )
    assert outcome == "not wanted"
    assert call_api(lasting_app.page, "removeBackground", png(data.chelsea())).picture.size == (
        451,
        300,
    )


def test_release_ends_all_workers_and_the_next_call_starts_them(lasting_app: App) -> None:
    page, cat = lasting_app.page, png(data.chelsea())
    call_api(page, "removeBackground", cat)
    assert page.workers
    page.evaluate("window.gossamer.release()")
    for _ in range(100):
        page.wait_for_timeout(50)
        if not page.workers:
            break
    assert not page.workers
    result = call_api(page, "removeBackground", cat)
    assert result.picture.size == (451, 300)
    assert not result.fields["notices"]


# The worker's own module, and through it what Python keeps.
KEPT_PHOTOS = """
async (url) => {
  const { startPython } = await import(url)
  return (await startPython())._photos.length
}
"""


def test_a_photo_that_nobody_waits_for_is_kept_by_nobody(
    lasting_app: App, quick_site_dir: Path
) -> None:
    app = lasting_app
    (module,) = (quick_site_dir / "js" / "pipeline").glob("python.*.js")
    url = f"{app.url}js/pipeline/{module.name}"
    outcomes = app.page.evaluate(
        """async (bytes) => {
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          const cut = (stage) => {
            const controller = new AbortController()
            return window.gossamer.removeBackground(new File([content], 'cat.png'), {
              signal: controller.signal,
              onProgress: (now) => now.stage === stage && controller.abort('not wanted'),
            }).then(() => 'done', (reason) => reason)
          }
          const outcomes = []
          for (const stage of ['preprocess', 'infer', 'refine', 'encode', 'none']) {
            outcomes.push(await cut(stage))
          }
          return outcomes
        }""",
        in_base64(png(data.chelsea())),
    )
    assert outcomes == ["not wanted"] * 4 + ["done"]
    keyed = app.page.evaluate(
        """async (bytes) => {
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          const controller = new AbortController()
          return window.gossamer.removeBackground(new File([content], 'disc.png'), {
            chromaKey: 'auto',
            signal: controller.signal,
            onProgress: ({ stage, done }) => {
              if (stage === 'infer' && !done) setTimeout(() => controller.abort('not wanted'), 5)
            },
          }).then(() => 'done', (reason) => reason)
        }""",
        in_base64(png(disc_before_green())),
    )
    assert keyed == "not wanted"
    call_api(app.page, "removeBackground", png(data.chelsea()))  # after what was cancelled
    assert worker_named(app, "python").evaluate(KEPT_PHOTOS, url) == 0


def disc_before_green(side_px: int = 900) -> np.ndarray:
    y, x = np.mgrid[:side_px, :side_px] - side_px / 2
    is_disc = y**2 + x**2 < (side_px / 4) ** 2
    return np.where(is_disc[..., None], (200, 80, 60), (0, 177, 64)).astype(np.uint8)


def test_an_open_photo_is_never_taken_for_another_one(app: App) -> None:
    """What Python held is gone with it, and the Python that follows counts anew."""
    open_it = """
    async ([name, bytes]) => {
      const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
      window[name] = await gossamer.openPhoto(new File([content], `${name}.png`))
      await window[name].refine()
    }
    """
    app.page.evaluate(open_it, ["cat", in_base64(png(data.chelsea()))])
    worker_named(app, "python").evaluate("void setTimeout(() => self.close())")
    wait_until(app.page, "window.cat.subjects().then(() => false, () => true)")
    app.page.evaluate(open_it, ["coffee", in_base64(png(data.coffee()))])
    outcome = app.page.evaluate(
        """async () => {
          const written = await cat.encode().then(({ width }) => width, ({ code }) => code)
          cat.close()
          return [written, (await coffee.encode()).width]
        }"""
    )
    assert outcome == ["worker_died", 600]


# Answers when the page says so.
PATIENT_WORKER = """
let id
self.onmessage = ({ data }) => {
  if (data.type !== 'answer') self.postMessage({ id: (id = data.id), type: 'started' })
  else self.postMessage({ id, type: 'result', payload: 'answered' })
}
self.postMessage({ type: 'ready', watched: false })
"""
# The page hears and does nothing for longer than the worker may take; then the worker answers, but
# not before all timers that are due.
ASLEEP = """
async ([client, address]) => {
  const { WorkerClient } = await import(client)
  let worker
  const spawn = (...given) => (worker = new Worker(...given))
  const patient = new WorkerClient(() => address, 'worker', spawn)
  const limit_ms = 2000
  const answer = patient.call('work', null, 'infer', { limit_ms })
  const later = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms))
  await later(200)
  const end = performance.now() + 1.5 * limit_ms
  while (performance.now() < end);
  await later(0)
  worker.postMessage({ type: 'answer' })
  return answer.catch(({ message }) => message)
}
"""


def test_a_page_that_was_asleep_blames_no_worker(
    page: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    (site / "js" / "workers" / "patient.js").write_text(PATIENT_WORKER)
    (client,) = (site / "js" / "rpc").glob("client.*.js")
    with running(make_server(site)) as server:
        page.goto(f"{server.url}licences.txt")  # where no app starts anything
        addresses = [
            f"{server.url}js/{path}" for path in (f"rpc/{client.name}", "workers/patient.js")
        ]
        assert page.evaluate(ASLEEP, addresses) == "answered"


# Everything that a worker of the page says goes to window.heard.
LISTEN = """
window.heard = []
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given)
    this.addEventListener('message', ({ data }) => window.heard.push(data))
  }
}
"""


def test_a_matting_that_nobody_waits_for_ends_between_iterations(page: Page, server: str) -> None:
    page.add_init_script(LISTEN)
    App(page, server).open()
    outcome = page.evaluate(
        """async (bytes) => {
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          const file = new File([content], 'astronaut.png')
          const controller = new AbortController()
          const { signal } = controller
          const photo = await window.gossamer.openPhoto(file)
          const refining = photo.refine({ detail: 'closed_form' }, { signal })
          Promise.resolve().then(() => controller.abort('not wanted')) // once it is asked for
          const outcome = await refining.then(() => 'done', (reason) => reason)
          photo.close()
          return outcome
        }""",
        in_base64(png(data.astronaut())),
    )
    assert outcome == "not wanted"
    wait_until(page, "window.heard.some(({ error }) => error?.code === 'aborted')")
    done = page.evaluate(
        """(() => {
          const { id } = window.heard.find(({ error }) => error?.code === 'aborted')
          return window.heard.filter((reply) => reply.type === 'progress' && reply.id === id)
            .map(({ done, total }) => done / total)
        })()"""
    )
    assert max(done, default=0) < 0.5  # a worker that hears nothing goes through all of it
    assert call_api(page, "removeBackground", png(data.astronaut())).picture.size == (512, 512)


def test_many_calls_at_once_all_settle(lasting_app: App) -> None:
    outcomes = lasting_app.page.evaluate(
        """async (bytes) => {
          const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
          const good = new File([content], 'cat.png')
          const bad = new File(['no picture'], 'letter.png')
          const files = [good, bad, good, bad, good]
          const calls = files.map((file) => window.gossamer.removeBackground(file))
          return (await Promise.allSettled(calls)).map(({ status }) => status)
        }""",
        in_base64(png(data.chelsea())),
    )
    assert outcomes == ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]


MANY = """
async (bytes) => {
  const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'cat.png')
  const { openPhoto, removeBackground } = window.gossamer
  const kept = [await openPhoto(file), await openPhoto(file), await openPhoto(file)]
  const at = new Set()
  let most = 0
  const ended = []
  const call = async (name, open, signal) => {
    const onProgress = ({ stage, done }) => {
      if (name === 'opened') return // takes no turn any more once it is open
      if (stage === 'encode' && done === 1) at.delete(name)
      else at.add(name)
      most = Math.max(most, at.size)
    }
    try {
      return await open(file, { onProgress, signal })
    } catch (reason) {
      return reason
    } finally {
      ended.push(name)
    }
  }
  const controller = new AbortController()
  const calls = [1, 2, 3].map((name) => call(name, removeBackground))
  calls.push(call('left', removeBackground, controller.signal))
  calls.push(call('opened', openPhoto), call(4, removeBackground))
  setTimeout(() => controller.abort('enough'))
  const outcomes = await Promise.all(calls)
  for (const photo of [...kept, outcomes[4]]) photo.close()
  const sizes = outcomes.map((outcome) => outcome.width ?? outcome)
  return { most, first: ended[0], sizes }
}
"""


def test_photos_of_many_calls_at_once_take_turns(lasting_app: App) -> None:
    answer = lasting_app.page.evaluate(MANY, in_base64(png(data.chelsea())))
    assert answer == {"most": 2, "first": "left", "sizes": [451, 451, 451, "enough", 451, 451]}


FILL = """
async (url) => {
  const python = await (await import(url)).startPython()
  const bytearray = python.__builtins__.get('bytearray')
  self.filling = []
  let filled = 0
  for (let size = 2 ** 30; size >= 2 ** 20; ) {
    try {
      self.filling.push(bytearray(size))
      filled += size
    } catch {
      size /= 2
    }
  }
  return filled
}
"""


def test_python_whose_memory_is_full_starts_anew(app: App, quick_site_dir: Path) -> None:
    cat = png(data.chelsea())
    app.page.evaluate("window.gossamer.preload()")
    (module,) = (quick_site_dir / "js" / "pipeline").glob("python.*.js")
    url = f"{app.url}js/pipeline/{module.name}"
    # Beyond that Pyodide takes addresses for negative numbers, and files came as zeros.
    assert worker_named(app, "python").evaluate(FILL, url) < 2**31
    with pytest.raises(ApiError) as caught:
        call_api(app.page, "removeBackground", cat)
    assert caught.value.fields["code"] == "out_of_memory"
    assert call_api(app.page, "removeBackground", cat).picture.size == (451, 300)


def test_the_page_says_what_happened_and_tries_again(app: App, tmp_path: Path) -> None:
    app.page.evaluate("window.gossamer.preload()")
    photo = tmp_path / "cat.png"
    photo.write_bytes(png(data.chelsea()))
    worker_named(app, "python").evaluate(DIE_AT, "refine")
    app.add(photo)
    app.wait_for_states("failed")
    expect(app.part("error")).to_be_visible()
    app.part("retry").click()
    app.wait_for_states("done")
