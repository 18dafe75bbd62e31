"""The model store in Pyodide: `fetch` as the Download, a JavaScript Map as the Storage, and a real
HTTP server that misbehaves. IndexedDB itself is tested in Chromium."""

import contextlib
import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from exporter.serve import running

NETWORK = bytes(range(256)) * 12_000  # 3 MB
SHA256 = hashlib.sha256(NETWORK).hexdigest()
PART = f"{SHA256}.part"

VISIT = """
import hashlib
import js
from pyodide.ffi import to_js
from pyside_logic.browser_storage import fetch
from pyside_logic.errors import GossamerError
from pyside_logic.store import Entry, ModelStore, StorageError

class MapStorage:
    def __init__(self, full):
        js.kept = getattr(js, 'kept', None) or js.Map.new()
        self.full = full
    async def get(self, key):
        value = js.kept.get(key)
        return value.to_bytes() if value else None
    async def put(self, key, data):
        if self.full:
            raise StorageError('the disk is full')
        js.kept.set(key, to_js(data))
    async def delete(self, key):
        js.kept.delete(key)
    async def keys(self):
        return [str(key) for key in js.kept.keys()]

progress = []
entry = Entry('U2-Net-P', given['url'], given['sha256'], given['bytes'])
store = ModelStore(MapStorage(given['full']), fetch)
outcome, code, message = 'stored', '', ''
try:
    data = await store.ensure(entry, lambda done, total: progress.append([done, total]))
    if data is not None:
        outcome = 'handed over'
        assert len(data) == given['bytes']
except GossamerError as error:
    outcome, code, message = 'failed', error.code, error.message
kept = {}
for key in js.kept.keys():
    data = js.kept.get(key).to_bytes()
    kept[key] = [len(data), hashlib.sha256(data).hexdigest()]
return {'outcome': outcome, 'code': code, 'message': message, 'progress': progress, 'kept': kept}
"""


class Server(http.server.ThreadingHTTPServer):
    """Serves `content`. `cuts` are the byte counts after which the next answers break off."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = NETWORK
        self.status = 0
        self.resumes = True
        self.cuts: list[int] = []
        self.ranges: list[str | None] = []
        self.sent_bytes = 0
        self.finished = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/network.onnx"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers["Range"]
        server.ranges.append(asked)
        resumed = asked is not None and server.resumes
        offset = int(asked.removeprefix("bytes=").removesuffix("-")) if resumed else 0
        body = server.content[offset:]
        if server.status or not body:
            self.send_error(server.status or 416)
            return
        self.send_response(206 if resumed else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        body = body[: server.cuts.pop(0)] if server.cuts else body
        server.sent_bytes = 0
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(body), 1 << 16):
                self.wfile.write(body[at : at + (1 << 16)])
                server.sent_bytes = at + (1 << 16)
        server.finished.release()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


@pytest.fixture
def visit(python_in_pyodide: Any, server: Server) -> Any:
    """`visit()` ensures the network in a store that keeps its contents until the test ends."""
    python_in_pyodide.run("import js\njs.kept = js.Map.new()\nreturn None")

    def ensure(*, url: str = server.url, full: bool = False) -> Any:
        return python_in_pyodide.run(VISIT, url=url, sha256=SHA256, bytes=len(NETWORK), full=full)

    return ensure


def starts(server: Server) -> list[int]:
    """The byte from which each request asked."""
    return [int(asked[6:-1]) if asked else 0 for asked in server.ranges]


def test_downloads_verifies_and_keeps(server: Server, visit: Any) -> None:
    first = visit()
    assert first["outcome"] == "stored"
    assert first["kept"] == {SHA256: [len(NETWORK), SHA256]}
    assert first["progress"][-1] == [len(NETWORK), len(NETWORK)]
    assert first["progress"] == sorted(first["progress"])
    assert visit()["outcome"] == "stored"
    assert server.ranges == [None]  # the second visit asked for nothing


def test_a_cut_connection_is_taken_up_where_it_broke(server: Server, visit: Any) -> None:
    server.cuts = [2_000_000]
    result = visit()
    assert result["outcome"] == "stored"
    assert result["kept"] == {SHA256: [len(NETWORK), SHA256]}
    # fetch may drop what came just before the cut.
    assert len(server.ranges) == 2
    assert 0 < starts(server)[1] <= 2_000_000


def test_the_next_visit_goes_on(server: Server, visit: Any) -> None:
    server.cuts = [2_000_000, 0, 0]
    result = visit()
    assert (result["outcome"], result["code"]) == ("failed", "model_unavailable")
    assert list(result["kept"]) == [PART]
    length, sha256 = result["kept"][PART]
    assert 0 < length <= 2_000_000
    assert sha256 == hashlib.sha256(NETWORK[:length]).hexdigest()
    assert visit()["kept"] == {SHA256: [len(NETWORK), SHA256]}
    assert starts(server)[-1] == length


def test_a_server_that_does_not_resume(server: Server, visit: Any) -> None:
    server.cuts = [2_000_000]
    server.resumes = False
    assert visit()["kept"] == {SHA256: [len(NETWORK), SHA256]}
    assert len(server.ranges) == 2  # what it sent again was not added to what was there


def test_a_part_that_is_all_of_another_file_is_thrown_away(
    server: Server, visit: Any, python_in_pyodide: Any
) -> None:
    python_in_pyodide.run(
        "import js\njs.kept.set(given['key'], js.Uint8Array.new(given['bytes']))\nreturn None",
        key=PART,
        bytes=len(NETWORK),
    )
    assert visit()["kept"] == {SHA256: [len(NETWORK), SHA256]}
    assert starts(server) == [0]


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_of_the_server_is_told(server: Server, visit: Any, status: int) -> None:
    server.status = status
    result = visit()
    assert result["code"] == "model_unavailable"
    assert str(status) in result["message"]


def test_a_server_that_is_not_there(server: Server, visit: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    result = visit(url=f"http://127.0.0.1:{port}/network.onnx")
    assert result["code"] == "model_unavailable"
    assert "cannot be reached" in result["message"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bytes(len(NETWORK)), "model_corrupt"),
        (NETWORK + b"more", "model_corrupt"),
        (NETWORK[:-1000], "model_unavailable"),
    ],
    ids=["other bytes", "too long", "too short"],
)
def test_another_file_is_never_kept(server: Server, visit: Any, content: bytes, code: str) -> None:
    server.content = content
    result = visit()
    assert (result["outcome"], result["code"]) == ("failed", code)
    assert SHA256 not in result["kept"]
    server.content = NETWORK
    assert visit()["kept"] == {SHA256: [len(NETWORK), SHA256]}


def test_a_window_without_indexed_db_gets_the_network_itself(
    server: Server, python_in_pyodide: Any
) -> None:
    """As Node is one."""
    size, kind = python_in_pyodide.run(
        """
        import js
        from pyodide.ffi import to_js
        from pyside_logic import bridge
        entry = to_js(given, dict_converter=js.Object.fromEntries)
        begun = js.Blob.new(to_js([bytes(range(256)) * 4_000]))
        answer = await bridge.ensure_model(entry, to_js([]), begun, lambda done, total: None)
        blob = answer.value.blob
        return [blob.size, blob.constructor.name]
        """,
        name="U2-Net-P",
        url=server.url,
        sha256=SHA256,
        bytes=len(NETWORK),
        place="/",
    )
    assert server.ranges == ["bytes=1024000-"]
    assert (size, kind) == (len(NETWORK), "Blob")


def test_a_download_that_is_not_wanted_any_more_is_ended(server: Server, visit: Any) -> None:
    server.content = NETWORK + bytes(200 << 20)
    assert visit()["code"] == "model_corrupt"
    assert server.finished.acquire(timeout=20)
    assert server.sent_bytes < len(server.content)


def test_a_full_disk_hands_the_network_over(server: Server, visit: Any) -> None:
    result = visit(full=True)
    assert result["outcome"] == "handed over"
    assert result["kept"] == {}
