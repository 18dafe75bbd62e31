"""What hosts do to the files of a site, and what their visitors are told of it."""

import os
import re
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, expect

from exporter.site_headers import ANY_BYTES, CONTENT_TYPES

from .app import App, wait_until
from .host import plain_host
from .worker_alone import (
    HEADERS_OF,
    REGISTER,
    SKIP_WAITING,
    UPDATE,
    constant_of,
    precache_of,
    visitor,
    with_few_files,
)

__all__ = ["visitor"]  # a fixture

TYPES = """
async () => {
  const types = {}
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const { url } of await cache.keys()) {
      const { headers } = await cache.match(url)
      ;(types[name] ??= {})[new URL(url).pathname] = headers.get('content-type')
    }
  }
  return types
}
"""
# As an earlier service worker has kept it, from a host that did not know what it was.
FORGET_TYPE = """
async (url) => {
  const [name] = await caches.keys()
  const cache = await caches.open(name)
  const headers = { 'content-type': 'application/octet-stream' }
  await cache.put(url, new Response(await (await cache.match(url)).blob(), { headers }))
}
"""


def is_ours(message: ConsoleMessage) -> bool:
    return message.type == "warning" and "Gossamer" in message.text


def types_of(site: Path) -> dict[str, str]:
    return {
        f"/{path}": CONTENT_TYPES.get(Path(path).suffix, ANY_BYTES) for path in precache_of(site)
    }


def test_what_is_kept_has_its_type_whatever_the_host_has_said(
    visitor: Page, quick_site_dir: Path, changed_site_dir: Path, tmp_path: Path
) -> None:
    """A host may be mended later, and nobody would ask it again for what is here."""
    before, after = (
        with_few_files(site, tmp_path / site.parent.name)
        for site in (quick_site_dir, changed_site_dir)
    )
    os.utime(before / "sw.js", (0, 0))  # such a host answers by the second
    (tmp_path / "site").symlink_to(before)
    with plain_host(tmp_path) as url:
        root = f"{url}site/"
        visitor.goto(f"{root}icon.svg")  # another one would be a download
        assert visitor.evaluate(REGISTER, f"{root}sw.js") == "controls"
        types = {f"/site{path}": kind for path, kind in types_of(before).items()}
        assert [*visitor.evaluate(TYPES).values()] == [types]
        path, _ = next(
            file for file in constant_of(before, "ENGINES")["wasm"] if file[0].endswith(".wasm")
        )
        assert (
            visitor.evaluate(HEADERS_OF, [f"{root}{path}", {}])["content-type"]
            == "application/wasm"
        )
        visitor.evaluate(FORGET_TYPE, f"{root}licences.txt")
        (tmp_path / "site").unlink()
        (tmp_path / "site").symlink_to(after)
        assert visitor.evaluate(UPDATE) == "installed"
        visitor.evaluate(SKIP_WAITING)
        types = {f"/site{path}": kind for path, kind in types_of(after).items()}
        assert [*visitor.evaluate(TYPES).values()] == [types]


def test_a_second_site_in_the_same_tab_is_isolated_too(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    """On a host that sends no headers, by one reload of each."""
    site = with_few_files(quick_site_dir, tmp_path / "few")
    for place in ("one", "two"):
        (tmp_path / place).symlink_to(site)
    with plain_host(tmp_path) as url:
        for place in ("one", "two"):
            visitor.goto(f"{url}{place}/")
            wait_until(visitor, "crossOriginIsolated")


# ---- what does not arrive ------------------------------------------------------------------------


def test_a_module_that_does_not_arrive_leaves_no_blank_page(page: Page, quick_server: str) -> None:
    """As while a site is being put there; said to nobody who only waits for a slow line."""
    page.route("**/js/ui/editor.*", lambda route: route.fulfill(status=404))
    page.goto(quick_server)
    expect(page.get_by_role("paragraph")).to_have_count(0)  # neither seen nor heard
    page.evaluate("for (const wait of document.getAnimations()) wait.finish()")
    expect(page.get_by_role("paragraph")).to_contain_text("Gossamer has not started.")
    page.unroute("**/js/ui/editor.*")
    App(page, quick_server).open()
    expect(page.locator(".not-started")).to_have_count(0)


def test_a_file_that_a_host_changes_is_named_in_the_console(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    """Such as by a line for its statistics: all works, and the operator asks why it is not kept."""
    site = with_few_files(quick_site_dir, tmp_path)
    with (site / "index.html").open("a") as index:
        index.write("<!-- counted -->")
    with plain_host(site) as url, visitor.expect_console_message(is_ours) as told:
        visitor.goto(url)
    expected = precache_of(site)["index.html"]
    assert re.search(rf"\bExpected sha256 {expected} for index\.html, received", told.value.text)


def test_what_nobody_needs_may_be_missing(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    """As a manifest is on hosts that send no file whose type they do not know."""
    site = with_few_files(quick_site_dir, tmp_path)
    for name in ("manifest.webmanifest", "icon-512.png", "licences.txt", "sbom.cdx.json"):
        (site / name).unlink()
    with plain_host(site) as url:
        visitor.goto(f"{url}icon.svg")
        assert visitor.evaluate(REGISTER, f"{url}sw.js") == "controls"
    visitor.goto(url)
    assert visitor.title() == "Gossamer"
