"""Follows a page of the documentation: each block does what its language says, in one folder."""

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, Route
from skimage import data

from .samples import ROOT, Sample
from .surroundings import answers, bucket, cluster, new_environment, serving

#: Stays out of the copy of the checkout: what was built, installed or remembered.
_LEFT_OUT = shutil.ignore_patterns(
    ".[!n]*", "build", "dist", "node_modules", "__pycache__", "*.egg-info"
)
_MOST_S = 900
_IMPORT = re.compile(r"^import [^']+ from '[^']+'$", re.M)


class Reader:
    """Has a fresh checkout with two photos in photos/, Gossamer installed, and a site open."""

    def __init__(self, folder: Path, page: Page) -> None:
        self._folder = folder
        self._page = page
        self._printed = ""
        self._namespace: dict[str, Any] = {}
        self._imports: list[str] = []
        self._programs = Path(sys.executable).parent
        self._environment = {**running_from(self._programs), "PYTHONPATH": str(folder)}
        make_checkout(folder)

    def follow(self, sample: Sample) -> None:
        """Fails the test where the block does not do what the page says."""
        if "title" in sample.words:
            (self._folder / sample.words["title"]).write_text(sample.text, encoding="utf-8")
            return
        if "output" in sample.words:
            self._compare(sample)
            return
        if "part-of" in sample.words:
            self._find(sample)
            return
        match sample.language:
            case "sh":
                self._run_shell(sample)
            case "python":
                self._run_python(sample)
            case "js":
                self._run_module(sample)
            case "html":
                self._open_page(sample)
            case "text":
                pass  # a picture in letters
            case _:
                pytest.fail(f"{sample.where}: nothing runs a block of {sample.language}")

    def _run_shell(self, sample: Sample) -> None:
        if "installs" in sample.words:
            self._programs = new_environment(self._folder / "fresh")
            self._environment = running_from(self._programs)
        environment = dict(self._environment)
        command = ["bash", "-euo", "pipefail", "-c", sample.text]
        if "serves" in sample.words:
            with serving(command, self._folder, environment) as address:
                assert answers(address), sample.where
            return
        with contextlib.ExitStack() as around:
            for name in filter(None, sample.words.get("needs", "").split(",")):
                place = {"bucket": bucket, "cluster": cluster}[name]
                around.enter_context(place(self._programs, self._folder, environment))
            run = subprocess.run(
                command,
                cwd=self._folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_MOST_S,
                check=False,
            )
        assert run.returncode == 0, f"{sample.where}: {run.stdout}{run.stderr}"
        self._printed = run.stdout

    def _run_python(self, sample: Sample) -> None:
        code = compile(sample.text, sample.where, "exec")
        printed = io.StringIO()
        with contextlib.chdir(self._folder), contextlib.redirect_stdout(printed):
            exec(code, self._namespace)
        self._printed = printed.getvalue()

    def _run_module(self, sample: Sample) -> None:
        self._imports = _IMPORT.findall(sample.text) or self._imports
        # On the first line, so that the numbers of an error's lines are the block's.
        before = "" if _IMPORT.search(sample.text) else ";".join(self._imports) + ";"
        address = self._lay(sample, "text/javascript", before + sample.text)
        with complaining(self._page, sample):
            self._page.evaluate("(address) => import(address).then(() => null)", address)

    def _open_page(self, sample: Sample) -> None:
        address = self._lay(sample, "text/html", sample.text)
        page = self._page.context.new_page()
        with complaining(page, sample):
            page.goto(address, wait_until="networkidle")
        page.close()

    def _lay(self, sample: Sample, content_type: str, text: str) -> str:
        """The address of a block beside the page that is open."""
        address = urljoin(self._page.url, f"{sample.where.replace(':', '-')}.{sample.language}")
        self._page.context.route(address, answer(content_type, text))
        return address

    def _find(self, sample: Sample) -> None:
        whole = (self._folder / sample.words["part-of"]).read_text(encoding="utf-8")
        for part in sample.text.strip().split("\n\n"):
            assert part in whole, f"{sample.where}: not in {sample.words['part-of']}: {part}"

    def _compare(self, sample: Sample) -> None:
        same = doctest.OutputChecker().check_output(
            sample.text, self._printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        )
        assert same, f"{sample.where}: expected\n{sample.text}\nreceived\n{self._printed}"


def running_from(programs: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def answer(content_type: str, body: str | bytes) -> Callable[[Route], None]:
    return lambda route: route.fulfill(content_type=content_type, body=body)


@contextlib.contextmanager
def complaining(page: Page, sample: Sample) -> Iterator[None]:
    """Fails the test where the page logs an error or an assertion."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("assert", "error"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield
    page.remove_listener("console", listen)
    assert complaints == [], sample.where


def make_checkout(folder: Path) -> None:
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    # What tells make that everything is installed: it is, elsewhere on PATH.
    stamps = folder / ".venv" / "bin"
    stamps.mkdir(parents=True)
    (stamps / ".made").write_text(f"{folder.resolve()} ", encoding="utf-8")
    for name in (".installed", ".dev"):
        (stamps / name).touch()
    photos = folder / "photos"
    photos.mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(photos / f"{name}.jpg", quality=95)
