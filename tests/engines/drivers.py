"""Three browser engines behind one narrow door: open an address, call a function in the page."""

import os
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from .marionette import Marionette

_TIME_LIMIT_S = 240
# WebDriver knows scripts with a callback, not functions that promise.
_CALL = """
const [given, answer] = arguments
Promise.resolve((%s)(given)).then(
  (value) => answer({ value: value ?? null }),
  (error) => answer({ error: String(error) }))
"""


class Engine(ABC):
    """A page in one browser. `name` is its name in the matrix."""

    name: str
    version: str

    @abstractmethod
    def open(self, url: str) -> None: ...

    @abstractmethod
    def call(self, function: str, given: Any = None) -> Any:
        """What an async JavaScript function of one argument resolves to; both are JSON."""


class Chromium(Engine):
    name = "Chromium"

    def __init__(self, browser: Browser, page: Page) -> None:
        self.page = page
        self.version = browser.version

    def open(self, url: str) -> None:
        self.page.goto(url)

    def call(self, function: str, given: Any = None) -> Any:
        return self.page.evaluate(function, given)


class Firefox(Engine):
    """Under a remote control it is the harder test: a thread that nobody held was lost on 10 of 60
    first visits, and on none of 75 without a control; since they are held (`wasm-threads.js`), on
    none of 50."""

    name = "Firefox"

    def __init__(self, executable: str, profile: Path) -> None:
        self._marionette = Marionette(executable, profile, _TIME_LIMIT_S)
        self.version = self._marionette.version

    def open(self, url: str) -> None:
        self._marionette.ask("Navigate", url=url)

    def call(self, function: str, given: Any = None) -> Any:
        # No sandbox: the page's own objects.
        told = self._marionette.ask(
            "ExecuteAsyncScript", script=_CALL % function, args=[given], sandbox=None
        )
        return _value_of(told["value"])

    def close(self) -> None:
        self._marionette.close()


class WebKit(Engine):
    """WebKitGTK's MiniBrowser, on a screen that nobody sees."""

    name = "WebKitGTK"

    def __init__(self, mini_browser: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.webkitgtk.service import Service

        options = webdriver.WebKitGTKOptions()
        options.binary_location = mini_browser
        options.add_argument("--automation")
        self._driver = webdriver.WebKitGTK(options=options, service=Service())
        self._driver.set_script_timeout(_TIME_LIMIT_S)
        self.version = str(self._driver.capabilities["browserVersion"])

    def open(self, url: str) -> None:
        self._driver.get(url)

    def call(self, function: str, given: Any = None) -> Any:
        return _value_of(self._driver.execute_async_script(_CALL % function, given))

    def close(self) -> None:
        self._driver.quit()


def _value_of(answer: dict[str, Any]) -> Any:
    assert "error" not in answer, answer["error"]
    return answer["value"]


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Skips the test where this machine has no Firefox ESR."""
    executable = os.environ.get("FIREFOX") or shutil.which("firefox-esr")
    if not executable:
        _skip("Firefox", "firefox-esr")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        engine = Firefox(executable, Path(profile))
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def webkit() -> Iterator[WebKit]:
    """Skips the test where this machine has no WebKitGTK with its driver, or no Xvfb."""
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    xvfb = shutil.which("Xvfb")
    if not browsers or not xvfb or not shutil.which("WebKitWebDriver"):
        _skip("WebKit", "webkit2gtk-driver and xvfb")
    with ExitStack() as stack:
        stack.enter_context(_screen(xvfb))
        engine = WebKit(str(browsers[0]))
        stack.callback(engine.close)
        yield engine


def _skip(name: str, packages: str) -> None:
    reason = f"{name} is not tested here: it wants Debian's {packages}"
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        pytest.fail(f"{reason}, which `make browser` installs")
    pytest.skip(reason)


@contextmanager
def _screen(xvfb: str) -> Iterator[None]:
    """DISPLAY is that of an Xvfb, which chooses a free number itself."""
    read_end, write_end = os.pipe()
    before = os.environ.get("DISPLAY")
    with subprocess.Popen(
        [xvfb, "-displayfd", str(write_end), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            os.environ["DISPLAY"] = f":{stream.readline().strip()}"
        try:
            yield
        finally:
            process.terminate()
            os.environ.pop("DISPLAY")
            if before is not None:
                os.environ["DISPLAY"] = before
