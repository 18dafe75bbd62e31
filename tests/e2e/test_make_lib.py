"""The command that a web developer runs, and the pages that it leaves to look at."""

import os
import subprocess

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from exporter.site_parts import WEB
from tests.conftest import Photo

from .app import SLOW_MS
from .host import strict_host

pytestmark = pytest.mark.soak

ROOT = WEB.parent
FOLDER = ROOT / "build" / "lib"


def test_make_lib_writes_the_package_and_pages_that_use_it(
    page: Page, photos: dict[str, Photo]
) -> None:
    # Not those of the `make` that may be running this.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "lib", "MODELS=u2netp", "PRECISION=int8", "BACKENDS=wasm"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    package = FOLDER / "gossamer"
    for name in ("gossamer.js", "gossamer.d.ts", "package.json", "LICENSE", "licences.txt"):
        assert (package / name).stat().st_size > 0
    networks = {path.name.rpartition(".")[0] for path in (package / "models").iterdir()}
    assert any(name.startswith("u2netp.wasm.int8.") for name in networks)
    assert not any(".fp32." in name or "webgpu" in name for name in networks)

    with strict_host(FOLDER) as url:
        page.goto(f"{url}plain.html")
        page.locator("#file").set_input_files(photos["astronaut"].jpeg)
        expect(page.locator("#after")).to_be_visible(timeout=SLOW_MS)
        with page.expect_download() as download:
            page.locator("#save").click()
        with Image.open(download.value.path()) as cutout:
            assert (cutout.mode, cutout.size) == ("RGBA", (512, 512))
        page.goto(url)
        links = page.locator("a").evaluate_all("(links) => links.map((link) => link.href)")
        assert len(links) >= 4
        for link in links:
            response = page.request.get(link)
            assert response.ok, link
