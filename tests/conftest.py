"""The built site, its servers, and a real Chromium that is watched for anything unwanted."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    sync_playwright,
)

from exporter.chromium import chromium_arguments, find_chromium
from exporter.library import build_library
from exporter.serve import make_server, running
from exporter.site import WEB, SiteChoices, build_site
from exporter.verification.browser import SOFTWARE_GPU

#: What takes seconds to build, and next to nothing to run.
QUICK = SiteChoices(("wasm",), size=(64, 64))


@pytest.fixture(scope="session")
def site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it, from the sources as they are now."""
    return build_site(["u2netp"], tmp_path_factory.mktemp("site") / "dist")


@pytest.fixture(scope="session")
def changed_site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another version of the quick site: one rule more in the style sheet."""
    folder = tmp_path_factory.mktemp("changed-site")
    web = shutil.copytree(WEB, folder / "web")
    with (web / "css" / "app.css").open("a") as style_sheet:
        style_sheet.write("\n.another-version { color: inherit }\n")
    return build_site(["u2netp"], folder / "dist", choices=QUICK, web=web)


@pytest.fixture(scope="session")
def other_network_site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another version of the quick site: its network is another file."""
    folder = tmp_path_factory.mktemp("other-network") / "dist"
    return build_site(["u2netp"], folder, choices=SiteChoices(("wasm",), size=(96, 96)))


@pytest.fixture(scope="session")
def two_network_site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The networks of `make site`, one of them named twice."""
    folder = tmp_path_factory.mktemp("two") / "dist"
    return build_site(["u2netp", "modnet", "u2netp"], folder, choices=SiteChoices(("wasm",)))


@pytest.fixture(scope="session")
def server(site_dir: Path) -> Iterator[str]:
    """The URL of the site as `gossamer serve` serves it, with a slash at its end."""
    with running(make_server(site_dir)) as site_server:
        yield site_server.url


@pytest.fixture(scope="session")
def two_network_server(two_network_site_dir: Path) -> Iterator[str]:
    """The URL of a site with two networks."""
    with running(make_server(two_network_site_dir)) as site_server:
        yield site_server.url


@pytest.fixture(scope="session")
def small_site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks of 64 x 64 px for every backend: seconds on a software GPU, where the published
    sizes take minutes."""
    choices = SiteChoices(("wasm", "webgpu", "webgl"), precision="fp32", size=(64, 64))
    folder = tmp_path_factory.mktemp("small-site") / "dist"
    return build_site(["modnet", "u2netp"], folder, choices=choices)


@pytest.fixture(scope="session")
def int8_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a site whose network is a file in int8."""
    choices = SiteChoices(("wasm",), precision="int8")
    folder = tmp_path_factory.mktemp("int8") / "dist"
    site = build_site(["u2netp"], folder, choices=choices)
    with running(make_server(site)) as site_server:
        yield site_server.url


@pytest.fixture(scope="session")
def quick_site_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For tests that want a photo cut out and not to look at it: a network of 64 x 64 px."""
    return build_site(["u2netp"], tmp_path_factory.mktemp("quick") / "dist", choices=QUICK)


@pytest.fixture(scope="session")
def quick_server(quick_site_dir: Path) -> Iterator[str]:
    """The URL of that site."""
    with running(make_server(quick_site_dir)) as site_server:
        yield site_server.url


@pytest.fixture(scope="session")
def quick_library_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for other sites, with the network of that site."""
    return build_library(["u2netp"], tmp_path_factory.mktemp("library") / "gossamer", choices=QUICK)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    yield from launched(playwright)


@pytest.fixture(scope="session")
def gpu_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with WebGPU and WebGL, which SwiftShader computes on the CPU."""
    yield from launched(playwright, *SOFTWARE_GPU)


def launched(playwright: Playwright, *arguments: str) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(
        executable_path=find_chromium(), args=chromium_arguments(*arguments)
    )
    yield chromium
    chromium.close()


class Watch:
    """Collects what must not happen in a context: pages, workers and service workers alike."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def foreign_requests(self) -> list[str]:
        """Those to any other place than this machine; blob: and data: never leave the page."""
        addresses = ((url, urlsplit(url)) for url in self.requests)
        return [
            url
            for url, parts in addresses
            if parts.scheme not in ("blob", "data") and parts.hostname != "127.0.0.1"
        ]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """In a fresh context. Fails the test on a foreign request, an uncaught error or a violation.

    It has no service worker, which would fetch and hash the whole site beside every test.
    """
    with watched_page(browser, with_service_worker=False) as page:
        yield page


@pytest.fixture
def installing_page(browser: Browser) -> Iterator[Page]:
    """The same, with the service worker."""
    with watched_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def lasting_page(browser: Browser) -> Iterator[Page]:
    """One for all tests of a module, whose last one it fails: engines take seconds to start."""
    with watched_page(browser, with_service_worker=False) as page:
        yield page


@contextmanager
def watched_page(browser: Browser, *, with_service_worker: bool = True) -> Iterator[Page]:
    context = browser.new_context()
    if not with_service_worker:  # as in a window that refuses storage
        context.add_init_script("delete Navigator.prototype.serviceWorker")
    watch = Watch(context)
    yield context.new_page()
    context.close()
    assert watch.requests, "the watch has seen nothing at all"
    assert watch.foreign_requests() == []
    assert watch.complaints == []


@dataclass(frozen=True)
class Photo:
    """`rgb_hwc` is uint8; `png` holds the same pixels, `jpeg` nearly."""

    rgb_hwc: np.ndarray
    png: Path
    jpeg: Path


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Photo]:
    """Public domain and CC0 photographs that scikit-image carries (its data/README says whose)."""
    folder = tmp_path_factory.mktemp("photos")
    photos = {}
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        rgb_hwc = getattr(skimage.data, name)()
        photo = Photo(rgb_hwc, folder / f"{name}.png", folder / f"{name}.jpg")
        Image.fromarray(rgb_hwc).save(photo.png)
        Image.fromarray(rgb_hwc).save(photo.jpeg, quality=95)
        photos[name] = photo
    return photos
