"""The built site in real Chromium, watched for anything that would leave the machine."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from exporter.library import build_library
from exporter.site_models import SiteChoices
from exporter.site_parts import WEB
from tests.conftest import Photo

from .app import App
from .host import strict_host


@pytest.fixture
def app(page: Page, server: str) -> App:
    """The page, open and ready for a photo."""
    return App(page, server).open()


@pytest.fixture
def installing_app(installing_page: Page, server: str) -> App:
    """The same, where the page keeps itself on the device."""
    return App(installing_page, server).open()


@pytest.fixture(scope="module")
def lasting_app(lasting_page: Page, server: str) -> App:
    """The same for all tests of a module that ask for it, and leave nothing behind in it."""
    return App(lasting_page, server).open()


@pytest.fixture
def emptied_app(lasting_app: App) -> Iterator[App]:
    """That one, for a test that adds photos to it."""
    yield lasting_app
    lasting_app.remove_photos()


@pytest.fixture(scope="session")
def host(
    tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Photo], quick_library_dir: Path
) -> Iterator[str]:
    """The URL of the examples: the package in `gossamer/` has a network of 64 x 64 px, that in
    `other/` is of another build, with the published size."""
    root = tmp_path_factory.mktemp("host")
    folder = shutil.copytree(WEB / "examples", root / "shop" / "photos")
    shutil.copyfile(photos["astronaut"].jpeg, folder / "photo.jpg")
    (folder / "gossamer").symlink_to(quick_library_dir)
    build_library(["u2netp"], folder / "other" / "gossamer", choices=SiteChoices(("wasm",)))
    with strict_host(root) as url:
        yield f"{url}shop/photos/"
