"""`gossamer check-site` against a real host that does what hosts do to a site."""

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from exporter.cli import main
from exporter.errors import CheckError
from exporter.serve import make_server, running
from exporter.site_check import Checked, check_site
from tests.unit.exporter.built_site import constant

_LARGE_BYTES = 100_000


class Host(SimpleHTTPRequestHandler):
    """A plain host, and what its members make of it."""

    protocol_version = "HTTP/1.1"
    types: ClassVar[dict[str, str]] = {}
    headers_of_all: ClassVar[dict[str, str]] = {}
    password = ""
    #: What is sent for a path that is none.
    fallback = ""
    redirects: ClassVar[dict[str, str]] = {}
    #: With which passwords it was asked.
    passwords: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.passwords.append(self.headers["Authorization"])
        if self.password and self.headers["Authorization"] != self.password:
            self.send_error(401)
        elif self.path in self.redirects:
            self.redirect(self.redirects[self.path])
        else:
            if self.fallback and not Path(self.translate_path(self.path)).exists():
                self.path = self.fallback
            super().do_GET()

    def redirect(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def guess_type(self, path: str) -> str:  # type: ignore[override]
        known = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}
        return ({**known, **self.types}).get(Path(path).suffix) or super().guess_type(path)

    def end_headers(self) -> None:
        for name, value in self.headers_of_all.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def hosted(folder: Path, **members: object) -> Iterator[str]:
    handler = type("OneHost", (Host,), members)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))) as one:
        yield f"http://127.0.0.1:{one.server_port}/"


@pytest.fixture
def site(quick_site_dir: Path, tmp_path: Path) -> Path:
    """A copy whose files may be replaced, and must not be written to. Its sw.js names no large
    file: each one takes its time."""
    copy = shutil.copytree(quick_site_dir, tmp_path / "site", copy_function=os.link)
    worker = (copy / "sw.js").read_text()
    for name in ("PRECACHE", "LATER", "ENGINES"):
        listed = constant(worker, name)
        groups = listed.values() if isinstance(listed, dict) else [listed]
        for group in groups:
            group[:] = [one for one in group if (copy / one[0]).stat().st_size < _LARGE_BYTES]
        worker = re.sub(
            rf"(const {name} = JSON\.parse\()'.*'", rf"\1'{json.dumps(listed)}'", worker
        )
    replace(copy / "sw.js", worker)
    return copy


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def replace(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)


def told(checked: Checked, kind: str) -> list[str]:
    return [f"{one.path}: {one.words}" for one in checked.findings if one.kind == kind]


def test_a_whole_site_has_no_faults(quick_site_dir: Path, capsys: pytest.CaptureFixture) -> None:
    with running(make_server(quick_site_dir)) as server:
        assert main(["check-site", server.url]) == 0
        checked = check_site(server.url)
    files = [path for path in quick_site_dir.rglob("*") if path.is_file()]
    assert checked.findings == ()
    assert (checked.files, checked.bytes) == (
        len(files),
        sum(path.stat().st_size for path in files),
    )
    (summary,) = capsys.readouterr().out.splitlines()
    assert summary.startswith(f"{server.url}: build {checked.version[:10]}, {len(files)} files")
    assert summary.endswith("faults: 0, advice: 0")


def test_what_is_missing_changed_or_of_another_type_is_named(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, module = only(site, "models/*.onnx"), only(site, "js/zip.*.js")
    network.unlink()
    replace(module, "half an upload")
    with hosted(site, types={".css": "text/plain", ".wasm": "application/octet-stream"}) as url:
        checked = check_site(url)
        assert main(["check-site", url]) == 1
    style, changed, missing = told(checked, "fault")
    assert style.endswith("Expected the type text/css, received text/plain")
    assert changed.startswith(f"js/{module.name}: Expected sha256 ")
    assert "received e7a0b94071 (14 bytes of text/javascript)" in changed
    assert missing == f"models/{network.name}: is missing: the host answers 404"
    assert any(
        "application/wasm, received application/oct" in one for one in told(checked, "advice")
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == [*["fault"] * 3, "advice"]
    assert "faults: 3" in lines[-1]


def test_modules_of_a_type_that_no_browser_runs_are_faults(site: Path) -> None:
    with hosted(site, types={".js": "application/octet-stream"}) as url:
        faults = told(check_site(url), "fault")
    assert faults
    assert {fault.partition(": ")[0].rpartition(".")[2] for fault in faults} == {"js"}


def test_a_page_that_answers_for_all_is_told_from_a_damaged_file(site: Path) -> None:
    only(site, "js/zip.*.js").unlink()
    with hosted(site, fallback="/index.html") as url:
        checked = check_site(url)
    (fault,) = told(checked, "fault")
    assert fault.endswith("a page in the place of the file, which is missing")
    assert any("still answered" in one for one in told(checked, "advice"))


def test_a_page_that_something_adds_to_and_a_half_upload(
    site: Path, changed_site_dir: Path
) -> None:
    index = site / "index.html"
    replace(index, index.read_text().replace("</body>", "<script src=/count.js></script></body>"))
    with hosted(site) as url:
        (fault,) = told(check_site(url), "fault")
    assert "adds scripts" in fault
    replace(index, (changed_site_dir / "index.html").read_text())
    with hosted(site) as url:
        (fault,) = told(check_site(url), "fault")
    assert "index.html" in fault
    assert "of another build" in fault


def test_what_a_host_could_do_better(site: Path) -> None:
    with hosted(site, headers_of_all={"Cache-Control": "public, max-age=3600"}) as url:
        checked = check_site(url)
    advice = told(checked, "advice")
    assert told(checked, "fault") == []
    assert sum("is kept for 3600 s" in one for one in advice) == 2
    assert sum("Cross-Origin-" in one for one in advice) == 2


def test_a_worker_that_is_gone_damaged_or_elsewhere(site: Path, tmp_path: Path) -> None:
    with hosted(site, redirects={"/sw.js": "/other/../sw.js?moved"}) as url:
        (fault,) = told(check_site(url), "fault")
        assert fault.startswith("sw.js: comes by a redirect")
    replace(site / "sw.js", (site / "sw.js").read_text()[:1000])
    with hosted(site) as url:
        assert told(check_site(url), "fault") == ["sw.js: is damaged. It lists all other files"]
    (site / "sw.js").unlink()
    with hosted(site) as url:
        (fault,) = told(check_site(url), "fault")
        assert fault.startswith("sw.js: is missing: the host answers 404")


def test_redirects_and_a_password_are_followed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "moved").symlink_to(site)
    password = f"Basic {base64.b64encode(b'me:a b').decode()}"
    redirects = {"/": "/moved/"}
    with hosted(tmp_path, password=password, redirects=redirects) as url:
        with pytest.raises(CheckError, match="the host answers 401"):
            check_site(url)
        checked = check_site(url.replace("//", "//me:a%20b@"))
    assert told(checked, "fault") == []
    assert checked.root == f"{url}moved/"
    passwords: list[str | None] = []
    with (
        hosted(site, passwords=passwords) as other,
        hosted(site, password=password, redirects={"/": other}) as url,
    ):
        assert check_site(url.replace("//", "//me:a%20b@")).root == other
    assert set(passwords) == {None}  # it is not for another host


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("photos.example.org", "Expected an address such as"),
        ("http://me:secret@[::1/", "Expected an address such as https://example.org/photos/"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/: Expected a site, received nothing"),
    ],
)
def test_what_is_no_address_of_a_site_is_one_clear_error(address: str, words: str) -> None:
    with pytest.raises(CheckError) as caught:
        check_site(address)
    assert str(caught.value).startswith(words)
    assert "secret" not in str(caught.value)


def test_another_site_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index.html").write_text("<title>A blog</title>")
    with hosted(tmp_path) as url:
        assert main(["check-site", url]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gossamer: {url}: Expected a site that `gossamer site` has built")
