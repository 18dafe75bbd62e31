"""The documentation as `make docs` builds it, and the page that its samples run in."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from skimage import data

from tests.conftest import watched_page
from tests.e2e.app import App, png

from .samples import ROOT

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
def sample_page(browser: Browser, quick_site_dir: Path, quick_server: str) -> Iterator[Page]:
    """Open on a site whose modules have no hash in their names, as a developer writes them."""
    (module,) = (quick_site_dir / "js").glob("gossamer.*.js")
    with watched_page(browser, with_service_worker=False) as page:
        page.route(
            f"{quick_server}gossamer.js",
            lambda route: route.fulfill(
                body=f"export * from './js/{module.name}'", content_type="text/javascript"
            ),
        )
        App(page, quick_server).open()
        page.evaluate(_READY, list(png(data.coffee())))
        yield page
