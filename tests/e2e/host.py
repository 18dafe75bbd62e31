"""Another site: a plain static host with a strict policy of its own and no isolation."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from exporter.catalog import ROOT
from exporter.serve import HOST, running

#: What docs/embedding.md says that a page's policy must allow, word for word, and nothing else.
(POLICY,) = re.findall(
    r"^Content-Security-Policy: (.*)$", (ROOT / "docs" / "embedding.md").read_text(), re.MULTILINE
)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The standard library asks the operating system, which may not know.
    extensions_map: ClassVar = {
        ".css": "text/css",
        ".html": "text/html",
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        "": "application/octet-stream",
    }

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def strict_host(folder: Path) -> Iterator[str]:
    """The URL at which `folder` is served, with a slash at its end."""
    server = ThreadingHTTPServer((HOST, 0), partial(_Handler, directory=str(folder)))
    with running(server):
        yield f"http://{HOST}:{server.server_port}/"
