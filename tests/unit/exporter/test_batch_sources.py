"""Where a run over many photos finds them, and what it calls their cut-outs."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from exporter.batch import worker
from exporter.batch.job import Photo
from exporter.batch.places import open_target
from exporter.batch.sources import find_photos
from exporter.batch.worker import Worker
from exporter.cli import main
from exporter.errors import BatchError
from tests.unit.exporter.small_photos import files_in, job_for, make_photos


class Shop(BaseHTTPRequestHandler):
    """Two photos and a list of them; each is `later` twice, and then there."""

    asked: ClassVar[Counter[str]] = Counter()
    files: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked[path] += 1
        status = 404 if path not in self.files else 503 if self.asked[path] < 3 else 200
        contents = self.files[path] if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(contents)))
        self.end_headers()
        self.wfile.write(contents)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(few_photos: Path) -> Iterator[str]:
    Shop.asked.clear()
    Shop.files = {f"/{n}/main.jpg": (few_photos / f"{n}.jpg").read_bytes() for n in (0, 1)}
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        address = f"http://127.0.0.1:{server.server_port}"
        names = [*Shop.files, "/gone.jpg"]
        Shop.files["/photos.txt"] = "".join(f"{address}{name}?v=2\n" for name in names).encode()
        Shop.asked["/photos.txt"] = 2
        yield address
        server.shutdown()


def test_photos_come_from_a_server_that_is_busy_at_times(
    shop: str, few_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    assert main(["cut", f"{few_photos}/0.jpg", f"{few_photos}/1.jpg", "-o", str(alone)]) == 0
    target = tmp_path / "target"
    monkeypatch.setattr(worker, "_FIRST_PAUSE_S", 0.01)
    job = job_for(target)
    work = Worker(job)
    found = find_photos(f"{shop}/photos.txt", job.target, "cutout.png")
    with open_target(job.target).held():
        outcomes = [work(photo) for photo in found]
    assert [(one.status, one.attempts) for one in outcomes] == [
        ("done", 3),
        ("done", 3),
        ("failed", 1),
    ]
    assert outcomes[2].reason == f"{shop}/gone.jpg: Expected a file that can be read: " + (
        f"FileNotFoundError: {shop}/gone.jpg"
    )
    assert files_in(target) == {
        f"127.0.0.1/{n}/main-cutout.png": (alone / f"{n}-cutout.png").read_bytes() for n in (0, 1)
    }


def names_of(source: Path | str, target: Path | str = "elsewhere") -> dict[str, str]:
    return {name: one for one, name in find_photos(str(source), str(target), "cutout.png")}


def test_a_folder_a_pattern_and_a_list(few_photos: Path, tmp_path: Path) -> None:
    own = {f"{n}-cutout.png": f"{few_photos}/{n}.jpg" for n in range(4)}
    inner = {f"inner/{n}-cutout.png": f"{few_photos}/inner/{n}.jpg" for n in range(2)}
    assert names_of(few_photos) == own | inner
    assert names_of(few_photos, few_photos / "inner") == own
    assert names_of(f"{few_photos}/*.jpg") == own
    assert names_of(f"{few_photos}/**/[01].jpg") == {
        name: one for name, one in (own | inner).items() if name[-12] in "01"
    }
    assert names_of(few_photos / "0.jpg") == {"0-cutout.png": f"{few_photos}/0.jpg"}
    (tmp_path / "list.txt").write_text(
        f"a/b.jpg\n\n{few_photos}/0.jpg\tsku/1\ns3://shop/c.JPG\nhttps://shop.example:80/d.jpg?w=9\n"
    )
    assert names_of(tmp_path / "list.txt") == {
        "a/b-cutout.png": f"{tmp_path}/a/b.jpg",
        "sku/1-cutout.png": f"{few_photos}/0.jpg",
        "shop/c-cutout.png": "s3://shop/c.JPG",
        "shop.example/d-cutout.png": "https://shop.example:80/d.jpg?w=9",
    }


def test_brackets_of_the_folder_that_we_are_in_are_no_wildcards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "ph [2024]"
    for folder in (here, here / "inner", tmp_path / "ph 2"):
        make_photos(folder, 2)
    monkeypatch.chdir(here)
    own = {f"{n}-cutout.png": f"{here}/{n}.jpg" for n in range(2)}
    inner = {f"{n}-cutout.png": f"{here}/inner/{n}.jpg" for n in range(2)}
    assert names_of("*.jpg") == names_of("./[01].jpg") == own
    assert names_of("inner/*.jpg") == inner
    assert names_of("**/0.jpg") == {
        "0-cutout.png": f"{here}/0.jpg",
        "inner/0-cutout.png": f"{here}/inner/0.jpg",
    }
    assert names_of("../ph 2/?.jpg") == {
        f"{n}-cutout.png": f"{tmp_path}/ph 2/{n}.jpg" for n in range(2)
    }


def test_a_photo_may_have_two_names_and_what_is_in_the_target_none(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.jpg\tone\na.jpg\ttwo\na.jpg\tone\nout/a-cutout.png\n")
    assert find_photos(f"{tmp_path}/list.txt", f"{tmp_path}/out", "cutout.png") == [
        Photo(f"{tmp_path}/a.jpg", f"{name}-cutout.png") for name in ("one", "two")
    ]


def test_a_list_as_excel_writes_it(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.jpg\r\nb.jpg\r\n", "utf-8-sig")
    assert names_of(tmp_path / "list.txt") == {
        f"{name}-cutout.png": f"{tmp_path}/{name}.jpg" for name in "ab"
    }


@pytest.mark.parametrize("name", ["photo #1.jpg", "50%20?.jpg"])
def test_a_photo_may_be_called_anything(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("opened by nobody")
    assert names_of(tmp_path / name) == {f"{name[:-4]}-cutout.png": f"{tmp_path}/{name}"}


def test_paths_are_seen_from_a_list_that_is_far_away(shop: str) -> None:
    lines = "0/main.jpg\n/1/main.jpg\tfirst\nhttps://shop.example/2.jpg\n"
    Shop.files["/lists/photos.txt"] = lines.encode()
    Shop.asked["/lists/photos.txt"] = 2
    assert names_of(f"{shop}/lists/photos.txt?page=1/2") == {
        "0/main-cutout.png": f"{shop}/lists/0/main.jpg",
        "first-cutout.png": f"{shop}/1/main.jpg",
        "shop.example/2-cutout.png": "https://shop.example/2.jpg",
    }
    MemoryFileSystem().pipe_file("/shop/lists/photos.txt", lines.encode())
    assert names_of("memory://shop/lists/photos.txt") == {
        "0/main-cutout.png": "memory://shop/lists/0/main.jpg",
        "first-cutout.png": "/1/main.jpg",
        "shop.example/2-cutout.png": "https://shop.example/2.jpg",
    }


def test_what_is_no_source_is_explained(few_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "climbs.txt").write_text("fine.jpg\na.jpg\t../../etc/x\n")
    (tmp_path / "slash.txt").write_text("/\n")
    (tmp_path / "nameless.txt").write_text("fine.jpg\n\tproducts/7\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    for source, told in {
        str(tmp_path / "absent"): "found nothing there",
        str(tmp_path / "empty"): "Expected photos that do not lie in elsewhere, found none",
        str(tmp_path / "climbs.txt"): "climbs.txt, line 2: Expected the address",
        str(tmp_path / "slash.txt"): "slash.txt, line 1: Expected the address",
        str(tmp_path / "nameless.txt"): "nameless.txt, line 2: Expected the address",
        str(tmp_path / "binary.txt"): "Expected a text file of addresses in UTF-8",
        "http://127.0.0.1:9/list.txt": "Expected a source that can be read",
        "nonsense://x": "Expected an address that fsspec knows",
        "s3://shop/photos": r"reaches s3:// addresses.*pip install s3fs",
    }.items():
        with pytest.raises(BatchError, match=told):
            names_of(source)
    with pytest.raises(BatchError, match=f"do not lie in {few_photos}"):
        names_of(few_photos, few_photos)


def left_out_of(source: Path | str, target: Path | str = "elsewhere") -> list[str]:
    lines: list[str] = []
    find_photos(str(source), str(target), "cutout.png", report=lambda line, *_: lines.append(line))
    return lines


def test_what_is_left_out_is_told(few_photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for name in ("a.jpg", "b.CR2", "c.cr2", "in/d.psd", "in/README", ".hidden.txt", "out/e.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("opened by nobody")
    told = ["Left out: 2 .cr2, 1 without an ending, 1 .psd"]
    assert left_out_of(folder, folder / "out") == told
    assert left_out_of(f"{folder}/**", folder / "out") == told
    assert left_out_of(f"{folder}/*") == ["Left out: 2 .cr2"]
    assert left_out_of(f"{folder}/*.jpg") == left_out_of(folder / "a.jpg") == []
    for number in range(9):
        (folder / f"{number}.{number}").write_text("")
    (line,) = left_out_of(folder, folder / "out")
    assert line.startswith("Left out: 2 .cr2, 1 ")
    assert line.endswith(", 4 others")


def test_links_are_followed_and_lead_nowhere_twice(tmp_path: Path) -> None:
    make_photos(tmp_path / "elsewhere", 1)
    make_photos(tmp_path / "elsewhere" / "deeper", 1)
    folder = tmp_path / "photos"
    make_photos(folder / "own", 1)
    (folder / "linked").symlink_to("../elsewhere")
    (folder / "own" / "up").symlink_to("..")
    (tmp_path / "elsewhere" / "self").symlink_to(".")
    (folder / "loop").symlink_to("loop")
    (folder / "target").symlink_to("../target")
    make_photos(tmp_path / "target", 1)
    assert names_of(folder, tmp_path / "target") == {
        "linked/0-cutout.png": f"{folder}/linked/0.jpg",
        "linked/deeper/0-cutout.png": f"{folder}/linked/deeper/0.jpg",
        "own/0-cutout.png": f"{folder}/own/0.jpg",
    }


def test_a_path_that_leads_up_names_what_it_leads_down_to(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("../photos/a.jpg\n./b/../c.jpg\nhttps://shop/../d.jpg\n")
    assert names_of(tmp_path / "list.txt") == {
        "photos/a-cutout.png": f"{tmp_path}/../photos/a.jpg",
        "c-cutout.png": f"{tmp_path}/b/../c.jpg",
        "d-cutout.png": "https://shop/../d.jpg",
    }


def test_two_photos_never_share_a_name(tmp_path: Path) -> None:
    make_photos(tmp_path, 1)
    Image.open(tmp_path / "0.jpg").save(tmp_path / "0.png")
    with pytest.raises(BatchError, match=r"0-cutout.png: .*0\.jpg, .*0\.png"):
        names_of(tmp_path)


def test_names_that_some_disks_take_for_one_are_refused(tmp_path: Path) -> None:
    """Object stores tell them apart."""
    lines = "a.jpg\tone/IMG\nb.jpg\tOne/img\nc.jpg\t\u00c9\nd.jpg\te\u0301\n"
    (tmp_path / "list.txt").write_text(lines)
    told = r"\n  one/IMG-cutout\.png: .*a\.jpg, .*b\.jpg\n  \u00c9-cutout\.png: .*c\.jpg, .*d\.jpg$"
    with pytest.raises(BatchError, match=told):
        names_of(tmp_path / "list.txt")
    assert len(names_of(tmp_path / "list.txt", "memory://shop")) == 4


@pytest.mark.parametrize("name", [r"..\..\evil", "C:evil", r"C:\evil", r"\evil", r"a\..\..\evil"])
def test_names_that_lead_out_on_windows_are_refused_everywhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "list.txt").write_text(f"fine.jpg\na.jpg\t{name}\n")
    with pytest.raises(BatchError, match=r"list\.txt, line 2: Expected the address"):
        names_of(tmp_path / "list.txt")


@pytest.mark.parametrize("name", ["C:evil.jpg", r"a\..\..\evil.jpg"])
def test_a_photo_whose_name_leads_out_on_windows_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("opened by nobody")
    with pytest.raises(BatchError, match=r"evil\.jpg: Expected a name that stays in the target"):
        names_of(tmp_path)


def test_what_is_no_target_is_explained() -> None:
    for target, told in {
        "http://127.0.0.1:9/out": "Expected a target in a local folder or in an object store",
        "memory://out": "Expected a target in a local folder or in an object store",
        "gs://shop/out": "reaches gs:// addresses.*gcsfs",
    }.items():
        with pytest.raises(BatchError, match=told):
            open_target(target)
