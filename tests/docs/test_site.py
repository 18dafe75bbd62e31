"""The documentation as a browser shows it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from exporter.serve import make_server, running
from tests.conftest import watched_page

from .samples import PAGES, samples_of

NARROW = {"width": 390, "height": 844}


class Links(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.assets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            self.targets.append(values.get("href") or "")
        else:
            self.assets += filter(None, (values.get("src"), values.get("href")))
        self.anchors |= set(filter(None, (values.get("id"), values.get("name"))))


@pytest.fixture(scope="module")
def docs_server(docs_dir: Path) -> Iterator[str]:
    with running(make_server(docs_dir, headers=False)) as server:
        yield server.url


@pytest.fixture(scope="module")
def docs_page(browser: Browser) -> Iterator[Page]:
    """Fails on a request to another origin, and on an error in a page."""
    with watched_page(browser) as page:
        page.set_viewport_size(NARROW)
        yield page


def test_every_link_and_anchor_leads_somewhere(docs_dir: Path) -> None:
    pages = {path.name: Links(path) for path in docs_dir.glob("*.html")}
    assert len(pages) > 10
    inside = [
        (name, target)
        for name, links in pages.items()
        for target in links.targets
        if name != "404.html" and "://" not in target
    ]
    assert len(inside) > 100
    for name, target in inside:
        page, _, anchor = target.partition("#")
        there = pages.get(page or name)
        assert there is not None, f"{name}: {target}"
        assert not anchor or anchor in there.anchors, f"{name}: {target}"


def test_no_page_takes_a_part_from_another_origin(docs_dir: Path) -> None:
    for path in docs_dir.glob("*.html"):
        foreign = [asset for asset in Links(path).assets if "//" in asset]
        assert foreign == [], path.name


def test_the_words_for_tests_are_not_shown(docs_dir: Path) -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in docs_dir.glob("*.html"))
    blocks = sum(len(samples_of(path)) for path in PAGES if path.name != "README.md")
    assert shown.count('<div class="language-') + shown.count('<div class="highlight') >= blocks
    for word in ("no-run", "reason=", "```", "README.md#", "<!-- gossamer"):
        assert word not in shown


def test_every_page_fits_a_telephone_and_asks_this_origin_alone(
    docs_page: Page, docs_dir: Path, docs_server: str
) -> None:
    for path in docs_dir.glob("*.html"):
        if path.name == "404.html":
            continue
        docs_page.goto(docs_server + path.name)
        expect(docs_page.locator("h1")).to_be_visible()
        wide = docs_page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], path.name


def test_the_search_finds_a_command(docs_page: Page, docs_server: str) -> None:
    docs_page.goto(docs_server + "index.html")
    docs_page.locator("label[for=__search]").first.click()
    docs_page.get_by_role("textbox", name="Search").press_sequentially("calibrate")
    results = docs_page.locator(".md-search-result__item")
    expect(results.filter(has_text="Your own network").first).to_be_visible()
