"""The lock in the header lists what was really asked of the network, by whatever thread."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from skimage import data

from .app import SLOW_MS, App, png


@pytest.fixture
def server(quick_server: str) -> str:
    """Nothing here looks at the edges of a cut-out."""
    return quick_server


def test_the_list_names_what_every_thread_fetched(app: App, tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(png(data.chelsea()))
    app.add(photo)
    app.wait_for_states("done")
    requests = app.part("requests")
    requests.get_by_role("button").first.click()
    for name in ("this page", "winograd-threads", "python_stdlib.zip", "models/u2netp"):
        expect(requests.get_by_text(name).first).to_be_visible()
    seen = app.page.evaluate(
        "new Promise((resolve) => window.gossamer.onRequests(resolve))"
        ".then((requests) => requests.map(({ url, bytes }) => [url, bytes]))"
    )
    assert {urlsplit(url).netloc for url, _ in seen} == {urlsplit(app.url).netloc}
    (model,) = [size for url, size in seen if "/models/u2netp.wasm.fp32" in url]
    assert model > 4_000_000

    # A worker that starts anew asks again: one row an address, however long a visit lasts.
    rows = requests.get_by_role("listitem")
    addresses = {url for url, _ in seen}
    expect(rows).to_have_count(len(addresses))
    app.page.evaluate("gossamer.resetEngines().then(() => gossamer.preload())")
    expect(rows.filter(has_text="js/workers/inference-worker")).to_contain_text("2 × ")
    expect(rows).to_have_count(len(addresses))


def test_a_worker_that_does_not_load_is_told_where_engines_are_listed(
    page: Page, server: str
) -> None:
    page.route("**/js/workers/inference-worker*", lambda route: route.abort())
    app = App(page, server).open()
    app.part("requests").get_by_role("button").first.click()
    engines = app.part("engines")
    engines.locator("summary").click()
    expect(engines.get_by_role("listitem")).to_contain_text("could not be loaded")
    page.unroute("**/js/workers/inference-worker*")
    engines.get_by_role("button").click()
    expect(engines).to_contain_text("WebAssembly", timeout=SLOW_MS)
