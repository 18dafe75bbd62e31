"""The documentation as `make docs` builds it, and the page that its samples run in."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Photo, watched_page

from .reader import answer
from .samples import ROOT

_BLANK = """
<!doctype html>
<title>Samples</title>
<script type="importmap">{ "imports": { "gossamer": "./gossamer.js" } }</script>
"""
_READY = """
(bytes) => {
  window.file = new File([Uint8Array.from(bytes)], 'photo.png', { type: 'image/png' })
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
    browser: Browser, quick_site_dir: Path, quick_server: str, photos: dict[str, Photo]
) -> Iterator[Page]:
    """Blank, beside photo.jpg and a site whose API has no hash in its name, as one writes it."""
    (module,) = (quick_site_dir / "js").glob("gossamer.*.js")
    beside = {
        "samples.html": ("text/html", _BLANK),
        "gossamer.js": ("text/javascript", f"export * from './js/{module.name}'"),
        "photo.jpg": ("image/jpeg", photos["coffee"].jpeg.read_bytes()),
    }
    with watched_page(browser, with_service_worker=False) as page:
        for name, (content_type, body) in beside.items():
            page.context.route(quick_server + name, answer(content_type, body))
        page.goto(f"{quick_server}samples.html")
        page.evaluate(_READY, list(photos["coffee"].png.read_bytes()))
        yield page
