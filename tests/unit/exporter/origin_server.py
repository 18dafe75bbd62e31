"""A server on loopback that has one file and every way to spoil its transfer."""

import hashlib
import socket
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from exporter.catalog import Origin, Part

CONTENTS = np.random.default_rng(3).bytes(700_000)
SHA256 = hashlib.sha256(CONTENTS).hexdigest()
# A whole number of the chunks in which a download is written.
CUT_OFF_BYTES = 4 * 2**16


class Server(ThreadingHTTPServer):
    """Serves CONTENTS at every path; the path's first word says what goes wrong on the way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.requests: Counter[str] = Counter()
        self.ranges: list[str | None] = []
        self.files: dict[str, tuple[str, bytes]] = {}


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.split("?")[0].lstrip("/")
        self.server.requests[path] += 1
        self.server.ranges.append(self.headers["Range"])
        if path in self.server.files:
            self.answer(200, self.server.files[path][1], self.server.files[path][0])
        elif path == "missing":
            self.answer(404, b"not here")
        elif path == "wrong":
            self.answer(200, b"<html>Please sign in</html>")
        elif path == "longer":
            self.answer(200, CONTENTS + b"more")
        elif path == "deaf-cut-off":
            self.answer(200, CONTENTS, sent=CUT_OFF_BYTES)
        elif path == "misplaced":
            self.answer(206, CONTENTS, content_range="bytes 0-699999/700000")
        else:
            self.answer_range(is_cut_off=path == "cut-off")

    def answer_range(self, *, is_cut_off: bool) -> None:
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        rest = CONTENTS[start:]
        self.answer(
            206 if start else 200,
            rest,
            content_range=f"bytes {start}-{len(CONTENTS) - 1}/{len(CONTENTS)}" if start else "",
            sent=CUT_OFF_BYTES if is_cut_off else len(rest),
        )

    def answer(
        self,
        status: int,
        body: bytes,
        mime: str = "application/octet-stream",
        content_range: str = "",
        sent: int | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", mime)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, *_: object) -> None:
        pass


def pinned(*origins: Origin, contents: bytes = CONTENTS) -> Part:
    return Part(
        name="weights",
        version="1",
        sha256=hashlib.sha256(contents).hexdigest(),
        bytes=len(contents),
        licence="Apache-2.0",
        source="https://example.org",
        origins=origins,
    )


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def names(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")
