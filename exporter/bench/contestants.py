"""Who is measured: a network of the site, or a peer, each behind one page with the same two calls.

A page has `gossamer.preload(options)` and `gossamer.removeBackground(file, options)`, which
resolves to `{ blob, timings }`; the peer's page is `peer/page.js`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from exporter.errors import BenchError
from exporter.nodejs import find_node, npm_options
from exporter.report import Report, silent
from exporter.serve import HOST, make_server, running

__all__ = ["PEER_MODELS", "Contestant", "serve_peer", "serve_site"]

PEER_MODELS = ("small", "medium")

_PEER = Path(__file__).parent / "peer"
_PEER_NAME = "@imgly/background-removal"


@dataclass(frozen=True)
class Contestant:
    """`url` is its page, `options` what both calls take; `title` names it in the report.

    Without `isolated` the page has no shared memory, and so one thread.
    """

    title: str
    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    isolated: bool = True
    is_peer: bool = False


@contextmanager
def serve_site(site: Path, *, headers: bool = True) -> Iterator[str]:
    """The address of a built site on loopback. Without `headers` it is not isolated."""
    with running(make_server(site, headers=headers)) as server:
        yield server.url


@contextmanager
def serve_peer(folder: Path, report: Report = silent) -> Iterator[str]:
    """The address of the peer's page on loopback, installed into `folder`.

    It comes from its npm package, in the version that `peer/package-lock.json` pins; nothing of it
    is part of Gossamer. Raises BenchError where it cannot be installed.
    """
    _install_peer(folder, report)
    with running(_isolated_server(folder / "page")) as server:
        yield f"http://{HOST}:{server.server_port}/"


def _isolated_server(folder: Path) -> ThreadingHTTPServer:
    """Serves a folder to this machine as an isolated page without a policy of its own."""
    return ThreadingHTTPServer((HOST, 0), partial(_IsolatedHandler, directory=str(folder)))


class _IsolatedHandler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


def _install_peer(folder: Path, report: Report) -> None:
    folder = folder.resolve()
    lock = (_PEER / "package-lock.json").read_bytes()
    installed = folder / "package-lock.json"
    page = folder / "page"
    if not (page.is_dir() and installed.is_file() and installed.read_bytes() == lock):
        _require_ours(folder)
        report(f"Installing {_PEER_NAME} for comparison (some hundred megabytes) ...")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(_PEER, folder)
        _run(["npm", "ci", "--no-audit", "--no-fund", *npm_options()], folder)
        page.mkdir()
    bundle = ["--bundle", "--format=esm", "--log-level=error", "--outfile=page/bundle.js"]
    shutil.copyfile(_PEER / "page.js", folder / "page.js")
    _run([str(folder / "node_modules" / ".bin" / "esbuild"), "page.js", *bundle], folder)
    shutil.copyfile(_PEER / "index.html", page / "index.html")
    if not (page / "data").exists():
        shutil.move(folder / "node_modules" / f"{_PEER_NAME}-data" / "dist", page / "data")


def _require_ours(folder: Path) -> None:
    """Raises BenchError where the folder holds anything but an earlier installation."""
    if not folder.exists() or _is_installation(folder):
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise BenchError(
            f"Expected a new folder for the peer, or one that the bench has made, received "
            f"{folder}, which holds something else and would be deleted. Choose another --out."
        )


def _is_installation(folder: Path) -> bool:
    """Of any version: its lock asks for the peer."""
    try:
        lock = json.loads((folder / "package-lock.json").read_bytes())
        return _PEER_NAME in lock["packages"][""]["dependencies"] and (folder / "page.js").is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _run(command: list[str], folder: Path) -> None:
    try:
        # npm, and the packages that it installs, which call node by its name.
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(find_node()).parent)])
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path},
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise BenchError(
            f"Expected {command[0]}, which the peer is installed with, and found none. "
            "Install Node, or run without the peer: --no-peer."
        ) from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout or str(error)).strip().splitlines()[-1:]
        raise BenchError(
            f"Expected {_PEER_NAME} to be installed: {' '.join(reason)}. "
            "Check the connection, or run without the peer: --no-peer."
        ) from error
