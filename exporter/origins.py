"""Fetches one pinned file: from the cache, else from the first origin that has it.

<user cache folder>/gossamer/<sha256>        the file, checked before it got this name
                             <sha256>.part   what a cut-off download left, continued later
                             <sha256>.lock   held while one process fetches
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import platformdirs

from exporter.catalog import NpmOrigin, Origin, Part, PypiOrigin, UrlOrigin
from exporter.download import OriginError, download_url, from_npm, from_pypi
from exporter.errors import FetchError
from exporter.report import Report, silent

__all__ = ["cache_folder", "cached", "fetch", "sha256_of"]


def fetch(
    part: Part, *, local: Path | None = None, cache: Path | None = None, report: Report = silent
) -> Path:
    """Returns the path of the file in the cache; do not write to it.

    `local` is a copy that the user has already: it goes into the cache, if its sha256 is right.
    Raises FetchError.
    """
    cache = cache or cache_folder()
    target = cache / part.sha256
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _lock(target, part, report):
            if local is not None:
                _take_local(local, target, part)
            # The name promises the contents; a disk may have broken the promise since.
            elif not (target.is_file() and sha256_of(target) == part.sha256):
                _take_from_origins(target, part, report)
    except OSError as error:
        raise FetchError(
            f"{part.name}: Expected a cache folder that can be written to: {error}. "
            "Set GOSSAMER_CACHE to another one."
        ) from error
    return target


def cached(part: Part, cache: Path | None = None) -> bool:
    """Whether the cache has a file of that name and size (it is not read, so this is quick)."""
    path = (cache or cache_folder()) / part.sha256
    return path.is_file() and path.stat().st_size == part.bytes


def cache_folder() -> Path:
    """GOSSAMER_CACHE, else the folder that the platform has for caches."""
    named = os.environ.get("GOSSAMER_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("gossamer", appauthor=False)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _lock(target: Path, part: Part, report: Report) -> Iterator[None]:
    lock = filelock.FileLock(f"{target}.lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        report(f"Waiting for another process that is fetching {part.name}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _take_local(local: Path, target: Path, part: Part) -> None:
    if not local.is_file():
        raise FetchError(f"{part.name}: Expected a file at {local}, received nothing there.")
    with _scratch(target) as scratch:
        copy = Path(shutil.copyfile(local, scratch / "copy"))
        received = sha256_of(copy)
        if received != part.sha256:
            raise FetchError(
                f"{part.name}: Expected a file with sha256 {part.sha256}, received {local} with "
                f"{received}. For other weights add an entry to models/catalog.toml."
            )
        copy.replace(target)


def _take_from_origins(target: Path, part: Part, report: Report) -> None:
    partial = target.with_name(f"{target.name}.part")
    reasons = []
    for origin in part.origins:
        report(f"Fetching {part.name} from {origin}")
        try:
            with _scratch(target) as scratch:
                _obtain(origin, part, scratch, partial, report).replace(target)
        except OriginError as error:
            report(f"  not there: {error}")
            reasons.append(f"  {origin}\n    {error}")
        else:
            partial.unlink(missing_ok=True)
            return
        if partial.is_file() and partial.stat().st_size == 0:
            partial.unlink()
    raise FetchError(
        f"{part.name}: Expected one of these origins to have the file with sha256 {part.sha256} "
        f"({part.bytes:,} bytes), and none did:\n" + "\n".join(reasons) + "\n"
        "If you have the file, pass a network's with `--weights FILE`, or copy any part to\n"
        f"  {target}"
    )


def _obtain(origin: Origin, part: Part, scratch: Path, partial: Path, report: Report) -> Path:
    """A file of that origin with the right hash, on the same disk as the cache."""
    match origin:
        case UrlOrigin():
            return _continue_download(origin, part, partial, report)
        case PypiOrigin():
            path = from_pypi(origin, part, scratch, report)
        case NpmOrigin():
            path = from_npm(origin, part, scratch, report)
    _check(path, part)
    return path


def _continue_download(origin: UrlOrigin, part: Part, partial: Path, report: Report) -> Path:
    resumes = partial.exists()
    download_url(origin.url, partial, part, report)
    if resumes and sha256_of(partial) != part.sha256:
        # The first half may have come from an origin with another file.
        partial.unlink()
        download_url(origin.url, partial, part, report)
    try:
        _check(partial, part)
    except OriginError:
        partial.unlink()
        raise
    return partial


def _check(path: Path, part: Part) -> None:
    received = sha256_of(path)
    if received != part.sha256:
        raise OriginError(
            f"expected sha256 {part.sha256}, received {received} ({path.stat().st_size:,} bytes)"
        )


@contextmanager
def _scratch(target: Path) -> Iterator[Path]:
    """A folder beside `target`, so that a rename out of it is atomic. Call it under the lock."""
    prefix = f"{target.name}.tmp-"
    for left_by_a_killed_process in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=prefix) as folder:
        yield Path(folder)
