"""sw.js without the app, in real Chromium: a page that runs no script of its own registers, asks
and updates it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from exporter.serve import SiteServer, make_server, running

# To 'controls' when the worker has the page, and to 'redundant' when the browser threw it away.
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
#: What the page asks of its worker; null where that went well.
ASK = """
async (message) => {
  const { active } = await navigator.serviceWorker.ready
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data.error) })
  active.postMessage(message, [port2])
  return (await answer) ?? null
}
"""
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
