"""Several sites at one origin share its storage: none takes from another what that needs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from exporter.serve import make_server, running

from .app import App, wait_until
from .model_store import KEYS, PUT


@pytest.fixture
def origin(quick_site_dir: Path, tmp_path: Path) -> Iterator[str]:
    """The URL below which `one/` and `two/` are the same site."""
    for name in ("one", "two"):
        shutil.copytree(quick_site_dir, tmp_path / name)
    with running(make_server(tmp_path)) as server:
        yield server.url


def test_who_finds_a_network_of_another_site_names_it_too(page: Page, origin: str) -> None:
    for name in ("one", "two"):
        app = App(page, f"{origin}{name}/").open()
        wait_until(app.page, f"({KEYS})().then((keys) => keys.includes('names /{name}/'))")
    wait_until(page, f"({KEYS})().then((keys) => keys.length > 2)")  # it is named before it is here
    assert len(page.evaluate(KEYS)) == 3  # one network, of both


def test_delete_all_leaves_what_another_site_names(
    page: Page, origin: str, quick_site_dir: Path
) -> None:
    (module,) = (quick_site_dir / "js").glob("device-storage.*.js")
    page.goto(f"{origin}one/licences.txt")
    ours = {"names /one/": "a both", "a": "", "both": "", "a.part": ""}
    theirs = {"names /two/": "both b", "b": "", "b.part": ""}
    for stored in {**ours, **theirs, "nobody's": ""}.items():
        page.evaluate(PUT, stored)
    page.evaluate("(url) => import(url).then((one) => one.clearStorage())", f"./js/{module.name}")
    assert sorted(page.evaluate(KEYS)) == sorted([*theirs, "both"])
