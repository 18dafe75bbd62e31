"""Where photos come from and files go to: folders of this machine, and what fsspec reaches."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import filelock
import fsspec
from fsspec.implementations.local import LocalFileSystem

from exporter.errors import BatchError

__all__ = [
    "LocalFolder",
    "ObjectStore",
    "Target",
    "file_system",
    "is_http",
    "is_local",
    "may_pass",
    "open_target",
    "read_bytes",
]

#: Stores that show an object when all of it has arrived, and nothing before.
_PUTS_WHOLE = ("abfs", "abfss", "az", "gcs", "gs", "oss", "s3", "s3a")

#: What a run keeps in its target beside the cut-outs.
_WORK = ".gossamer-batch"

_LASTING = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
#: A name that is too long, and links that lead back to themselves.
_LASTING_NUMBERS = (errno.ENAMETOOLONG, errno.ELOOP)
#: A server's "later": too slow, too early, too often.
_PASSING_STATUS = (408, 425, 429)


class Target(Protocol):
    """A folder of finished files: what has a name is whole. Errors are those of the file system."""

    def names(self) -> set[str]:
        """Of all files: paths in the target, with slashes. One listing, however many there are."""
        ...

    def has(self, name: str) -> bool: ...

    def read(self, name: str) -> bytes: ...

    def write(self, name: str, data: bytes) -> None: ...


class LocalFolder:
    """Files are written beside, and get their name when they are whole and on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._work = root / _WORK

    def names(self) -> set[str]:
        found: set[str] = set()
        for folder, folders, files in os.walk(self._root, onerror=_raise):
            if _WORK in folders:
                folders.remove(_WORK)
            inner = os.path.relpath(folder, self._root).replace(os.sep, "/")
            found.update(files if inner == "." else (f"{inner}/{name}" for name in files))
        return found

    def has(self, name: str) -> bool:
        return (self._root / name).is_file()

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._work / f"{uuid4().hex}.part"
        try:
            with unfinished.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # or a power cut leaves a name without its contents
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """By one run at a time, which finds none of a killed run's unfinished files and leaves none
        itself. Raises BatchError."""
        lock = filelock.FileLock(self._work / "lock", timeout=0)
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise BatchError(
                f"{self._root}: Expected a target of this run alone, and another run is writing to "
                "it. Wait for its end."
            ) from error
        except OSError as error:
            raise BatchError(
                f"{self._root}: Expected a folder that can be written to: {error}"
            ) from error
        try:
            self._sweep()
            yield
        finally:
            self._sweep()
            lock.release()

    def _sweep(self) -> None:
        for unfinished in self._work.glob("*.part"):
            unfinished.unlink(missing_ok=True)


class ObjectStore:
    """Files are put whole: a store shows nothing of one that is cut off."""

    def __init__(self, system: fsspec.AbstractFileSystem, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")

    def names(self) -> set[str]:
        self._system.invalidate_cache()
        return {path[len(self._root) + 1 :] for path in self._system.find(self._root)}

    def has(self, name: str) -> bool:
        return bool(self._system.isfile(f"{self._root}/{name}"))

    def read(self, name: str) -> bytes:
        return bytes(self._system.cat_file(f"{self._root}/{name}"))

    def write(self, name: str, data: bytes) -> None:
        self._system.pipe_file(f"{self._root}/{name}", data)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stores have no locks: two runs at once do photos twice, and the files are the same."""
        yield


def open_target(address: str) -> LocalFolder | ObjectStore:
    """Raises BatchError where files could be seen half-written, or not at all."""
    system, path = file_system(address)
    if isinstance(system, LocalFileSystem):
        return LocalFolder(Path(path))
    if urlsplit(address).scheme not in _PUTS_WHOLE:
        raise BatchError(
            f"{address}: Expected a target in a local folder or in an object store that puts files "
            f"whole ({', '.join(f'{name}://' for name in _PUTS_WHOLE)})."
        )
    return ObjectStore(system, path)


def file_system(address: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """And the path in it. Raises BatchError for an address that nothing here can reach."""
    if is_local(address):
        return LocalFileSystem(), Path(address).resolve().as_posix()
    try:
        system, path = fsspec.core.url_to_fs(address)
    except ImportError as error:  # its message says which package the address needs
        raise BatchError(
            f"{address}: Expected the Python package that reaches {urlsplit(address).scheme}:// "
            f"addresses: {error}. For S3: pip install s3fs, for Google Cloud Storage: gcsfs."
        ) from error
    except ValueError as error:
        raise BatchError(f"{address}: Expected an address that fsspec knows: {error}.") from error
    return system, str(path)


def read_bytes(address: str) -> bytes:
    """Raises BatchError, and the errors of the file system."""
    if is_local(address):
        return Path(address).read_bytes()
    system, path = file_system(address)
    return bytes(system.cat_file(path))


def is_local(address: str) -> bool:
    return "://" not in address


def is_http(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def may_pass(error: Exception) -> bool:
    """Whether a file system's error may be another one, or none, in a second."""
    status = getattr(error, "status", 0)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in _PASSING_STATUS
    lasting = isinstance(error, _LASTING) or getattr(error, "errno", None) in _LASTING_NUMBERS
    return not (refused or lasting)


def _raise(error: OSError) -> None:
    raise error
