"""Plain static hosts that know few types: one with a strict policy of its own, and no isolation."""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from exporter.catalog import ROOT
from exporter.serve import HOST, running

#: What docs/embedding.md says that a page's policy must allow, word for word, and nothing else.
(POLICY,) = re.findall(
    r"^Content-Security-Policy: (.*)$", (ROOT / "docs" / "embedding.md").read_text(), re.MULTILINE
)


#: Those that every host knows.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class PlainHandler(SimpleHTTPRequestHandler):
    """Answers as `python -m http.server` does, with few types."""

    protocol_version = "HTTP/1.1"

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """The standard library would ask the operating system, which may know more."""
        return _TYPES.get(Path(path).suffix, "application/octet-stream")

    def log_message(self, *_arguments: object) -> None:
        pass


class _StrictHandler(PlainHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


@contextmanager
def plain_host(
    folder: Path, handler: type[SimpleHTTPRequestHandler] = PlainHandler
) -> Iterator[str]:
    """The URL at which `folder` is served, with a slash at its end."""
    server = ThreadingHTTPServer((HOST, 0), partial(handler, directory=str(folder)))
    with running(server):
        yield f"http://{HOST}:{server.server_port}/"


def strict_host(folder: Path) -> AbstractContextManager[str]:
    """The same, with POLICY."""
    return plain_host(folder, _StrictHandler)
