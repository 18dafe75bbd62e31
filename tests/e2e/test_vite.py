"""The example that bundles with Vite, which is installed for it and for nothing else."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from exporter.serve import HOST
from exporter.site_parts import WEB
from tests.conftest import Photo, watched_page

from .app import SLOW_MS
from .host import strict_host

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, quick_library_dir: Path) -> Path:
    """The example's folder, beside the package as `make lib` leaves it, installed."""
    root = tmp_path_factory.mktemp("vite")
    (root / "gossamer").symlink_to(quick_library_dir)
    folder = shutil.copytree(WEB / "examples" / "vite", root / "vite")
    npm(folder, "ci", "--no-audit", "--no-fund")
    return folder


def npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def bundled(project: Path, base: str) -> tuple[Path, str]:
    """Builds for the sub-path `base`: the folder and all JavaScript that the page may load."""
    npm(project, "run", "build", "--", "--base", base)
    modules = (project / "dist" / "assets").glob("*.js")
    return project / "dist", "".join(path.read_text() for path in modules)


def expect_cut_out(browser: Browser, url: str, photo: Photo) -> None:
    with watched_page(browser) as page:
        page.goto(url)
        page.locator("#file").set_input_files(photo.jpeg)
        expect(page.locator("#status")).to_have_text("512 × 512 pixels", timeout=SLOW_MS)
        assert page.locator("#after").evaluate("(image) => image.decode().then(() => 'decoded')")


def test_a_bundle_holds_what_the_page_calls_and_works_from_a_sub_path(
    project: Path, browser: Browser, photos: dict[str, Photo], tmp_path: Path
) -> None:
    site, code = bundled(project, "/shop/")
    assert "inference-worker" in code
    for unused in ("gossamer-cutout", "thumbnail-worker", "pyside_logic.bridge"):
        assert unused not in code
    assert len(code) < 40_000
    (tmp_path / "shop").symlink_to(site)
    with strict_host(tmp_path) as url:
        expect_cut_out(browser, f"{url}shop/", photos["astronaut"])


def test_the_element_is_in_the_bundle_of_a_page_that_imports_it(project: Path) -> None:
    main = project / "main.js"
    before = main.read_text()
    main.write_text(f"import 'gossamer/cutout'\n{before}")
    try:
        assert "gossamer-cutout" in bundled(project, "/")[1]
    finally:
        main.write_text(before)


def test_the_development_server_serves_it_too(
    project: Path, browser: Browser, photos: dict[str, Photo]
) -> None:
    npm(project, "run", "assets")
    with development_server(project) as url:
        expect_cut_out(browser, url, photos["astronaut"])


@contextmanager
def development_server(project: Path) -> Iterator[str]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    vite = project / "node_modules" / ".bin" / "vite"
    command = [vite, "--host", HOST, "--port", str(port), "--strictPort"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        for line in server.stdout:
            if "Local:" in line:
                break
        try:
            yield f"http://{HOST}:{port}/"
        finally:
            server.terminate()
