"""Asks a host for files as a browser does: through redirects and compression, and with the name and
the password that its address may hold."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import requests

from exporter.errors import CheckError
from exporter.http_failures import TIMEOUTS_S, reason_of

__all__ = ["Answer", "RemoteHost"]

_CHUNK_BYTES = 1 << 16
#: Of longer files only the hash is kept.
_MOST_TEXT_BYTES = 4 << 20


@dataclass(frozen=True)
class Answer:
    """`failure` is why there is no file, or nothing; `content` the beginning of the file, as it is
    without its compression."""

    url: str
    failure: str = ""
    type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    sha256: str = ""
    bytes: int = 0
    is_redirected: bool = False

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


class RemoteHost:
    """`root` is the folder that an address leads to, without a password, with a slash at its end.
    Raises CheckError for what is no such address, and where nothing answers there."""

    def __init__(self, address: str) -> None:
        try:
            parts = urlsplit(address)
            named = parts.hostname and parts.scheme in ("http", "https") and (parts.port or 1)
        except ValueError:  # of its port, or of an IPv6 address
            named = None
        if not named:
            raise CheckError(
                "Expected an address such as https://example.org/photos/, received"
                f" {address.rpartition('@')[2]!r}."
            )
        self._place = parts.netloc.rpartition("@")[2]
        self._password = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._session = requests.Session()
        self.root = urlunsplit((parts.scheme, self._place, parts.path or "/", "", ""))
        page = self.ask("")
        if page.failure:
            raise CheckError(f"{self.root}: Expected a site, received nothing: {page.failure}.")
        self.root = urljoin(page.url, ".")

    def ask(self, path: str) -> Answer:
        """What the host has at `path`, relative to the root. Raises nothing: see Answer."""
        url = urljoin(self.root, path)
        # The password is for this host alone, wherever a redirect has led.
        password = self._password if urlsplit(url).netloc == self._place else None
        try:
            with self._session.get(
                url,
                auth=password if password and any(password) else None,
                headers={"Accept-Encoding": "gzip, deflate", "Cache-Control": "no-cache"},
                timeout=TIMEOUTS_S,
                stream=True,
            ) as response:
                return _read(response)
        except (requests.RequestException, OSError) as error:
            return Answer(url, failure=reason_of(error))


def _read(response: requests.Response) -> Answer:
    if response.status_code != 200:
        return Answer(response.url, failure=f"the host answers {response.status_code}")
    digest = hashlib.sha256()
    content = bytearray()
    size = 0
    for chunk in response.iter_content(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if size <= _MOST_TEXT_BYTES:
            content += chunk
    return Answer(
        response.url,
        type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        headers=response.headers,
        content=bytes(content),
        sha256=digest.hexdigest(),
        bytes=size,
        is_redirected=bool(response.history),
    )
