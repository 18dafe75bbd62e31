"""The built site in real Chromium, watched for anything that would leave the machine."""

import pytest
from playwright.sync_api import Page

from .app import App


@pytest.fixture
def app(page: Page, server: str) -> App:
    """The page, open and ready for a photo."""
    return App(page, server).open()
