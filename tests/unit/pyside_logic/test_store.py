"""`store.py` over a real HTTP server that misbehaves in every way that servers do."""

import asyncio
import hashlib
import http.server
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any, TypeVar

import pytest

from exporter.serve import running
from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.store import (
    DownloadError,
    Entry,
    ModelStore,
    RefusedStorage,
    Response,
    StorageError,
)

T = TypeVar("T")

NETWORK = bytes(range(256)) * 40_000  # 10 MB: more than one checkpoint
SHA256 = hashlib.sha256(NETWORK).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves NETWORK. `cuts` are the byte counts after which the next answers break off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = NETWORK
        self.status = 0
        self.resumes = True
        self.cuts: list[int] = []
        self.ranges: list[str | None] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers["Range"]
        server.ranges.append(asked)
        if server.status:
            self.send_error(server.status)
            return
        resumed = asked is not None and server.resumes
        offset = int(asked.removeprefix("bytes=").removesuffix("-")) if resumed else 0
        body = server.content[offset:]
        self.send_response(206 if resumed else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: a browser test before this one may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def download(url: str, offset: int) -> Response:
    """A Download over urllib."""
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    except (urllib.error.URLError, OSError) as error:
        raise DownloadError(str(error)) from error

    async def chunks() -> AsyncIterator[bytes]:
        with response:
            try:
                while chunk := response.read1(1 << 16):
                    yield chunk
            except (OSError, HTTPException) as error:
                raise DownloadError(str(error)) from error

    return Response(offset if response.status == 206 else 0, chunks())


class DictStorage(dict[str, bytes]):
    """A Storage in memory; `full` refuses every put, as a full disk does."""

    full = False

    async def get(self, key: str) -> bytes | None:  # type: ignore[override]
        return dict.get(self, key)

    async def put(self, key: str, data: bytes) -> None:
        if self.full:
            raise StorageError("the disk is full")
        self[key] = data

    async def delete(self, key: str) -> None:
        self.pop(key, None)

    async def keys(self) -> list[str]:  # type: ignore[override]
        return list(self)


class SmallStorage(DictStorage):
    """Holds 12 MB, which is the network or a long part of it, but not both."""

    async def put(self, key: str, data: bytes) -> None:
        others = sum(len(value) for name, value in self.items() if name != key)
        if others + len(data) > 12_000_000:
            raise StorageError("the disk is full")
        await super().put(key, data)


class Visit:
    """One visit to the site: a store, and what it told about its progress."""

    def __init__(self, server: Server, storage: DictStorage | RefusedStorage) -> None:
        self.store = ModelStore(storage, download)
        url = f"http://127.0.0.1:{server.server_address[1]}/network.onnx"
        self.entry = Entry("U2-Net-P", url, SHA256, len(NETWORK))
        self.progress: list[tuple[int, int]] = []

    def ensure(self, received: bytes = b"") -> bytes | None:
        return run(self.store.ensure(self.entry, self._note, received))

    def replace(self) -> bytes | None:
        return run(self.store.replace(self.entry, "/", [SHA256], self._note))

    def _note(self, done: int, total: int) -> None:
        self.progress.append((done, total))


def test_downloads_verifies_and_keeps(server: Server) -> None:
    storage = DictStorage()
    visit = Visit(server, storage)
    assert visit.ensure() is None
    assert storage == {SHA256: NETWORK}
    assert visit.progress[-1] == (len(NETWORK), len(NETWORK))
    assert visit.progress == sorted(visit.progress)
    assert Visit(server, storage).ensure() is None
    assert server.ranges == [None]  # the second visit asked for nothing


def test_a_cut_connection_is_taken_up_where_it_broke(server: Server) -> None:
    server.cuts = [3_000_000]
    storage = DictStorage()
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}
    assert server.ranges == [None, "bytes=3000000-"]


def test_what_arrived_before_the_network_went_is_used_by_the_next_visit(server: Server) -> None:
    server.cuts = [4_000_000, 1_000_000, 0]
    storage = DictStorage()
    with pytest.raises(GossamerError) as caught:
        Visit(server, storage).ensure()
    assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE
    assert "U2-Net-P" in caught.value.message
    assert storage == {f"{SHA256}.part": NETWORK[:5_000_000]}
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}
    assert server.ranges[-1] == "bytes=5000000-"


@pytest.mark.parametrize(
    ("received", "ranges"),
    [
        (NETWORK, []),
        (NETWORK[:3_000_000], ["bytes=3000000-"]),
        (NETWORK[:1_000_000], ["bytes=2000000-"]),  # more was here
        (NETWORK[:-1] + b"!", [None]),
        (b"another file", ["bytes=2000000-"]),
        (b"another file" * 200_000, ["bytes=2400000-", None]),
        (NETWORK + b"more", [None]),
    ],
    ids=["all", "much", "little", "damaged", "other", "much of another", "too long"],
)
def test_what_came_by_another_way_is_not_fetched_again(
    server: Server, received: bytes, ranges: list[str | None]
) -> None:
    storage = DictStorage({f"{SHA256}.part": NETWORK[:2_000_000]})
    assert Visit(server, storage).ensure(received) is None
    assert storage == {SHA256: NETWORK}
    assert server.ranges == ranges


def test_a_long_download_is_kept_on_the_way(server: Server) -> None:
    puts: list[tuple[str, int]] = []

    class Noting(DictStorage):
        async def put(self, key: str, data: bytes) -> None:
            puts.append((key, len(data)))
            await super().put(key, data)

    storage = Noting()
    Visit(server, storage).ensure()
    (key, kept), whole = puts  # it is written once in 8 MB: each time, all of it is
    assert key == f"{SHA256}.part"
    assert 8 << 20 <= kept < len(NETWORK)
    assert whole == (SHA256, len(NETWORK))
    assert storage == {SHA256: NETWORK}


def test_a_server_that_does_not_resume(server: Server) -> None:
    server.cuts = [4_000_000]
    server.resumes = False
    storage = DictStorage()
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_of_the_server_is_told(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(GossamerError, match=str(status)) as caught:
        Visit(server, DictStorage()).ensure()
    assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE


@pytest.mark.parametrize("content", [bytes(len(NETWORK)), NETWORK + b"more"])
def test_another_file_is_never_kept(server: Server, content: bytes) -> None:
    server.content = content
    storage = DictStorage()
    with pytest.raises(GossamerError) as caught:
        Visit(server, storage).ensure()
    assert caught.value.code is ErrorCode.MODEL_CORRUPT
    assert storage == {}


def test_a_part_of_another_build_is_thrown_away(server: Server) -> None:
    storage = DictStorage({f"{SHA256}.part": b"another build" * 1000})
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}


def test_a_damaged_network_is_fetched_again(server: Server) -> None:
    storage = DictStorage({SHA256: NETWORK[:-1] + b"!"})
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}


def test_a_full_disk_hands_the_network_over(server: Server) -> None:
    storage = DictStorage()
    storage.full = True
    assert Visit(server, storage).ensure() == NETWORK
    assert storage == {}


def test_a_part_that_fills_the_disk_makes_room_for_the_whole(server: Server) -> None:
    storage = SmallStorage()
    assert Visit(server, storage).ensure() is None
    assert storage == {SHA256: NETWORK}


def test_refused_storage_hands_the_network_over(server: Server) -> None:
    assert Visit(server, RefusedStorage()).ensure() == NETWORK


def test_only_what_the_site_names_is_kept() -> None:
    storage = DictStorage({"old": b"", "old.part": b"", "new": b"", "new.part": b""})
    deleted = run(ModelStore(storage, download).evict("/", {"new"}))
    assert sorted(deleted) == ["old", "old.part"]
    assert sorted(storage) == ["names /", "new", "new.part"]


def test_what_another_copy_on_this_origin_names_is_kept_until_it_no_longer_does() -> None:
    storage = DictStorage({"a": b"", "b": b"", "b.part": b"", "both": b""})
    store = ModelStore(storage, download)
    storage.full = True  # then nobody knows of the other copy, and still room is made
    assert run(store.evict("/one/", {"a", "b", "both"})) == []
    storage.full = False
    assert run(store.evict("/one/", {"a", "both"})) == ["b", "b.part"]
    storage.update({"b": b""})
    run(ModelStore(storage, download).evict("/one/", {"a", "b", "both"}))
    assert run(store.evict("/other/", {"both"})) == []
    assert run(store.evict("/one/", {"both"})) == ["a", "b"]
    assert sorted(storage) == ["both", "names /one/", "names /other/"]


def test_what_worked_stays_until_its_successor_is_here(server: Server) -> None:
    storage = DictStorage({"old": b"the network before"})
    server.status = 503
    with pytest.raises(GossamerError):
        Visit(server, storage).replace()
    assert "old" in storage
    server.status = 0
    assert Visit(server, storage).replace() is None
    assert storage == {SHA256: NETWORK, "names /": SHA256.encode()}


class SharedStorage(DictStorage):
    """Another copy of Gossamer on this origin tidies up as soon as a part has come."""

    freed: list[str] | None = None

    async def put(self, key: str, data: bytes) -> None:
        await super().put(key, data)
        if key.endswith(".part"):
            self.freed = await ModelStore(self, download).evict("/other/", [])


def test_another_copy_takes_nothing_from_a_replacement_under_way(server: Server) -> None:
    """Neither what still works nor what has come of its successor."""
    storage = SharedStorage({"old": b"", "names /": b"old"})
    assert Visit(server, storage).replace() is None
    assert storage.freed == []
    assert storage == {SHA256: NETWORK, "names /": SHA256.encode(), "names /other/": b""}


def test_where_both_do_not_fit_what_nobody_names_makes_room(server: Server) -> None:
    storage = SmallStorage({"old": bytes(4_000_000), "other": b"", "names /other/": b"other"})
    assert Visit(server, storage).replace() is None
    assert sorted(storage) == sorted([SHA256, "names /", "names /other/", "other"])
    assert server.ranges == [None]  # it was fetched once
