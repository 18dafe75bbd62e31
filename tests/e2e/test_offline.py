"""The second visit needs no network; a new build replaces the old one as a whole."""

import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from skimage import data

from exporter.bundle import write_bundle
from exporter.chromium import chromium_arguments, find_chromium
from exporter.retired_site import retire_site
from exporter.serve import SiteServer, make_server, running
from tests.conftest import Photo

from .app import SLOW_MS, App, call_api, png, wait_until
from .host import plain_host


def assert_it_cuts(app: App) -> None:
    result = call_api(app.page, "removeBackground", png(data.chelsea()))
    assert result.picture.size == (451, 300)


def test_second_visit_without_any_server(
    browser: Browser, quick_site_dir: Path, tmp_path: Path
) -> None:
    context = browser.new_context()
    photo = tmp_path / "coffee.png"
    photo.write_bytes(png(data.coffee()))
    with running(make_server(quick_site_dir)) as server:
        url = server.url
        app = App(context.new_page(), url).open()
        app.wait_until_offline_ready()
        app.page.close()
    # Nothing listens there any more, and the browser is told that there is no network.
    context.set_offline(True)
    app = App(context.new_page(), url).open()
    app.add(photo)
    app.wait_for_states("done")
    assert app.save()[1].size == (600, 400)
    assert app.page.evaluate("crossOriginIsolated")
    app.page.reload()
    app.add(photo)
    app.wait_for_states("done")
    context.close()


def test_it_is_ready_offline_again_when_caches_were_cleared(
    browser: Browser, quick_site_dir: Path
) -> None:
    """As by another site of the same origin; the service worker stays."""
    context = browser.new_context()
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        for name in app.page.evaluate("caches.keys()"):
            app.page.evaluate("(name) => caches.delete(name)", name)
        app.open()
        app.wait_until_offline_ready()
        app.page.close()
    context.set_offline(True)
    app = App(context.new_page(), server.url).open()
    expect(app.part("offline-state")).to_contain_text("Ready offline", timeout=SLOW_MS)
    assert_it_cuts(app)
    context.close()


@pytest.mark.soak
def test_python_is_compiled_once_for_all_visits(
    playwright: Playwright, quick_server: str, tmp_path: Path
) -> None:
    """Chromium keeps machine code by the response that it came in, and writes it when it is new."""
    photo = tmp_path / "coffee.png"
    photo.write_bytes(png(data.coffee()))
    machine_code = tmp_path / "profile" / "Default" / "Code Cache" / "wasm"
    sizes = []
    for _ in range(4):
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=find_chromium(), args=chromium_arguments()
        )
        app = App(context.new_page(), quick_server).open()
        app.add(photo)
        app.wait_for_states("done")
        app.wait_until_offline_ready()
        app.page.wait_for_timeout(8000)  # it comes when nothing more has been optimised
        context.close()
        sizes.append(sum(file.stat().st_size for file in machine_code.rglob("*_0")))
    assert sizes[0] > 100_000, sizes
    assert sizes[3] < 1.05 * sizes[2], sizes


def test_a_network_that_the_browser_has_lost_is_fetched_again(
    playwright: Playwright, quick_server: str, tmp_path: Path
) -> None:
    """The database still has it, but not the file in which the browser kept it."""

    def visit() -> BrowserContext:
        return playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=find_chromium(), args=chromium_arguments()
        )

    context = visit()
    App(context.new_page(), quick_server).open().wait_until_offline_ready()
    context.close()
    kept = [
        file
        for file in tmp_path.rglob("*")
        if file.is_file() and ".indexeddb.blob" in str(file) and file.stat().st_size > 100_000
    ]
    assert kept
    for file in kept:
        file.unlink()
    context = visit()
    app = App(context.new_page(), quick_server).open()
    assert call_api(app.page, "removeBackground", png(data.chelsea())).fields["notices"] == []
    context.close()


KEPT_WHEN = """
(() => {
  const { register } = ServiceWorkerContainer.prototype
  ServiceWorkerContainer.prototype.register = function (...given) {
    window.keptWhen = document.querySelector('[data-testid=photo]')?.dataset.state
    return register.apply(this, given)
  }
})()
"""


def test_the_first_photo_comes_before_the_page_is_kept(
    installing_page: Page, quick_server: str, tmp_path: Path
) -> None:
    photo = tmp_path / "coffee.png"
    photo.write_bytes(png(data.coffee()))
    installing_page.add_init_script(KEPT_WHEN)
    app = App(installing_page, quick_server).open()
    app.add(photo)
    app.wait_until_offline_ready()
    assert installing_page.evaluate("window.keptWhen") == "done"


# Each is tried from a timer: what a test evaluates directly may do more than the page may.
WHAT_A_WORKER_MAY = """
(address) => new Promise((resolve) => setTimeout(async () => {
  const refused = []
  addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective))
  let ran = 'nothing'
  try { ran = new Function('return "text"')() } catch {}
  await fetch(address).then(() => refused.push('nothing'), () => {})
  await new Promise((resolve) => setTimeout(resolve, 50))
  resolve([ran, refused.sort()])
}))
"""


def test_the_bundle_works_from_any_folder_of_a_plain_host(
    browser: Browser, quick_site_dir: Path, tmp_path: Path
) -> None:
    """No headers, few types, not at the root: works at once, and after one reload isolated, its
    workers as strictly confined as the page."""
    bundle = write_bundle(quick_site_dir, tmp_path / "gossamer.zip")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "hosted" / "tools" / "gossamer")
    context = browser.new_context()
    with plain_host(tmp_path / "hosted") as root:
        app = App(context.new_page(), f"{root}tools/gossamer/").open()
        wait_until(app.page, "crossOriginIsolated && Boolean(window.gossamer)")
        assert app.page.evaluate("Boolean(navigator.serviceWorker.controller)")
        assert_it_cuts(app)
        assert app.page.evaluate("window.gossamer.preload().then(({ threads }) => threads)") > 1
        for name in ("inference", "python"):
            (worker,) = [one for one in app.page.workers if f"/{name}-worker." in one.url]
            ran, refused = worker.evaluate(WHAT_A_WORKER_MAY, "http://localhost:9/pixels")
            assert (ran, refused) == ("nothing", ["connect-src", "script-src"]), name
    context.close()


def test_without_isolation_it_works_on_one_thread(browser: Browser, quick_site_dir: Path) -> None:
    context = browser.new_context(service_workers="block")
    with running(make_server(quick_site_dir, headers=False)) as server:
        app = App(context.new_page(), server.url).open()
        assert not app.page.evaluate("crossOriginIsolated")
        assert_it_cuts(app)
        assert app.page.evaluate("window.gossamer.preload().then(({ threads }) => threads)") == 1
    context.close()


def version_of(app: App) -> str:
    version: str = app.page.evaluate("document.documentElement.dataset.version")
    return version


def wait_for_another_version(app: App, before: str) -> None:
    page = app.page.locator("html")
    expect(page).not_to_have_attribute("data-version", before, timeout=SLOW_MS)
    wait_until(app.page, "Boolean(window.gossamer)")


def offer_update(app: App, server: SiteServer, site_dir: Path) -> None:
    """Waits until the page tells that another build has come."""
    server.dist = site_dir
    app.page.evaluate("navigator.serviceWorker.ready.then((worker) => worker.update())")
    expect(app.part("update")).to_be_visible(timeout=60_000)


def test_a_new_build_waits_until_it_is_wanted(
    browser: Browser, quick_site_dir: Path, changed_site_dir: Path, photos: dict[str, Photo]
) -> None:
    context = browser.new_context()
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        app.page.reload()
        before = version_of(app)
        app.add(photos["chelsea"].png)
        app.wait_for_states("done")
        app.part("feather").get_by_role("slider").press("ArrowRight")
        offer_update(app, server, changed_site_dir)
        assert version_of(app) == before
        dialogs: list[str] = []
        app.page.on("dialog", lambda dialog: dialogs.append(dialog.type))
        app.part("update").get_by_role("button", name="Reload").click()
        expect(app.part("update")).to_contain_text("Reloading loses what is not saved")
        assert version_of(app) == before
        app.part("update").get_by_role("button", name="Reload all the same").click()
        wait_for_another_version(app, before)
        assert call_api(app.page, "removeBackground", png(data.chelsea())).picture.size == (
            451,
            300,
        )
        caches = app.page.evaluate("caches.keys()")
        assert len([name for name in caches if name.startswith("gossamer-")]) == 1
    assert dialogs == []  # it was asked already
    context.close()


# The new build takes over before the page can hear of it, and the page is none the wiser: it sees
# the controller that it began with, which a browser's processes may tell it, too, for a moment.
TAKES_OVER_UNHEARD = """
(() => {
  const container = ServiceWorkerContainer.prototype
  const { register } = container
  container.register = async function (...given) {
    const registration = await register.apply(this, given)
    const { waiting } = registration
    waiting?.postMessage({ type: 'skipWaiting' })
    const since = performance.now()
    while (waiting?.state === 'installed') {
      if (performance.now() - since > 10_000) {
        // Chromium thinks that the earlier worker still answers this page: another one comes.
        location.reload()
        await new Promise(() => {})
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return registration
  }
  const { get } = Object.getOwnPropertyDescriptor(container, 'controller')
  let first
  Object.defineProperty(container, 'controller', {
    get() {
      first ??= get.call(this)
      return first
    },
  })
  const { addEventListener } = EventTarget.prototype
  EventTarget.prototype.addEventListener = function (type, ...given) {
    if (type !== 'controllerchange') addEventListener.call(this, type, ...given)
  }
})()
"""


@pytest.mark.soak  # Chromium, overridden so, may keep the earlier worker for minutes
def test_a_build_that_takes_over_unheard_is_followed(
    browser: Browser, quick_site_dir: Path, changed_site_dir: Path
) -> None:
    """As where Chromium keeps the earlier worker until the page that asked has gone."""
    context = browser.new_context()
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        before = version_of(app)
        offer_update(app, server, changed_site_dir)
        app.page.add_init_script(TAKES_OVER_UNHEARD)
        app.page.evaluate("ServiceWorker.prototype.postMessage = () => {}")  # it does not help
        app.part("update").get_by_role("button", name="Reload").click()
        wait_for_another_version(app, before)
        assert app.page.evaluate("Boolean(navigator.serviceWorker.controller)")
    context.close()


def test_a_returning_visitor_of_a_retired_site_gets_what_the_host_has_now(
    browser: Browser, quick_site_dir: Path, tmp_path: Path
) -> None:
    """The page that the device has would be shown for ever, whatever the host answers."""
    context = browser.new_context()
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        app.page.evaluate("caches.open('gossamer-1 /another/place/')")
        app.page.close()
        server.dist = retire_site(tmp_path / "retired")
        page = context.new_page()
        gone = page.get_by_text("Gossamer is no longer at this address.")
        deadline_s = time.monotonic() + SLOW_MS / 1000
        while not gone.is_visible():
            assert time.monotonic() < deadline_s
            page.goto(server.url)  # Chromium may keep the earlier worker until its page has gone
            with suppress(AssertionError):
                expect(gone).to_be_visible(timeout=10_000)
        (server.dist / "index.html").write_text("<title>A garden</title>")
        page.reload()
        assert page.title() == "A garden"
        assert page.evaluate("caches.keys()") == ["gossamer-1 /another/place/"]
        found = "navigator.serviceWorker.getRegistrations()"
        wait_until(page, f"{found}.then(({{ length }}) => length === 0)")
    context.close()


@pytest.mark.soak
def test_an_update_that_nobody_has_asked_for_works_without_a_network_too(
    browser: Browser, quick_site_dir: Path, other_network_site_dir: Path
) -> None:
    """It takes over when the page that was told of it is closed, and has another network."""
    context = browser.new_context()
    with running(make_server(quick_site_dir)) as server:
        app = App(context.new_page(), server.url).open()
        app.wait_until_offline_ready()
        before = version_of(app)
        offer_update(app, server, other_network_site_dir)
        app.page.close()
    context.set_offline(True)
    app = App(context.new_page(), server.url).open()
    assert version_of(app) != before
    assert_it_cuts(app)
    context.close()


@pytest.mark.soak
@pytest.mark.parametrize("damage", ["emptied", "overwritten"])
def test_a_damaged_model_store_is_mended(page: Page, quick_server: str, damage: str) -> None:
    app = App(page, quick_server).open()
    call_api(app.page, "removeBackground", png(data.chelsea()))
    app.page.evaluate(
        """(damage) => new Promise((resolve, reject) => {
          const opened = indexedDB.open('gossamer')
          opened.onsuccess = () => {
            const database = opened.result
            const store = database.transaction('models', 'readwrite').objectStore('models')
            const keys = store.getAllKeys()
            keys.onsuccess = () => {
              if (!keys.result.length) reject(new Error('nothing is stored'))
              for (const key of keys.result) {
                if (damage === 'emptied') store.delete(key)
                else store.put(new Blob(['not a network']), key)
              }
            }
            store.transaction.oncomplete = () => { database.close(); resolve() }
          }
        })""",
        damage,
    )
    app.open()
    assert_it_cuts(app)
