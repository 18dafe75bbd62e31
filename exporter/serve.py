"""Serves a built site to this machine, with the headers that it needs, and never to another."""

import errno
import functools
import gzip
import io
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import unquote, urlsplit

from exporter.errors import ServeError
from exporter.site_headers import ANY_BYTES, CONTENT_TYPES, HEADERS

__all__ = ["HOST", "SiteServer", "make_server", "running"]

HOST = "127.0.0.1"

#: The shell, and not what is fetched once and kept: a network would hold up its first byte.
_COMPRESSED = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".webmanifest"}
_CHUNK_BYTES = 1 << 20
_HASHED = re.compile(r"\.[0-9a-f]{10}[./]")
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
#: No file has more bytes than eighteen digits can say, and Python reads only so many.
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class SiteServer(ThreadingHTTPServer):
    """`dist` may be changed while it runs: a deployment, as the browser sees it."""

    daemon_threads = True

    def __init__(self, dist: Path, port: int, *, headers: bool) -> None:
        self.dist = dist
        self.with_headers = headers
        self._connections: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Ends what a browser keeps open for its next request, too, which would be answered."""
        super().server_close()
        for connection in list(self._connections):
            with suppress(OSError):  # ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer
    protocol_version = "HTTP/1.1"  # keeps the connection open: a start is 60 requests
    # A body follows its headers, and would wait 40 ms for the browser to say that these have come.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing: the browser's own list of requests is better."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """With the headers of every answer: `send_error` of the base class begins here, too."""
        super().send_response(code, message)
        if not self.server.with_headers:
            return
        for name, value in HEADERS.items():
            self.send_header(name, value)
        is_lasting = code < HTTPStatus.BAD_REQUEST and _HASHED.search(urlsplit(self.path).path)
        lifetime = "public, max-age=31536000, immutable" if is_lasting else "no-cache"
        self.send_header("Cache-Control", lifetime)
        self.send_header("Vary", "Accept-Encoding")

    def _answer(self, *, with_body: bool) -> None:
        try:
            path = self._find()
            stream, etag, encoding = self._open(path)
        except (OSError, ValueError):
            self._send_empty(HTTPStatus.NOT_FOUND)
            return
        with stream:
            self._send_file(stream, path, etag, with_body, encoding)

    def _open(self, path: Path) -> tuple[BinaryIO, str, str | None]:
        """What is sent, its ETag and its encoding. Raises OSError where the file has gone since."""
        status = path.stat()
        version = f"{status.st_mtime_ns:x}-{status.st_size:x}"
        if self._takes_gzip(path):
            return io.BytesIO(_gzipped(path, version)), f'"{version}-gzip"', "gzip"
        return path.open("rb"), f'"{version}"', None

    def _takes_gzip(self, path: Path) -> bool:
        """Ranges are those of the file as it is, and a plain host compresses nothing."""
        if not self.server.with_headers or path.suffix not in _COMPRESSED:
            return False
        taken = _TAKES_GZIP.search(self.headers.get("Accept-Encoding", ""))
        return taken is not None and "Range" not in self.headers

    def _find(self) -> Path:
        """The file. Raises OSError or ValueError for folders, for what is not there, for what is
        not in the site and for what is no address."""
        url_path = urlsplit(self.path).path
        relative = unquote(url_path).lstrip("/")
        if url_path.endswith("/"):
            relative += "index.html"
        root = self.server.dist.resolve()
        path = (root / relative).resolve()
        if "\\" in relative or not path.is_relative_to(root) or not path.is_file():
            raise FileNotFoundError(url_path)
        return path

    def _send_file(
        self, stream: BinaryIO, path: Path, etag: str, with_body: bool, encoding: str | None
    ) -> None:
        size = stream.seek(0, 2)
        requested = self.headers.get("Range")
        if self.headers.get("If-None-Match") == etag and not requested:
            self._send_empty(HTTPStatus.NOT_MODIFIED, {"ETag": etag})
            return
        # A range of a file that has changed since is of no use: the whole file is sent.
        if requested and self.headers.get("If-Range", etag) == etag:
            span = _parse_range(requested, size)
            if span is None:
                fields = {"Content-Range": f"bytes */{size}"}
                self._send_empty(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, fields)
                return
            start, stop = span
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        else:
            start, stop = 0, size
            self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPES.get(path.suffix, ANY_BYTES))
        self.send_header("Content-Length", str(stop - start))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        else:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", etag)
        self.end_headers()
        if with_body:
            self._copy(stream, start, stop)

    def _copy(self, stream: BinaryIO, start: int, stop: int) -> None:
        stream.seek(start)
        try:
            for position in range(start, stop, _CHUNK_BYTES):
                self.wfile.write(stream.read(min(_CHUNK_BYTES, stop - position)))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the page was closed or has aborted a download

    def _send_empty(self, status: HTTPStatus, fields: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", "0")
        self.end_headers()


def make_server(dist: Path, port: int = 0, *, headers: bool = True) -> SiteServer:
    """A bound server; port 0 is any free one. The caller runs and closes it.

    `dist` holds the site, or folders with sites. Without `headers` it answers as a plain static
    host: no policies, no cache lifetimes. Raises ServeError.
    """
    if not any(dist.rglob("index.html")):
        raise ServeError(f"Expected a built site in {dist}, found none. Run `make site` first.")
    try:
        return SiteServer(dist, port, headers=headers)
    except OverflowError as error:
        raise ServeError(f"Expected a port from 0 to 65535, received {port}.") from error
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise ServeError(
            f"Expected port {port} of {HOST} to be free, received: {error.strerror}."
            f" Stop what uses it, or choose another: make serve PORT={port % 65_000 + 1}"
        ) from error


@functools.lru_cache(maxsize=512)
def _gzipped(path: Path, version: str) -> bytes:  # noqa: ARG001
    """What `path` holds, compressed once for each of its versions."""
    return gzip.compress(path.read_bytes(), mtime=0)


_Server = TypeVar("_Server", bound=ThreadingHTTPServer)


@contextmanager
def running(server: _Server) -> Iterator[_Server]:
    """Answers in a thread of its own while the context is open, and closes the server with it."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _parse_range(requested: str, size: int) -> tuple[int, int] | None:
    """Start and stop (not included) in bytes; None when no single such range lies in the file."""
    match = _ONE_RANGE.fullmatch(requested.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
    return (start, stop) if start < stop else None
