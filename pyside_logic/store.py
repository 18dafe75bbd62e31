"""The model store: which networks are kept on this device, and how they get there.

This is the policy alone. Where bytes are kept and how they travel is given: IndexedDB and fetch in
the browser (`browser_storage.py`), a dict and any HTTP client elsewhere.
"""

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from pyside_logic.errors import ErrorCode, GossamerError, Stage

__all__ = [
    "Download",
    "DownloadError",
    "Entry",
    "ModelStore",
    "RefusedStorage",
    "Response",
    "Storage",
    "StorageError",
]

#: on_progress(bytes here, bytes in all)
OnProgress = Callable[[int, int], None]

#: A download that was cut off goes on from here after the page was closed.
_CHECKPOINT_BYTES = 8 << 20
#: How often a download is taken up again before the person is told.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Entry:
    """A network's file: `sha256` in hex is its identity, `name` is for people."""

    name: str
    url: str
    sha256: str
    bytes: int


class StorageError(Exception):
    """The device refuses to keep something: storage is forbidden, or full."""


class DownloadError(Exception):
    """The server cannot be reached, answers with an error, or stopped in the middle."""


class Storage(Protocol):
    """Bytes by key. Every method may raise StorageError."""

    async def get(self, key: str, /) -> bytes | None: ...
    async def put(self, key: str, data: bytes, /) -> None: ...
    async def delete(self, key: str, /) -> None: ...
    async def keys(self) -> list[str]: ...


@dataclass(frozen=True)
class Response:
    """A file from `offset` on, which is 0 where the server does not resume. Closing `chunks` ends
    the download."""

    offset: int
    chunks: AsyncGenerator[bytes, None]


class Download(Protocol):
    async def __call__(self, url: str, offset: int, /) -> Response:
        """Asks for the file at `url` from byte `offset` on. This, and reading the chunks, may
        raise DownloadError."""
        ...


class RefusedStorage:
    """For windows in which nothing may be stored: every network is handed over instead of kept."""

    async def get(self, _key: str) -> bytes | None:
        return None

    async def put(self, _key: str, _data: bytes) -> None:
        raise StorageError("storage is refused in this window")

    async def delete(self, _key: str) -> None:
        pass

    async def keys(self) -> list[str]:
        return []


class ModelStore:
    """Networks by sha256; an unfinished download lies under the sha256 with `.part`."""

    def __init__(self, storage: Storage, download: Download) -> None:
        self._storage = storage
        self._download = download

    async def ensure(
        self, entry: Entry, on_progress: OnProgress, received: bytes = b""
    ) -> bytes | None:
        """Sees to it that the network is stored, whole and verified. `received` is its beginning,
        or all of it, that has come by another way.

        Returns None, or its bytes where the device would not keep them. Raises `model_unavailable`
        when it cannot be downloaded (what came is kept, the next call goes on from there) and
        `model_corrupt` when the server has another file.
        """
        stored = await self._read(entry.sha256)
        if stored is not None and _sha256(stored) == entry.sha256:
            on_progress(entry.bytes, entry.bytes)
            return None
        data = await self._fetch_verified(entry, received, on_progress)
        for _ in range(2):
            try:
                await self._storage.put(entry.sha256, data)
            except StorageError:
                await self._forget(_part(entry))  # it may be what fills the disk
            else:
                await self._forget(_part(entry))
                return None
        return data

    async def replace(
        self,
        entry: Entry,
        place: str,
        keep: Collection[str],
        on_progress: OnProgress,
        received: bytes = b"",
    ) -> bytes | None:
        """`ensure`, then `evict`: what worked until now stays until its successor is here, and both
        are named while that comes. Where both do not fit, room is made first."""
        # Chromium also refuses a file that fills half of the room as the first thing in a store.
        await self._name(place, {*await self._named_at(_names(place)), *keep})
        data = await self.ensure(entry, on_progress, received)
        freed = await self.evict(place, keep)
        return await self.ensure(entry, on_progress, data) if data and freed else data

    async def evict(self, place: str, keep: Collection[str]) -> list[str]:
        """Deletes what nobody on this origin names any more; returns the keys.

        `keep` are the sha256s that the copy of Gossamer at the path `place` names. Others of other
        versions may share the store: they stay here as `names <path>`.
        """
        await self._name(place, keep)
        try:
            keys = await self._storage.keys()
        except StorageError:
            return []
        wanted = set(keep)
        for key in keys:
            if key.startswith(_names("")):
                wanted.update(await self._named_at(key))
        unwanted = [
            key
            for key in keys
            if not key.startswith(_names("")) and key.removesuffix(".part") not in wanted
        ]
        for key in unwanted:
            await self._forget(key)
        return unwanted

    async def _name(self, place: str, sha256s: Collection[str]) -> None:
        with contextlib.suppress(StorageError):  # a full disk, on which eviction may make room
            await self._storage.put(_names(place), " ".join(sorted(sha256s)).encode())

    async def _named_at(self, key: str) -> list[str]:
        return (await self._read(key) or b"").decode(errors="replace").split()

    async def _fetch_verified(
        self, entry: Entry, received: bytes, on_progress: OnProgress
    ) -> bytes:
        part = await self._read(_part(entry)) or b""
        # The parts may be of two builds: then once more from the start.
        for begun in (max(part, received, key=len), b""):
            data = await self._fetch(entry, bytearray(begun), on_progress)
            if _sha256(data) == entry.sha256:
                return data
            await self._forget(_part(entry))
        raise GossamerError(
            ErrorCode.MODEL_CORRUPT,
            Stage.MODEL,
            f"Expected the network {entry.name} with sha256 {entry.sha256[:10]}..., received"
            " another file. Reload the page; if that does not help, the site is damaged.",
        )

    async def _fetch(self, entry: Entry, received: bytearray, on_progress: OnProgress) -> bytes:
        """All of it, of which `received` is here."""
        if len(received) >= entry.bytes:
            return bytes(received)
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                await self._receive(entry, received, on_progress)
            except DownloadError as error:
                reason = str(error)
            else:
                if len(received) >= entry.bytes:
                    return bytes(received)
                reason = f"it ended after {len(received)} of {entry.bytes} bytes"
        await self._keep_part(entry, received)
        raise GossamerError(
            ErrorCode.MODEL_UNAVAILABLE,
            Stage.MODEL,
            f"The network {entry.name} could not be downloaded: {reason}. Check the connection and"
            " try again; what has arrived is kept.",
        )

    async def _receive(self, entry: Entry, received: bytearray, on_progress: OnProgress) -> None:
        """Adds to `received` what is missing."""
        response = await self._download(entry.url, len(received))
        del received[response.offset :]
        checkpoint = len(received) + _CHECKPOINT_BYTES
        async with contextlib.aclosing(response.chunks) as chunks:
            async for chunk in chunks:
                received += chunk
                on_progress(min(len(received), entry.bytes), entry.bytes)
                if len(received) > entry.bytes:
                    return  # not the file: its hash will tell
                if len(received) >= checkpoint:
                    await self._keep_part(entry, received)
                    checkpoint += _CHECKPOINT_BYTES

    async def _keep_part(self, entry: Entry, received: bytearray) -> None:
        with contextlib.suppress(StorageError):  # only the resuming is lost
            await self._storage.put(_part(entry), bytes(received))

    async def _read(self, key: str) -> bytes | None:
        try:
            return await self._storage.get(key)
        except StorageError:
            return None

    async def _forget(self, key: str) -> None:
        with contextlib.suppress(StorageError):  # what stays is verified before it is used
            await self._storage.delete(key)


def _names(place: str) -> str:
    return f"names {place}"


def _part(entry: Entry) -> str:
    return f"{entry.sha256}.part"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
