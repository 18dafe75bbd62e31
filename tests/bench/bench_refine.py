"""What a large photo costs after the network: times of the stages and the peak of Python's heap, by
the built site in real Chromium. Nothing is asserted but that it finishes: `make bench` prints.
"""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page
from skimage import data

from tests.e2e.app import App

MEGAPIXELS = {"12 MP": (4000, 3000), "48 MP": (8000, 6000)}
CASES = [
    ("astronaut", "12 MP", 5, {}),
    ("chelsea", "12 MP", 5, {}),
    ("chelsea", "12 MP", 3, {"refine": {"detail": "closed_form"}}),
    ("chelsea", "12 MP", 3, {"refine": {"detail": "knn"}}),
    ("chelsea", "12 MP", 3, {"secondLook": True}),
    ("astronaut", "48 MP", 1, {}),
]

RUN = """
async ([content, times, options]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
  const runs = []
  await window.gossamer.preload()
  for (let run = 0; run < times; run++) {
    const file = new File([bytes], 'photo.jpg')
    const { timings, blob } = await window.gossamer.removeBackground(file, options)
    runs.push({ ...timings, bytes: blob.size })
  }
  return runs
}
"""

# The worker's own module, and through it Pyodide's memory, which grows and never shrinks.
HEAP = """
async (url) => {
  const { startPython } = await import(url)
  const bridge = await startPython()
  const pyodide = bridge.__builtins__.get('__import__')('pyodide_js')
  return pyodide._module.HEAPU8.length
}
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "size", "times", "options"), CASES)
def test_print_what_it_costs(
    page: Page,
    server: str,
    site_dir: Path,
    name: str,
    size: str,
    times: int,
    options: dict[str, Any],
) -> None:
    App(page, server).open()
    buffer = io.BytesIO()
    photo = Image.fromarray(getattr(data, name)())
    photo.resize(MEGAPIXELS[size], Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    content = base64.b64encode(buffer.getvalue()).decode()
    runs = page.evaluate(RUN, [content, times, options])
    worker = next(one for one in page.workers if "/python-worker." in one.url)
    (module,) = (site_dir / "js" / "pipeline").glob("python.*.js")
    heap_bytes = worker.evaluate(HEAP, f"{server}js/pipeline/{module.name}")
    stages = ("decode", "preprocess", "infer", "refine", "encode", "total")
    best = ", ".join(f"{stage} {min(run[f'{stage}_ms'] for run in runs):.0f}" for stage in stages)
    print(
        f"\n{name}, {size}, {options or 'defaults'}: best of {times} in ms: {best};"
        f" PNG {runs[-1]['bytes'] / 1e6:.1f} MB; Python's heap {heap_bytes / 2**20:.0f} MiB"
    )
    assert all(run["bytes"] > 0 for run in runs)
