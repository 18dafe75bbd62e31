"""sw.js alone in real Chromium: what it keeps, what it refuses, and what it adds to an answer."""

import shutil
from pathlib import Path

from playwright.sync_api import Page

from exporter.serve import SiteServer, make_server, running
from exporter.site_headers import HEADERS

from .worker_alone import (
    ASK,
    HEADERS_OF,
    KEPT,
    SKIP_WAITING,
    UPDATE,
    changed_site_dir,
    constant_of,
    host,
    precache_of,
    quick_site_dir,
    register,
    visitor,
    with_few_files,
)

__all__ = ["changed_site_dir", "host", "quick_site_dir", "visitor"]  # fixtures

FETCHED = "async (url) => (await (await fetch(url)).arrayBuffer()).byteLength"
KEEP_WASM = {"type": "keepEngine", "backend": "wasm"}


def test_it_keeps_every_file_that_all_need_as_it_was_built(
    visitor: Page, host: SiteServer, site_dir: Path
) -> None:
    host.dist = site_dir
    assert register(visitor, host.url) == "controls"
    ((name, kept),) = visitor.evaluate(KEPT).items()
    assert name.startswith("gossamer-")
    assert kept == {f"/{path}": digest for path, digest in precache_of(site_dir).items()}


def test_it_keeps_the_engine_that_runs_here_and_no_other(
    visitor: Page, host: SiteServer, site_dir: Path, changed_site_dir: Path, tmp_path: Path
) -> None:
    host.dist = site_dir = with_few_files(site_dir, tmp_path)
    engines = {name: dict(files) for name, files in constant_of(site_dir, "ENGINES").items()}
    assert engines.keys() == {"wasm", "webgpu"}
    register(visitor, host.url)
    assert visitor.evaluate(ASK, KEEP_WASM) is None
    (kept,) = visitor.evaluate(KEPT).values()
    expected = precache_of(site_dir) | engines["wasm"]
    assert kept == {f"/{path}": digest for path, digest in expected.items()}
    # An update is as complete as what it replaces.
    host.dist = changed_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING)
    (kept,) = visitor.evaluate(KEPT).values()
    expected = precache_of(changed_site_dir) | dict(
        constant_of(changed_site_dir, "ENGINES")["wasm"]
    )
    assert kept == {f"/{path}": digest for path, digest in expected.items()}


def test_an_engine_that_does_not_arrive_is_told(
    visitor: Page, host: SiteServer, quick_site_dir: Path, tmp_path: Path
) -> None:
    register(visitor, host.url)
    host.dist = shutil.copytree(quick_site_dir, tmp_path / "damaged")
    path = next(path for path, _ in constant_of(quick_site_dir, "ENGINES")["wasm"])
    (host.dist / path).write_text("half an upload")
    assert path in visitor.evaluate(ASK, KEEP_WASM)


def test_it_makes_any_host_isolated_and_strict(visitor: Page, host: SiteServer) -> None:
    register(visitor, host.url)
    visitor.goto(host.url)
    assert visitor.evaluate("crossOriginIsolated")
    ours = {name.lower(): value for name, value in HEADERS.items()}
    for path in ("icon.svg", "sw.js", "not-there.txt"):  # kept, from the host, an error
        headers = visitor.evaluate(HEADERS_OF, [f"{host.url}{path}", {}])
        assert ours.items() <= headers.items(), path


def test_a_range_goes_to_the_host_untouched(
    visitor: Page, host: SiteServer, quick_site_dir: Path
) -> None:
    register(visitor, host.url)
    model = next((quick_site_dir / "models").iterdir())
    init = {"headers": {"Range": "bytes=10-19"}}
    headers = visitor.evaluate(HEADERS_OF, [f"{host.url}models/{model.name}", init])
    assert headers["content-range"] == f"bytes 10-19/{model.stat().st_size}"
    assert "content-security-policy" not in headers


def test_without_a_host_any_address_is_the_page(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(quick_site_dir, tmp_path / "some" / "where")
    with running(make_server(tmp_path, headers=False)) as server:
        root = f"{server.url}some/where/"
        register(visitor, root)
    for address in ("", "index.html", "?from=home#top", "a/b"):
        visitor.goto(f"{root}{address}")
        assert visitor.title() == "Gossamer"
    response = visitor.goto(f"{root}licences.txt")
    assert response
    assert response.text() == (quick_site_dir / "licences.txt").read_text()


def with_blog(site: Path, folder: Path) -> Path:
    """A copy of a site whose host has another page, of a script that our policy would forbid."""
    copy = shutil.copytree(site, folder / "site")
    (copy / "blog").mkdir()
    (copy / "blog" / "index.html").write_text("<title>A blog</title><script src=b.js></script>")
    (copy / "blog" / "b.js").write_text("document.title += ' ' + new Function('return 1 + 1')()")
    (copy / "blog" / "data.txt").write_text("new")
    return copy


def test_other_pages_of_the_host_stay_what_they_are(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = with_blog(quick_site_dir, tmp_path)
    with running(make_server(site, headers=False)) as server:
        register(visitor, server.url)
        visitor.goto(f"{server.url}blog/")
        assert visitor.title() == "A blog 2"
        assert visitor.evaluate("fetch('missing').then(({ status }) => status)") == 404
        visitor.goto(server.url)
        assert visitor.title() == "Gossamer"
        assert visitor.evaluate("crossOriginIsolated")


def test_other_pages_of_the_host_are_never_answered_from_their_own_caches(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = with_blog(quick_site_dir, tmp_path)
    with running(make_server(site, headers=False)) as server:
        register(visitor, server.url)
        visitor.goto(f"{server.url}blog/")
        visitor.evaluate(
            """async () => {
              const cache = await caches.open('of the blog')
              const names = ['data.txt', 'gone.txt']
              for (const name of names) await cache.put(name, new Response('old'))
            }"""
        )
        fetched = "(url) => fetch(url, { cache: 'no-store' }).then((answer) => answer.text())"
        assert visitor.evaluate(fetched, "data.txt") == "new"
        assert visitor.evaluate(fetched, "data.txt?user=2") == "new"
        assert visitor.evaluate("fetch('gone.txt?user=2').then(({ status }) => status)") == 404


def test_what_the_page_has_fetched_is_not_fetched_again(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    (python,) = (path for path in precache_of(site) if path.endswith("pyodide.asm.js"))
    with running(make_server(site)) as host:
        visitor.goto(f"{host.url}licences.txt")
        visitor.evaluate(FETCHED, f"{host.url}{python}")
        (site / python).unlink()
        assert register(visitor, host.url) == "controls"
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept == {f"/{path}": digest for path, digest in precache_of(quick_site_dir).items()}


def test_a_damaged_copy_of_the_browser_s_is_fetched_anew(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    (python,) = (path for path in precache_of(site) if path.endswith("pyodide.asm.js"))
    whole = (site / python).rename(tmp_path / "whole")
    (site / python).write_text("half an upload")
    with running(make_server(site)) as host:
        visitor.goto(f"{host.url}licences.txt")
        visitor.evaluate(FETCHED, f"{host.url}{python}")
        whole.rename(site / python)
        assert register(visitor, host.url) == "controls"
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept == {f"/{path}": digest for path, digest in precache_of(quick_site_dir).items()}


def test_what_somebody_has_cleared_is_kept_again_when_it_is_asked_for(
    visitor: Page, host: SiteServer, quick_site_dir: Path
) -> None:
    """Caches are an origin's, and another site of it may clear them all."""
    register(visitor, host.url)
    for name in visitor.evaluate("caches.keys()"):
        visitor.evaluate("(name) => caches.delete(name)", name)
    visitor.evaluate(FETCHED, f"{host.url}icon.svg")
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept == {"/icon.svg": precache_of(quick_site_dir)["icon.svg"]}


def test_two_sites_on_one_origin_keep_their_own(
    visitor: Page, quick_site_dir: Path, changed_site_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(quick_site_dir, tmp_path / "one")
    shutil.copytree(changed_site_dir, tmp_path / "two")
    with running(make_server(tmp_path, headers=False)) as server:
        assert register(visitor, f"{server.url}one/") == "controls"
        assert register(visitor, f"{server.url}two/") == "controls"
        kept = visitor.evaluate(KEPT)
    sizes = sorted(len(files) for files in kept.values())
    assert sizes == sorted(len(precache_of(site)) for site in (quick_site_dir, changed_site_dir))
