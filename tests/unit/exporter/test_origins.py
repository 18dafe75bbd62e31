"""The cache, files of the user's own, and real transfers from a server on loopback."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.catalog import UrlOrigin
from exporter.errors import FetchError
from exporter.origins import cache_folder, cached, fetch
from tests.unit.exporter.origin_server import (
    CONTENTS,
    CUT_OFF_BYTES,
    SHA256,
    Server,
    closed_port,
    names,
    pinned,
)

# ---- the cache -----------------------------------------------------------------------------------


def test_a_fetched_file_is_fetched_once(server: Server, cache: Path) -> None:
    part = pinned(UrlOrigin(f"{server.base}/file"))
    assert not cached(part, cache)
    path = fetch(part, cache=cache)
    assert path == cache / SHA256
    assert path.read_bytes() == CONTENTS
    assert cached(part, cache)
    assert fetch(part, cache=cache) == path
    assert server.requests["file"] == 1
    assert names(cache) == [SHA256]


def test_a_spoilt_file_in_the_cache_is_fetched_again(server: Server, cache: Path) -> None:
    part = pinned(UrlOrigin(f"{server.base}/file"))
    fetch(part, cache=cache).write_bytes(CONTENTS[::-1])
    assert fetch(part, cache=cache).read_bytes() == CONTENTS
    assert server.requests["file"] == 2


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("GOSSAMER_CACHE")
    assert cache_folder().name == "gossamer"


def test_a_cache_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FetchError, match="Set GOSSAMER_CACHE to another one"):
        fetch(pinned(), cache=tmp_path / "file")


def test_two_processes_fetch_the_same_part_once(server: Server, cache: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from exporter.catalog import Part, UrlOrigin; from exporter.origins import fetch\n"
        "url, cache, sha256, size = sys.argv[1:]\n"
        "part = Part('weights', '1', sha256, int(size), 'x', 'x', (UrlOrigin(url),))\n"
        "print(fetch(part, cache=Path(cache)))\n"
    )
    arguments = [f"{server.base}/file", str(cache), SHA256, str(len(CONTENTS))]
    processes = [
        subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    printed = {process.communicate(timeout=60)[0].decode().strip() for process in processes}
    assert printed == {str(cache / SHA256)}
    assert (cache / SHA256).read_bytes() == CONTENTS
    assert server.requests["file"] == 1


# ---- a file of the user's own --------------------------------------------------------------------


def test_a_local_file_goes_into_the_cache(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(CONTENTS)
    path = fetch(pinned(), local=tmp_path / "mine.onnx", cache=cache)
    assert path == cache / SHA256
    assert fetch(pinned(), cache=cache).read_bytes() == CONTENTS


def test_another_local_file_is_refused_by_hash(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"other weights")
    with pytest.raises(FetchError) as refusal:
        fetch(pinned(), local=tmp_path / "mine.onnx", cache=cache)
    assert SHA256 in str(refusal.value)
    assert hashlib.sha256(b"other weights").hexdigest() in str(refusal.value)
    assert names(cache) == []


def test_a_missing_local_file_is_named(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=re.escape(str(tmp_path / "absent.onnx"))):
        fetch(pinned(), local=tmp_path / "absent.onnx", cache=cache)


# ---- HTTP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["missing", "wrong", "longer"])
def test_a_bad_origin_falls_through_to_the_next(server: Server, cache: Path, bad: str) -> None:
    part = pinned(UrlOrigin(f"{server.base}/{bad}"), UrlOrigin(f"{server.base}/file"))
    assert fetch(part, cache=cache).read_bytes() == CONTENTS
    assert server.requests == {bad: 1, "file": 1}
    assert names(cache) == [SHA256]


def test_an_unreachable_origin_falls_through_to_the_next(server: Server, cache: Path) -> None:
    nobody = UrlOrigin(f"http://127.0.0.1:{closed_port()}/file")
    assert fetch(pinned(nobody, UrlOrigin(f"{server.base}/file")), cache=cache).is_file()


def test_a_cut_off_transfer_goes_on_where_it_stopped(server: Server, cache: Path) -> None:
    path = fetch(pinned(UrlOrigin(f"{server.base}/cut-off")), cache=cache)
    assert path.read_bytes() == CONTENTS
    assert server.ranges == [None, f"bytes={CUT_OFF_BYTES}-", f"bytes={2 * CUT_OFF_BYTES}-"]


def test_the_next_run_continues_what_this_one_left(server: Server, cache: Path) -> None:
    part = pinned(UrlOrigin(f"{server.base}/deaf-cut-off"))
    with pytest.raises(FetchError):
        fetch(part, cache=cache)
    assert names(cache) == [f"{SHA256}.part"]
    assert fetch(pinned(UrlOrigin(f"{server.base}/file")), cache=cache).read_bytes() == CONTENTS
    assert server.ranges[-1] == f"bytes={CUT_OFF_BYTES}-"
    assert names(cache) == [SHA256]


def test_a_false_beginning_is_not_kept(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / f"{SHA256}.part").write_bytes(b"of another file")
    path = fetch(pinned(UrlOrigin(f"{server.base}/file")), cache=cache)
    assert path.read_bytes() == CONTENTS
    assert server.ranges == ["bytes=15-", None]


def test_the_wrong_range_is_refused(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / f"{SHA256}.part").write_bytes(CONTENTS[:100])
    with pytest.raises(FetchError, match="asked for the rest from byte 100"):
        fetch(pinned(UrlOrigin(f"{server.base}/misplaced")), cache=cache)


def test_the_error_names_every_origin_and_the_way_out(server: Server, cache: Path) -> None:
    origins = (
        UrlOrigin(f"{server.base}/missing"),
        UrlOrigin(f"{server.base}/wrong"),
        UrlOrigin(f"http://127.0.0.1:{closed_port()}/file"),
    )
    with pytest.raises(FetchError) as failure:
        fetch(pinned(*origins), cache=cache)
    message = str(failure.value)
    for origin in origins:
        assert origin.url in message
    assert "HTTP 404" in message
    assert "expected sha256" in message
    assert "Connection refused" in message
    assert "--weights FILE" in message
    assert str(cache / SHA256) in message
    assert names(cache) == []


def test_progress_counts_to_the_end(server: Server, cache: Path) -> None:
    counted: list[tuple[int, int]] = []

    def report(line: str, done: int = 0, total: int = 0) -> None:
        if total:
            counted.append((done, total))

    fetch(pinned(UrlOrigin(f"{server.base}/file")), cache=cache, report=report)
    assert counted == sorted(counted)
    assert counted[-1] == (len(CONTENTS), len(CONTENTS))
