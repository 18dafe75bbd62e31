"""The local server, asked over real sockets."""

import gzip
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.errors import ServeError
from exporter.serve import SiteServer, make_server, running
from exporter.site_headers import HEADERS

HASHED = "js/app.0123456789.js"
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    for name in ("index.html", HASHED, "vendor/x.0123456789/x.wasm", "models/net.onnx"):
        path = dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    (tmp_path / "secret.txt").write_text("not part of the site")
    return dist


@pytest.fixture
def site(dist: Path) -> Iterator[SiteServer]:
    with running(make_server(dist)) as server:
        yield server


def ask(
    server: SiteServer, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """`path` goes out as it is written, unlike through urllib."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_policy_names_no_other_place() -> None:
    """Nothing that a page fetches, shows, starts or sends, and no text that it runs."""
    policy = HEADERS["Content-Security-Policy"]
    allowed = {name: set(sources) for name, *sources in map(str.split, policy.split(";"))}
    assert allowed.pop("script-src") == {"'self'", "'wasm-unsafe-eval'"}
    assert allowed.pop("img-src") == {"'self'", "blob:", "data:"}
    for name in ("default-src", "base-uri", "form-action"):
        assert allowed.pop(name) == {"'none'"}, name
    assert {source for sources in allowed.values() for source in sources} == {"'self'"}
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["X-Content-Type-Options"] == "nosniff"


def test_every_answer_carries_every_header(site: SiteServer) -> None:
    etag = ask(site, "/")[0].headers["ETag"]
    answers = [
        (200, ask(site, "/")),
        (200, ask(site, f"/{HASHED}")),
        (200, ask(site, "/", "HEAD")),
        (206, ask(site, "/", Range="bytes=0-9")),
        (304, ask(site, "/", If_None_Match=etag)),
        (404, ask(site, "/missing")),
        (414, ask(site, f"/{'n' * 70_000}")),
        (416, ask(site, "/", Range="bytes=99999-")),
        (501, ask(site, "/", "POST")),
        (501, ask(site, f"/{HASHED}", "OPTIONS")),
    ]
    expected = {**HEADERS, "Vary": "Accept-Encoding"}
    for status, (response, _) in answers:
        assert response.status == status
        assert {name: response.headers[name] for name in expected} == expected, status
        lasts = response.headers["Cache-Control"] != "no-cache"
        assert lasts == (response is answers[1][1][0]), status


def test_who_takes_gzip_gets_text_compressed(site: SiteServer, dist: Path) -> None:
    response, body = ask(site, f"/{HASHED}", Accept_Encoding="br;q=1, gzip;q=0.5, deflate")
    assert response.headers["Content-Encoding"] == "gzip"
    assert int(response.headers["Content-Length"]) == len(body) < len(CONTENT)
    assert gzip.decompress(body) == CONTENT
    etag = response.headers["ETag"]
    assert etag != ask(site, f"/{HASHED}")[0].headers["ETag"]  # no range of the one is of the other
    unchanged, nothing = ask(site, f"/{HASHED}", Accept_Encoding="gzip", If_None_Match=etag)
    assert (unchanged.status, nothing) == (304, b"")
    asked, nothing = ask(site, f"/{HASHED}", "HEAD", Accept_Encoding="gzip")
    assert (asked.headers["Content-Length"], nothing) == (response.headers["Content-Length"], b"")
    (dist / HASHED).write_bytes(CONTENT[:1000])
    changed, body = ask(site, f"/{HASHED}", Accept_Encoding="gzip", If_None_Match=etag)
    assert (changed.status, gzip.decompress(body)) == (200, CONTENT[:1000])


def test_ranges_networks_and_who_does_not_take_gzip_get_bytes_as_they_are(site: SiteServer) -> None:
    for path, headers in (
        (f"/{HASHED}", {}),
        (f"/{HASHED}", {"Accept_Encoding": "gzip", "Range": "bytes=0-"}),
        (f"/{HASHED}", {"Accept_Encoding": "br, gzip;q=0, deflate"}),
        ("/models/net.onnx", {"Accept_Encoding": "gzip"}),
    ):
        response, body = ask(site, path, **headers)
        assert body == CONTENT
        assert "Content-Encoding" not in response.headers
        assert response.headers["Vary"] == "Accept-Encoding"


def test_a_plain_host_sends_none_of_them(dist: Path) -> None:
    with running(make_server(dist, headers=False)) as server:
        response, body = ask(server, f"/{HASHED}")
    assert body == CONTENT
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert not {*HEADERS, "Cache-Control"} & {*response.headers}


@pytest.mark.parametrize(
    ("path", "type_", "lifetime"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html?x=1", "text/html; charset=utf-8", "no-cache"),
        (f"/{HASHED}", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        (
            "/vendor/x.0123456789/x.wasm",
            "application/wasm",
            "public, max-age=31536000, immutable",
        ),
        ("/models/net.onnx", "application/octet-stream", "no-cache"),
    ],
)
def test_types_and_lifetimes(site: SiteServer, path: str, type_: str, lifetime: str) -> None:
    response, body = ask(site, path)
    assert (response.status, body) == (200, CONTENT)
    assert response.headers["Content-Type"] == type_
    assert response.headers["Cache-Control"] == lifetime


def test_that_a_file_is_missing_is_not_remembered(site: SiteServer, dist: Path) -> None:
    (dist / HASHED).unlink()
    response, _ = ask(site, f"/{HASHED}")
    assert (response.status, response.headers["Cache-Control"]) == (404, "no-cache")


def test_a_file_that_comes_and_goes_is_there_or_not(site: SiteServer, dist: Path) -> None:
    """Whatever lies between the search for a file and its opening, there is an answer."""
    path, away, done = dist / "models/net.onnx", dist / "models/away", threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            path.rename(away)
            away.rename(path)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        received = {ask(site, "/models/net.onnx")[0].status for _ in range(300)}
    finally:
        done.set()
        thread.join()
    assert received <= {200, 404}


@pytest.mark.parametrize(
    "path",
    [
        "HTTP://[/",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/js/..%5c..%5csecret.txt",
        "/js",
        "/js/",
        "/index.html/",
        "/index.html%00",
        "/missing.js",
        f"/{'n' * 256}",
    ],
)
def test_nothing_but_files_of_the_site(site: SiteServer, path: str) -> None:
    response, body = ask(site, path)
    assert (response.status, body) == (404, b"")


def test_a_link_out_of_the_site_is_not_followed(site: SiteServer, dist: Path) -> None:
    (dist / "link.txt").symlink_to(dist.parent / "secret.txt")
    (dist / "js" / "index.html").symlink_to(dist.parent / "secret.txt")
    for path in ("/link.txt", "/js/index.html", "/js/"):
        assert ask(site, path)[0].status == 404


@pytest.mark.parametrize(
    ("requested", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=100-", 100, 10240), ("bytes=-5", 10235, 10240),
     ("bytes=10000-99999", 10000, 10240), ("bytes=-99999", 0, 10240)],
)  # fmt: skip
def test_a_download_goes_on_where_it_stopped(
    site: SiteServer, requested: str, start: int, stop: int
) -> None:
    response, body = ask(site, "/models/net.onnx", Range=requested)
    assert (response.status, body) == (206, CONTENT[start:stop])
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/10240"


@pytest.mark.parametrize(
    "requested",
    ["bytes=10240-", "bytes=5-4", "bytes=-", "lines=1-2", f"bytes={'9' * 5000}-"],
)
def test_a_range_outside_the_file(site: SiteServer, requested: str) -> None:
    response, body = ask(site, "/models/net.onnx", Range=requested)
    assert (response.status, body) == (416, b"")
    assert response.headers["Content-Range"] == "bytes */10240"


def test_a_range_of_a_file_that_has_changed_gives_the_whole_file(
    site: SiteServer, dist: Path
) -> None:
    etag = ask(site, "/models/net.onnx")[0].headers["ETag"]
    assert ask(site, "/models/net.onnx", Range="bytes=5-", If_Range=etag)[0].status == 206
    (dist / "models/net.onnx").write_bytes(b"another")
    response, body = ask(site, "/models/net.onnx", Range="bytes=5-", If_Range=etag)
    assert (response.status, body) == (200, b"another")


def test_unchanged_files_are_not_sent_twice(site: SiteServer, dist: Path) -> None:
    etag = ask(site, "/")[0].headers["ETag"]
    response, body = ask(site, "/", If_None_Match=etag)
    assert (response.status, body) == (304, b"")
    (dist / "index.html").write_bytes(b"another")
    assert ask(site, "/", If_None_Match=etag)[1] == b"another"


def test_head_has_the_size_and_no_body(site: SiteServer) -> None:
    response, body = ask(site, "/", "HEAD")
    assert (response.status, response.headers["Content-Length"], body) == (200, "10240", b"")


def test_only_this_machine_is_answered(site: SiteServer) -> None:
    assert site.socket.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_named_with_the_remedy(dist: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"port {port} .*make serve PORT="):
            make_server(dist, port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be(dist: Path, port: int) -> None:
    with pytest.raises(ServeError, match=f"from 0 to 65535, received {port}"):
        make_server(dist, port)


def test_a_folder_without_a_site(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="make site"):
        make_server(tmp_path / "nothing")


def test_a_closed_server_answers_nobody(dist: Path) -> None:
    with running(make_server(dist)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        for _ in range(2):
            connection.request("GET", "/index.html")
            assert connection.getresponse().read() == CONTENT
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        # The connection is still open as far as this end knows.
        connection.request("GET", "/index.html")
        connection.getresponse()
