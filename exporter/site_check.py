"""Whether a site lies whole on its host: every file that it names is there, as it was built, and of
a type that browsers take.

The list is the site's own: sw.js has the sha256 of all files but the networks, build.js of those.
"""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from exporter.errors import CheckError
from exporter.remote_host import Answer, RemoteHost
from exporter.report import Report, silent
from exporter.site_headers import HEADERS

__all__ = ["Checked", "Finding", "check_site"]

_CONCURRENT_REQUESTS = 6
_PAGE_VERSION = re.compile(r'<html\b[^>]*\bdata-version="([0-9a-f]{64})"')
_WORKER_VERSION = re.compile(r"^const VERSION = '([0-9a-f]{64})'$", re.MULTILINE)
_LIST = re.compile(r"^const \w+ = JSON\.parse\('(.*)'\)$", re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BUILD = re.compile(r"js/build\.[0-9a-f]{10}\.js")
_SCRIPT = re.compile(r"<script\b[^>]*>?", re.IGNORECASE)
_MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d+)", re.IGNORECASE)

_JAVASCRIPT = ("text/javascript", "application/javascript", "application/x-javascript")
#: The types that browsers insist on, by a file's ending.
_NEEDED_TYPES = {
    ".js": _JAVASCRIPT,
    ".css": ("text/css",),
    ".html": ("text/html",),
}
_ISOLATING = ("Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")
#: An address that no site has.
_UNKNOWN = "gossamer-check-site/no-such-file.js"


@dataclass(frozen=True)
class Finding:
    """A `fault` keeps the site from working for somebody; `advice` makes it work better."""

    kind: Literal["fault", "advice"]
    path: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.words}"


@dataclass(frozen=True)
class Checked:
    """`version` is the build's; `files` and `bytes` are those that came."""

    root: str
    version: str
    files: int
    bytes: int
    findings: tuple[Finding, ...]

    def count(self, kind: Literal["fault", "advice"]) -> int:
        return sum(finding.kind == kind for finding in self.findings)


@dataclass(frozen=True)
class _Listed:
    path: str
    sha256: str


def check_site(address: str, report: Report = silent) -> Checked:
    """Fetches all that the site at `address` names. Raises CheckError where there is no site."""
    host = RemoteHost(address)
    page, worker = host.ask("index.html"), host.ask("sw.js")
    versions = _PAGE_VERSION.search(page.text), _WORKER_VERSION.search(worker.text)
    version = next((found[1] for found in reversed(versions) if found), None)
    if version is None:
        raise CheckError(
            f"{host.root}: Expected a site that `gossamer site` has built, received another page."
            " Name the folder that has its index.html and sw.js."
        )
    findings = [*_of_host(host, page), *_of_worker(worker), *_of_lifetimes(page, worker)]
    listed = _listed(worker.text)
    answers = _fetch(host, listed, "Asking for what sw.js names", report)
    networks = _networks(listed, answers)
    answers |= _fetch(host, networks, "Asking for the networks", report)
    findings += [finding for one in (*listed, *networks) for finding in _of_file(one, answers)]
    came = [worker, *answers.values()]
    return Checked(
        host.root,
        version,
        sum(not answer.failure for answer in came),
        sum(answer.bytes for answer in came),
        tuple(findings),
    )


def _fetch(
    host: RemoteHost, listed: Sequence[_Listed], line: str, report: Report
) -> dict[str, Answer]:
    answers = {}
    with ThreadPoolExecutor(_CONCURRENT_REQUESTS) as threads:
        for answer, one in zip(
            threads.map(lambda one: host.ask(one.path), listed), listed, strict=True
        ):
            answers[one.path] = answer
            report(line, len(answers), len(listed))
    return answers


# ---- what the site names -------------------------------------------------------------------------


def _listed(worker: str) -> list[_Listed]:
    """Of sw.js; nothing where it is damaged."""
    try:
        lists = [json.loads(re.sub(r"\\(.)", r"\1", text)) for text in _LIST.findall(worker)]
    except ValueError:
        return []
    return list(_entries(lists))


def _entries(value: Any) -> Iterator[_Listed]:
    """Every [path, sha256] that is somewhere in `value`, which was JSON."""
    match value:
        case [str(path), str(sha256)] if _SHA256.fullmatch(sha256):
            yield _Listed(path, sha256)
        case dict() | list():
            for part in value.values() if isinstance(value, dict) else value:
                yield from _entries(part)


def _networks(listed: Sequence[_Listed], answers: dict[str, Answer]) -> list[_Listed]:
    """Of build.js; nothing where that did not come as it was built."""
    for one in listed:
        answer = answers[one.path]
        if _BUILD.fullmatch(one.path) and answer.sha256 == one.sha256:
            build = json.loads(answer.text.partition("= ")[2])
            artefacts = [artefact for model in build["models"] for artefact in model["artefacts"]]
            named = [_Listed(artefact["path"], artefact["sha256"]) for artefact in artefacts]
            return list(dict.fromkeys(named))  # backends may share one
    return []


# ---- what may be wrong ---------------------------------------------------------------------------


def _of_file(one: _Listed, answers: dict[str, Answer]) -> Iterator[Finding]:
    answer = answers[one.path]
    suffix = PurePosixPath(one.path).suffix
    if answer.failure:
        yield Finding("fault", one.path, f"is missing: {answer.failure}")
    elif answer.sha256 != one.sha256:
        yield Finding("fault", one.path, _changed(one, answer))
    elif suffix in _NEEDED_TYPES and answer.type not in _NEEDED_TYPES[suffix]:
        yield Finding("fault", one.path, _mistyped(answer, _NEEDED_TYPES[suffix][0]))
    elif suffix == ".wasm" and answer.type != "application/wasm":
        yield Finding("advice", one.path, _mistyped(answer, "application/wasm"))


def _changed(one: _Listed, answer: Answer) -> str:
    words = f"Expected sha256 {one.sha256[:10]}, received {answer.sha256[:10]}"
    words += f" ({answer.bytes:,} bytes of {answer.type or 'no type'})"
    if not one.path.endswith(".html") and answer.type == "text/html":
        return f"{words}: a page in the place of the file, which is missing"
    if one.path.endswith(".html") and len(_SCRIPT.findall(answer.text)) > 1:
        return f"{words}: something on the way adds scripts, which the page's policy refuses"
    return f"{words}: of another build, half uploaded, or changed on the way"


def _mistyped(answer: Answer, expected: str) -> str:
    return f"Expected the type {expected}, received {answer.type or 'none'}"


def _of_worker(worker: Answer) -> Iterator[Finding]:
    if worker.failure:
        yield Finding("fault", "sw.js", f"is missing: {worker.failure}. It lists all other files")
        return
    if not _listed(worker.text) or not _WORKER_VERSION.search(worker.text):
        yield Finding("fault", "sw.js", "is damaged. It lists all other files")
    elif worker.type not in _JAVASCRIPT:
        yield Finding("fault", "sw.js", _mistyped(worker, _JAVASCRIPT[0]))
    if worker.is_redirected:
        yield Finding("fault", "sw.js", f"comes by a redirect from {worker.url}, which none may")


def _of_lifetimes(*entries: Answer) -> Iterator[Finding]:
    """Of the files whose names stay."""
    for answer in entries:
        lifetime = answer.headers.get("Cache-Control", "")
        age = _MAX_AGE.search(lifetime)
        if age and int(age[1]) > 0 and not re.search(r"\bno-(cache|store)\b", lifetime):
            path = "sw.js" if answer.url.endswith("sw.js") else "index.html"
            words = f"is kept for {age[1]} s without asking, so updates come late: Cache-Control"
            yield Finding("advice", path, f"{words}: no-cache")


def _of_host(host: RemoteHost, page: Answer) -> Iterator[Finding]:
    for name in _ISOLATING:
        if not page.failure and page.headers.get(name) != HEADERS[name]:
            words = f"comes without {name}: {HEADERS[name]}, so a first visit runs on one thread"
            yield Finding("advice", "index.html", words)
    parts = urlsplit(host.root)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        words = "comes without encryption: browsers keep nothing of it, and run it on one thread"
        yield Finding("advice", host.root, words)
    if not host.ask(_UNKNOWN).failure:
        words = "is no file, and still answered: a file that is missing looks like a damaged one"
        yield Finding("advice", _UNKNOWN, words)
