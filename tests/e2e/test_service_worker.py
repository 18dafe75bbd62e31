"""sw.js alone in real Chromium: what it keeps, what it refuses, and what it adds to an answer."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from exporter.serve import SiteServer, make_server, running
from exporter.site_headers import HEADERS

from .app import wait_until

# Registered from a page that runs no script of its own. Resolves when the worker controls the page,
# and to 'redundant' when the browser has thrown it away.
REGISTER = """
async (address) => {
  const controls = new Promise((resolve) =>
    navigator.serviceWorker.addEventListener('controllerchange', () => resolve('controls'))
  )
  const registration = await navigator.serviceWorker.register(address)
  const worker = registration.installing
  const redundant = new Promise((resolve) =>
    worker.addEventListener('statechange', () => {
      if (worker.state === 'redundant') resolve(worker.state)
    })
  )
  return Promise.race([controls, redundant])
}
"""
UPDATE = """
async () => {
  const registration = await navigator.serviceWorker.ready
  const found = new Promise((resolve) => registration.addEventListener('updatefound', resolve))
  await Promise.all([found, registration.update()])
  const worker = registration.installing ?? registration.waiting
  while (worker.state === 'installing') {
    await new Promise((resolve) => worker.addEventListener('statechange', resolve, { once: true }))
  }
  return worker.state
}
"""
SKIP_WAITING = """
async () => {
  const changed = new Promise((resolve) =>
    navigator.serviceWorker.addEventListener('controllerchange', resolve)
  )
  const { waiting } = await navigator.serviceWorker.ready
  waiting.postMessage({ type: 'skipWaiting' })
  await changed
  // The browser hands the page over first, and lets the new worker tidy up then.
  while ((await caches.keys()).length > 1) await new Promise((resolve) => setTimeout(resolve, 20))
}
"""
KEPT = """
async () => {
  const kept = {}
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const { url } of await cache.keys()) {
      const bytes = await (await cache.match(url)).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
      ;(kept[name] ??= {})[new URL(url).pathname] = hex
    }
  }
  return kept
}
"""
KEEP_ENGINE = """
async (backend) => {
  const { active } = await navigator.serviceWorker.ready
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data.error) })
  active.postMessage({ type: 'keepEngine', backend }, [port2])
  return (await answer) ?? null
}
"""
FETCHED = "async (url) => (await (await fetch(url)).arrayBuffer()).byteLength"
HEADERS_OF = "async ([url, init]) => Object.fromEntries((await fetch(url, init)).headers)"


def precache_of(site: Path) -> dict[str, str]:
    """With what the app does without."""
    return dict([*constant_of(site, "PRECACHE"), *constant_of(site, "SPARE")])


def constant_of(site: Path, name: str) -> Any:
    quoted = re.search(rf"{name} = JSON\.parse\('(.*)'\)", (site / "sw.js").read_text())
    assert quoted
    return json.loads(quoted[1])


#: The page, what the tests change, what names the networks, and a large one; what they open is kept
#: beside them.
FEW = re.compile(r"index\.html|css/.*|js/build\..*|vendor/.*/pyodide\.asm\.js")


def with_few_files(site: Path, folder: Path) -> Path:
    """A copy of a site whose sw.js keeps few of its files: each one takes its time."""
    copy = shutil.copytree(site, folder / "site")
    precache = constant_of(site, "PRECACHE")
    few = json.dumps([entry for entry in precache if FEW.fullmatch(entry[0])])
    script = re.sub(r"(PRECACHE = JSON\.parse\()'.*'", rf"\1'{few}'", (copy / "sw.js").read_text())
    (copy / "sw.js").write_text(script)
    assert 2 < len(constant_of(copy, "PRECACHE")) < len(precache)
    return copy


@pytest.fixture(scope="module")
def quick_site_dir(quick_site_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_few_files(quick_site_dir, tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="module")
def changed_site_dir(changed_site_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_few_files(changed_site_dir, tmp_path_factory.mktemp("changed-few"))


@pytest.fixture(scope="module")
def other_network_site_dir(
    other_network_site_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return with_few_files(other_network_site_dir, tmp_path_factory.mktemp("other-few"))


@pytest.fixture
def host(quick_site_dir: Path) -> Iterator[SiteServer]:
    with running(make_server(quick_site_dir, headers=False)) as server:
        yield server


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def register(page: Page, root: str) -> Any:
    page.goto(f"{root}licences.txt")
    return page.evaluate(REGISTER, f"{root}sw.js")


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
    assert visitor.evaluate(KEEP_ENGINE, "wasm") is None
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
    assert path in visitor.evaluate(KEEP_ENGINE, "wasm")


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


def test_other_pages_of_the_host_stay_what_they_are(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    (site / "blog").mkdir()
    (site / "blog" / "index.html").write_text("<title>A blog</title><script src=b.js></script>")
    (site / "blog" / "b.js").write_text("document.title += ' ' + new Function('return 1 + 1')()")
    with running(make_server(site, headers=False)) as server:
        register(visitor, server.url)
        visitor.goto(f"{server.url}blog/")
        assert visitor.title() == "A blog 2"  # our policy would forbid that script
        assert visitor.evaluate("fetch('missing').then(({ status }) => status)") == 404
        visitor.goto(server.url)
        assert visitor.title() == "Gossamer"
        assert visitor.evaluate("crossOriginIsolated")


def test_other_pages_of_the_host_are_never_answered_from_their_own_caches(
    visitor: Page, quick_site_dir: Path, tmp_path: Path
) -> None:
    site = shutil.copytree(quick_site_dir, tmp_path / "site")
    (site / "blog").mkdir()
    (site / "blog" / "index.html").write_text("<title>A blog</title>")
    (site / "blog" / "data.txt").write_text("new")
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


#: What Python does when it stores a network.
STORE = """
(sha256) => new Promise((resolve) => {
  const opened = indexedDB.open('gossamer', 1)
  opened.onupgradeneeded = () => opened.result.createObjectStore('models')
  opened.onsuccess = () => {
    const models = opened.result.transaction('models', 'readwrite').objectStore('models')
    models.put(new Blob(['a network']), sha256)
    models.transaction.oncomplete = () => { opened.result.close(); resolve() }
  }
})
"""
KEEP_PAGE = """
async () => {
  const { active } = await navigator.serviceWorker.ready
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data.error) })
  active.postMessage({ type: 'keepPage' }, [port2])
  return (await answer) ?? null
}
"""


def network_of(site: Path) -> tuple[str, str]:
    """The path of its only network, and the sha256."""
    (network,) = (site / "models").iterdir()
    return f"models/{network.name}", hashlib.sha256(network.read_bytes()).hexdigest()


def test_an_update_brings_the_network_that_follows_the_stored_one(
    visitor: Page, host: SiteServer, quick_site_dir: Path, other_network_site_dir: Path
) -> None:
    register(visitor, host.url)
    visitor.evaluate(STORE, network_of(quick_site_dir)[1])
    host.dist = other_network_site_dir
    assert visitor.evaluate(UPDATE) == "installed"
    visitor.evaluate(SKIP_WAITING)
    path, sha256 = network_of(other_network_site_dir)
    (kept,) = visitor.evaluate(KEPT).values()
    assert kept[f"/{path}"] == sha256
    # It goes when the page has stored it.
    assert visitor.evaluate(KEEP_PAGE) is None
    assert visitor.evaluate("(path) => caches.match(path).then(Boolean)", path)
    visitor.evaluate(STORE, sha256)
    assert visitor.evaluate(KEEP_PAGE) is None
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
    visitor.evaluate(STORE, network_of(quick_site_dir)[1])
    host.dist = shutil.copytree(other_network_site_dir, tmp_path / "update")
    (host.dist / network_of(host.dist)[0]).unlink()
    assert visitor.evaluate(UPDATE) == "redundant"


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


SHARE = """
async () => {
  const form = new FormData()
  const noise = new Uint8Array(4e6)
  for (let at = 0; at < noise.length; at += 65536) {
    crypto.getRandomValues(noise.subarray(at, at + 65536))
  }
  form.append('photos', new File([noise], 'large.png'))
  form.append('photos', new File(['small'], 'small.png'))
  const answer = await fetch('share', { method: 'POST', body: form })
  return [answer.redirected, answer.url]
}
"""
SHARED = """
async () => {
  const keys = await (await caches.open('gossamer shared /')).keys()
  return keys.map(({ url }) => new URL(url).searchParams.get('name'))
}
"""


def test_of_shared_photos_a_full_disk_keeps_what_fits(visitor: Page, host: SiteServer) -> None:
    register(visitor, host.url)
    used = visitor.evaluate("navigator.storage.estimate().then(({ usage }) => usage)")
    visitor.context.new_cdp_session(visitor).send(
        "Storage.overrideQuotaForOrigin",
        {"origin": host.url.rstrip("/"), "quotaSize": used + 1_000_000},
    )
    redirected, address = visitor.evaluate(SHARE)
    assert redirected
    assert visitor.evaluate(SHARED) == ["small.png"]
    visitor.goto(address)
    expect(visitor.get_by_text("Some of the photos did not fit on this device.")).to_be_visible()
    assert visitor.url == host.url


#: What a page of another site could do without asking anybody.
FORM = """
({ address, policy }) => {
  const meta = document.createElement('meta')
  Object.assign(meta, { name: 'referrer', content: policy })
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', enctype: 'multipart/form-data', action: address })
  form.innerHTML = '<input type=file name=photos>'
  const files = new DataTransfer()
  files.items.add(new File(['not a photo'], 'evil.png'))
  form.firstChild.files = files.files
  document.head.append(meta)
  document.body.append(form)
  form.submit()
}
"""
SANDBOXED = (
    "<iframe sandbox='allow-scripts allow-forms allow-top-navigation' srcdoc='<p>'></iframe>"
)


@pytest.mark.parametrize("kind", ["plain", "without a referrer", "without an origin"])
def test_another_site_cannot_share_anything(
    visitor: Page, host: SiteServer, quick_site_dir: Path, tmp_path: Path, kind: str
) -> None:
    host.dist = shutil.copytree(quick_site_dir, tmp_path / "ours")
    shutil.rmtree(host.dist / "js" / "ui")  # the app would take what is shared at once
    register(visitor, host.url)
    (tmp_path / "index.html").write_text(SANDBOXED if kind == "without an origin" else "")
    policy = "no-referrer" if kind == "without a referrer" else "strict-origin-when-cross-origin"
    given = {"address": f"{host.url}share", "policy": policy}
    with running(make_server(tmp_path, headers=False)) as other:
        visitor.goto(other.url.replace("127.0.0.1", "localhost"))
        if kind == "without an origin":
            script = FORM.replace("form.submit()", "form.target = '_top'; form.submit()")
            visitor.frames[1].evaluate(script, given)
        else:
            visitor.evaluate(FORM, given)
        visitor.wait_for_url(host.url)
    assert visitor.evaluate(SHARED) == []


def test_a_share_of_the_system_is_none_of_a_site_s_forms(visitor: Page, host: SiteServer) -> None:
    """Chromium posts it without an origin, and with a boundary that no form has; no test can make
    the system share something."""
    register(visitor, host.url)
    (worker,) = visitor.context.service_workers
    kinds = {
        ("null", "----MultipartBoundary--GvDkEQYQX6aLr2iy8wc4FC6WpXBWVNvQGgVtoPGlrT----"): True,
        ("null", "----WebKitFormBoundaryvSsk1rkVLpYdiaBO"): False,
        ("http://localhost", "----MultipartBoundary--GvDkEQYQX6aLr2iy8wc4FC6W----"): False,
    }
    for (origin, boundary), is_taken in kinds.items():
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"origin": origin, "content-type": kind}
        assert worker.evaluate("(h) => isShare(new Headers(h))", headers) is is_taken


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
