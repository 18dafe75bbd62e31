"""A Chromium for one contestant: its page, what it costs, and the peak of its memory."""

import base64
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.bench.contestants import Contestant
from exporter.chromium import chromium_arguments, find_chromium
from exporter.errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

__all__ = ["Tab", "machine", "new_tab", "open_chromium", "open_playwright", "peak_bytes"]

_PREPARE = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
_TIME_LIMIT_MS = 300_000
_OPEN_LIMIT_S = 60

_KEEP_PHOTO = """([name, text]) => {
  globalThis.benchPhotos ??= {}
  globalThis.benchPhotos[name] = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}"""
_HAS_API = "() => Boolean(globalThis.gossamer)"


@dataclass
class Tab:
    """A contestant's page. `cut` raises BenchError with what the page says."""

    contestant: Contestant
    page: "Page"

    def open(self) -> None:
        from playwright.sync_api import Error

        give_up_s = time.monotonic() + _OPEN_LIMIT_S
        try:
            self.page.goto(self.contestant.url)
        except Error as error:
            raise self._error(f"Expected its page: {error.message.splitlines()[0]}") from error
        # Not wait_for_function: that evaluates text, which the site's policy forbids.
        while not self._evaluate(_HAS_API, None):
            if time.monotonic() > give_up_s:
                raise self._error(f"Expected its page to be ready within {_OPEN_LIMIT_S} s.")
            self.page.wait_for_timeout(10)
        self._evaluate(f"() => {{ {_PREPARE} }}", None)

    def preload(self) -> None:
        options = dict(self.contestant.options)
        self._evaluate("(options) => globalThis.gossamer.preload(options).then(() => 0)", options)

    def take(self, name: str, jpeg: bytes) -> None:
        """Gives the page a photo, which `cut` names."""
        self._evaluate(_KEEP_PHOTO, [name, base64.b64encode(jpeg).decode()])

    def cut(self, photo: str, *, wants_pixels: bool = False) -> dict[str, Any]:
        """What `page.js` says of one photo: times by stage, the main thread's longest task, the
        bytes of the PNG, and with `wants_pixels` the PNG."""
        answer: dict[str, Any] = self._evaluate(
            "(job) => globalThis.benchCut(job)",
            [photo, dict(self.contestant.options), wants_pixels],
        )
        return answer

    def drop(self, photo: Path) -> None:
        """Gives the page of the site a photo as a person does, and waits for its cut-out."""
        from playwright.sync_api import Error

        self.page.get_by_test_id("file-input").set_input_files(photo)
        photos = self.page.get_by_test_id("photo")
        try:
            ended = photos.and_(self.page.locator("[data-state=done], [data-state=failed]"))
            ended.wait_for()
        except Error as error:
            raise self._error(f"Expected a cut-out: {error.message.splitlines()[0]}") from error
        if ended.get_attribute("data-state") == "failed":
            raise self._error("Expected a cut-out, and its page shows that it failed.")

    def _evaluate(self, expression: str, argument: Any) -> Any:
        from playwright.sync_api import Error

        try:
            return self.page.evaluate(expression, argument)
        except Error as error:
            raise self._error(f"Expected an answer: {error.message.splitlines()[0]}") from error

    def _error(self, words: str) -> BenchError:
        return BenchError(f"{self.contestant.title}: {words}")


@contextmanager
def open_playwright() -> Iterator["Playwright"]:
    """Raises BenchError where Playwright is not installed."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise BenchError(
            "Expected Playwright, which drives the browser, and found none. "
            "Run this in Gossamer's folder: pip install --editable '.[verify]'"
        ) from error
    with sync_playwright() as playwright:
        yield playwright


@contextmanager
def open_chromium(playwright: "Playwright") -> Iterator["Browser"]:
    """Raises BenchError."""
    from playwright.sync_api import Error

    try:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=chromium_arguments()
        )
    except Error as error:
        raise BenchError(f"Expected Chromium to start: {error.message.splitlines()[0]}") from error
    try:
        yield browser
    finally:
        browser.close()


def new_tab(context: "BrowserContext", contestant: Contestant) -> Tab:
    page = context.new_page()
    page.set_default_timeout(_TIME_LIMIT_MS)
    return Tab(contestant, page)


def peak_bytes(browser: "Browser") -> int | None:
    """The most memory that the browser's pages and their workers have held, by the kernel's count;
    None where the system does not tell (Linux does)."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    peaks = [
        _peak_of(process["id"]) for process in processes if process["type"].lower() == "renderer"
    ]
    return max((peak for peak in peaks if peak), default=None)


def _peak_of(process_id: int) -> int | None:
    try:
        status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    kilobytes = fields.get("VmHWM", "").split()
    return int(kilobytes[0]) * 1024 if kilobytes else None


def machine() -> Mapping[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
