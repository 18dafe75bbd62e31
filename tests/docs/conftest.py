"""The documentation as `make docs` builds it, and the page that its samples run in."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from exporter.serve import make_server, running
from tests.conftest import Photo, watched_page
from tests.e2e.app import in_base64

from .samples import ROOT

_BLANK = """
<!doctype html>
<title>Samples</title>
<script type="importmap">
  { "imports": {
    "gossamer": "/gossamer/gossamer.js",
    "gossamer/cutout": "/gossamer/gossamer-cutout.js"
  } }
</script>
"""
_READY = """
(bytes) => {
  const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
  window.file = new File([content], 'photo.png', { type: 'image/png' })
  window.signal = new AbortController().signal
}
"""


@pytest.fixture(scope="session")
def docs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fails on a link that leads nowhere, and on a page that the menu leaves out."""
    folder = tmp_path_factory.mktemp("docs")
    config = ROOT / "docs" / "mkdocs" / "mkdocs.yml"
    command = ["mkdocs", "build", "--quiet", "--strict", "--config-file", config]
    run = subprocess.run(
        [*command, "--site-dir", folder], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def sample_page(
    browser: Browser,
    quick_library_dir: Path,
    photos: dict[str, Photo],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Page]:
    """Blank, on a host of static files, beside photo.jpg and the folder of the package."""
    host = tmp_path_factory.mktemp("host")
    (host / "index.html").write_text(_BLANK, encoding="utf-8")
    (host / "photo.jpg").write_bytes(photos["coffee"].jpeg.read_bytes())
    shutil.copytree(quick_library_dir, host / "gossamer", copy_function=os.link)
    with (
        running(make_server(host, headers=False)) as server,
        watched_page(browser, with_service_worker=False) as page,
    ):
        page.goto(server.url)
        page.evaluate(_READY, in_base64(photos["coffee"].png.read_bytes()))
        yield page
