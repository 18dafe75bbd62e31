"""Three browser engines behind one narrow door: open an address, call a function in the page."""

import json
import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_TIME_LIMIT_S = 240


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
    name = "Firefox"

    def __init__(self, executable: str, node: str) -> None:
        self.version = _version_of(executable)
        self._process = subprocess.Popen(
            [node, str(_HERE / "firefox.mjs"), executable],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def open(self, url: str) -> None:
        self._ask(open=url)

    def call(self, function: str, given: Any = None) -> Any:
        # BiDi takes an expression: the function comes with its argument.
        return self._ask(evaluate=f"({function})({json.dumps(given)})")

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, **command: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "Firefox has gone"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]


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
        script = f"""
        const answer = arguments[arguments.length - 1]
        Promise.resolve(({function})(arguments[0])).then(
          (value) => answer({{ value: value ?? null }}),
          (error) => answer({{ error: String(error) }}))
        """
        answer = self._driver.execute_async_script(script, given)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def close(self) -> None:
        self._driver.quit()


@contextmanager
def firefox() -> Iterator[Firefox]:
    """Skips the test where this machine has no Firefox ESR."""
    executable = os.environ.get("FIREFOX") or shutil.which("firefox-esr")
    node = shutil.which("node")
    if not executable or not node:
        _skip("Firefox", "firefox-esr, and Node")
    engine = Firefox(executable, node)
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


def _version_of(executable: str) -> str:
    told = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[-1]
