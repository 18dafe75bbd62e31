"""The watch over every test's requests sees what it is there for, from whatever thread it comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from exporter.serve import SiteServer, make_server, running
from tests.conftest import Watch

FOREIGN = "http://localhost:9/pixels"  # another origin, and a port where nothing listens
SEND = f"fetch('{FOREIGN}').catch(() => {{}})"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SiteServer]:
    """A site without any policy, whose threads all try to send something away."""
    (tmp_path / "index.html").write_text("<!doctype html><title>Leaky</title>")
    (tmp_path / "worker.js").write_text(f"{SEND}.then(() => postMessage('sent'))")
    (tmp_path / "sw.js").write_text(f"addEventListener('install', (e) => e.waitUntil({SEND}))")
    with running(make_server(tmp_path, headers=False)) as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.mark.parametrize(
    "send",
    [
        SEND,
        "new Promise((resolve) => (new Worker('worker.js').onmessage = resolve)).then(() => 1)",
        "navigator.serviceWorker.register('sw.js').then(() => navigator.serviceWorker.ready)"
        ".then(() => 1)",
    ],
    ids=["page", "worker", "service worker"],
)
def test_a_foreign_request_is_seen(context: BrowserContext, host: SiteServer, send: str) -> None:
    watch = Watch(context)
    page = context.new_page()
    page.goto(host.url)
    assert watch.foreign_requests() == []
    page.evaluate(send)
    assert watch.foreign_requests() == [FOREIGN]


def test_a_violation_and_an_uncaught_error_are_seen(
    context: BrowserContext, site_dir: Path
) -> None:
    watch = Watch(context)
    page = context.new_page()
    with running(make_server(site_dir)) as server:
        page.goto(f"{server.url}licences.txt")
        page.evaluate(SEND)
        page.evaluate("setTimeout(() => { throw new Error('nobody caught this') })")
        page.wait_for_timeout(200)
    assert any("Content Security Policy" in complaint for complaint in watch.complaints)
    assert any("nobody caught this" in complaint for complaint in watch.complaints)
