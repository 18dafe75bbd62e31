"""The built site in real Chromium, watched for anything that would leave the machine."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .app import App


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
