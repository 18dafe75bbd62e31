"""From one build to the next: sw.js takes all of an update, its networks too, or nothing."""

import hashlib
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page

from exporter.serve import SiteServer

from .app import wait_until
from .model_store import PUT
from .worker_alone import (
    ASK,
    KEPT,
    SKIP_WAITING,
    UPDATE,
    changed_site_dir,
    host,
    other_network_site_dir,
    precache_of,
    quick_site_dir,
    register,
    visitor,
)

__all__ = [
    "changed_site_dir",
    "host",
    "other_network_site_dir",
    "quick_site_dir",
    "visitor",
]  # fixtures

KEEP_PAGE = {"type": "keepPage"}


def test_an_update_fetches_only_what_has_changed(
    visitor: Page, host: SiteServer, quick_site_dir: Path, changed_site_dir: Path, tmp_path: Path
) -> None:
    register(visitor, host.url)
    update = shutil.copytree(changed_site_dir, tmp_path / "update")
    before = precache_of(quick_site_dir)
    for path, digest in precache_of(changed_site_dir).items():
        if before.get(path) == digest:
            (update / path).unlink()  # could not be fetched again
    host.dist = update
    assert visitor.evaluate(UPDATE) == "installed"
    assert len(visitor.evaluate("caches.keys()")) == 2
    visitor.evaluate(SKIP_WAITING)
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept == {f"/{path}": digest for path, digest in precache_of(changed_site_dir).items()}


def test_another_tab_keeps_the_build_that_it_runs(
    visitor: Page, host: SiteServer, quick_site_dir: Path, changed_site_dir: Path
) -> None:
    """Its workers may die and have to start anew, from files that the host has no more."""
    register(visitor, host.url)
    other = visitor.context.new_page()
    other.goto(f"{host.url}licences.txt")
    host.dist = changed_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING.replace("length > 1", "length > 2"))
    (style_sheet,) = (quick_site_dir / "css").iterdir()
    status = "(url) => fetch(url).then(({ status }) => status)"
    assert other.evaluate(status, f"{host.url}css/{style_sheet.name}") == 200
    (style_sheet,) = (changed_site_dir / "css").iterdir()
    assert other.evaluate(status, f"{host.url}css/{style_sheet.name}") == 200
    # The next build finds one tab and tidies up.
    other.close()
    host.dist = quick_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING)
    assert len(visitor.evaluate(KEPT)) == 1


def network_of(site: Path) -> tuple[str, str]:
    """The path of its only network, and the sha256."""
    (network,) = (site / "models").iterdir()
    return f"models/{network.name}", hashlib.sha256(network.read_bytes()).hexdigest()


def test_an_update_brings_the_network_that_follows_the_stored_one(
    visitor: Page, host: SiteServer, quick_site_dir: Path, other_network_site_dir: Path
) -> None:
    register(visitor, host.url)
    visitor.evaluate(PUT, [network_of(quick_site_dir)[1], "a network"])
    host.dist = other_network_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING)
    path, sha256 = network_of(other_network_site_dir)
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept[f"/{path}"] == sha256
    # It goes when the page has stored it.
    assert visitor.evaluate(ASK, KEEP_PAGE) is None
    assert visitor.evaluate("(path) => caches.match(path).then(Boolean)", path)
    visitor.evaluate(PUT, [sha256, "a network"])
    assert visitor.evaluate(ASK, KEEP_PAGE) is None
    wait_until(visitor, f"caches.match('{path}').then((one) => !one)")


def test_an_update_brings_no_network_that_nobody_has_run(
    visitor: Page, host: SiteServer, other_network_site_dir: Path
) -> None:
    register(visitor, host.url)
    host.dist = other_network_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING)
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept.keys() == {f"/{path}" for path in precache_of(other_network_site_dir)}
    assert visitor.evaluate("indexedDB.databases()") == []


def test_an_update_without_its_network_changes_nothing(
    visitor: Page,
    host: SiteServer,
    quick_site_dir: Path,
    other_network_site_dir: Path,
    tmp_path: Path,
) -> None:
    register(visitor, host.url)
    visitor.evaluate(PUT, [network_of(quick_site_dir)[1], "a network"])
    host.dist = shutil.copytree(other_network_site_dir, tmp_path / "update")
    (host.dist / network_of(host.dist)[0]).unlink()
    assert visitor.evaluate(UPDATE) == "redundant"


#: As a release may have written it that is older, or younger, than this one.
SAY_OTHERWISE = """
async (text) => {
  const [name] = await caches.keys()
  const cache = await caches.open(name)
  const build = (await cache.keys()).find(({ url }) => url.includes('/js/build.'))
  await cache.put(build, new Response(text))
}
"""


@pytest.mark.parametrize("text", ["export default {}", "export const build = {}"])
def test_a_build_that_cannot_be_read_keeps_no_update_out(
    visitor: Page, host: SiteServer, changed_site_dir: Path, text: str
) -> None:
    register(visitor, host.url)
    visitor.evaluate(SAY_OTHERWISE, text)
    host.dist = changed_site_dir
    assert visitor.evaluate(UPDATE) == "installed"


@pytest.mark.parametrize("damage", ["other bytes", "missing"])
def test_an_update_that_is_not_whole_changes_nothing(
    visitor: Page, host: SiteServer, changed_site_dir: Path, tmp_path: Path, damage: str
) -> None:
    register(visitor, host.url)
    update = shutil.copytree(changed_site_dir, tmp_path / "update")
    (style_sheet,) = (update / "css").iterdir()
    if damage == "missing":
        style_sheet.unlink()
    else:
        style_sheet.write_text("half an upload")
    host.dist = update
    assert visitor.evaluate(UPDATE) == "redundant"
    # The next, whole one is taken.
    host.dist = changed_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
