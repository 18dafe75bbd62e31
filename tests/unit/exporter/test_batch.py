"""A run over many photos: every file once and whole, whatever happens to the run."""

import argparse
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image
from skimage import data

from exporter.batch import worker
from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.local import cut_locally
from exporter.batch.places import LocalFolder, ObjectStore, open_target
from exporter.batch.progress import Progress, format_duration
from exporter.batch.run import RECORD, Sum, run_batch
from exporter.batch.sources import find_photos
from exporter.batch.summary import SUMMARY
from exporter.batch.worker import Worker
from exporter.cli import main
from exporter.commands.batch import add_arguments
from exporter.commands.cut_options import cut_job, find_settings
from exporter.cut import CutJob
from exporter.errors import BatchError, ExporterError
from exporter.finder import FindSettings
from exporter.native import OutputOptions, parse_refinement

GOSSAMER = Path(sys.executable).with_name("gossamer")


def make_photos(folder: Path, count: int) -> None:
    """Small ones, each another piece of two photographs."""
    for number in range(count):
        whole = data.chelsea() if number % 2 else data.coffee()
        top = 12 * number
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(whole[top : top + 120, 150:300]).save(folder / f"{number}.jpg", quality=95)


def job_for(target: Path) -> BatchJob:
    return BatchJob(
        FindSettings(), CutJob(parse_refinement("default"), OutputOptions()), f"{target}"
    )


def files_in(target: Path) -> dict[str, bytes]:
    """By name; but for what the run keeps beside."""
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and not path.relative_to(target).as_posix().startswith((".", "gossamer"))
    }


def rows_of(target: Path) -> dict[str, dict[str, Any]]:
    return {row["target"]: row for row in pq.read_table(target / SUMMARY).to_pylist()}


def no_engine(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
    assert not photos
    yield from ()


def nothing_done(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
    yield from ()


# ---- a run ---------------------------------------------------------------------------------------


def killing(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
    """Two workers, one of which is killed over a photo: not the one whose outcome came second."""
    seen: list[int] = []
    for outcome in cut_locally(photos, job, workers=2):
        process = int(str(outcome.worker).partition(":")[2])
        seen.append(process)
        if len(set(seen)) == 2 and seen.count(process) == 1:
            os.kill(seen[0], signal.SIGKILL)
        yield outcome


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch") / "photos"
    make_photos(folder, 4)
    make_photos(folder / "inner", 2)
    (folder / "notes.txt").write_text("no photo")
    (folder / ".hidden.jpg").write_text("no photo")
    return folder


@pytest.fixture(scope="module")
def cut_alone(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `gossamer cut` makes of them, on all cores."""
    out = tmp_path_factory.mktemp("cut")
    for folder in (".", "inner"):
        names = sorted(str(path) for path in (photos / folder).glob("[0-9].jpg"))
        assert main(["cut", *names, "-o", str(out / folder)]) == 0
    return files_in(out)


def test_a_killed_worker_costs_nothing_and_a_second_run_does_nothing(
    photos: Path, cut_alone: dict[str, bytes], tmp_path: Path
) -> None:
    source, target = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(photos, source)
    (source / "broken.jpg").write_bytes((source / "3.jpg").read_bytes()[:2000])
    lines: list[str] = []
    total = run_batch(
        str(source), job_for(target), killing, report=lambda line, *_: lines.append(line)
    )
    assert total == Sum(done=6, skipped=0, failed=1)
    assert files_in(target) == cut_alone
    rows = rows_of(target)
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "done"} == {
        "broken-cutout.png": "failed"
    }
    assert "Expected a whole picture" in rows["broken-cutout.png"]["reason"]
    assert any(line.startswith(f"{source}/broken.jpg: Expected a whole picture") for line in lines)
    assert sum(row["attempts"] for row in rows.values()) == 7 + 1
    inner = rows["inner/1-cutout.png"]
    assert (inner["height"], inner["width"], inner["model"]) == (120, 150, "u2netp")
    assert inner["bytes"] == len(cut_alone["inner/1-cutout.png"])
    assert len({row["worker"] for row in rows.values()}) == 3

    # Again, as a command: what has failed is tried again, and nothing else.
    shutil.copy(source / "3.jpg", source / "broken.jpg")
    times = {path: path.stat().st_mtime_ns for path in target.rglob("*.png")}
    assert main(["batch", str(source), str(target)]) == 0
    assert rows_of(target)["3-cutout.png"] == {**rows["3-cutout.png"], "status": "skipped"}
    assert rows_of(target)["broken-cutout.png"]["status"] == "done"
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert run_batch(str(source), job_for(target), no_engine) == Sum(0, 7, 0)
    assert list((target / ".gossamer-batch").iterdir()) == [target / ".gossamer-batch" / "lock"]


def test_a_run_that_is_stopped_leaves_whole_files_and_goes_on(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    command = [GOSSAMER, "batch", photos, target, "--workers", "1", "--refine", "none"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 100
    while not list(target.glob("*.png")) and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    _, told = run.communicate(timeout=100)
    assert run.returncode == 130
    assert "The same command goes on where this one stopped" in told
    assert "Traceback" not in told
    left = files_in(target)
    assert 0 < len(left) < 6
    for contents in left.values():
        Image.open(io.BytesIO(contents)).load()
    assert list(target.rglob("*.part")) == []
    assert set(rows_of(target)) <= set(left)


def test_one_run_at_a_time_writes_to_a_folder(photos: Path, tmp_path: Path) -> None:
    (unfinished := tmp_path / ".gossamer-batch" / "of-a-killed-run.part").parent.mkdir()
    unfinished.write_text("half")
    with open_target(str(tmp_path)).held():
        assert not unfinished.exists()
        with pytest.raises(BatchError, match="another run is writing to it"):
            run_batch(str(photos), job_for(tmp_path), no_engine)


def test_a_target_that_cannot_be_used_is_explained(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BatchError, match="Expected a folder that can be written to"):
        run_batch(str(photos), job_for(tmp_path / "file"), no_engine)
    target = tmp_path / "out"
    target.mkdir()
    (target / "0-cutout.png").write_text("cut out before")
    (target / RECORD).write_text("{")
    with pytest.raises(BatchError, match=f"a whole {RECORD} or none"):
        run_batch(str(photos), job_for(target), no_engine)
    (target / RECORD).unlink()
    (target / SUMMARY).write_text("no Parquet")
    with pytest.raises(BatchError, match=f"{SUMMARY}: Expected the summary of the last run"):
        run_batch(str(photos), job_for(target), no_engine)


def test_other_options_want_another_target(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ExporterError, match="Expected one of u2netp"):
        absent = replace(job_for(tmp_path), find=FindSettings("absent"))
        run_batch(str(photos), absent, no_engine)
    run_batch(str(photos), job_for(tmp_path), nothing_done)  # binds nobody, as it has made nothing
    for name in names_of(photos):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("cut out before")
    run_batch(str(photos), job_for(tmp_path), no_engine)
    wrong = ["batch", str(photos), str(tmp_path), "--precision", "int8"]
    job = replace(job_for(tmp_path), find=FindSettings(precision="int8"))
    with pytest.raises(
        BatchError, match=r"precision was 'fp32' and is 'int8'.*delete gossamer-bat"
    ):
        run_batch(str(photos), job, no_engine)
    assert main(wrong) == 1
    (tmp_path / RECORD).unlink()
    run_batch(str(photos), job, no_engine)
    assert json.loads((tmp_path / RECORD).read_text())["precision"] == "int8"


def test_a_network_of_ones_own_is_known_by_what_is_in_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.onnx", "mine.toml"):
        Path(name).write_text(name)

    def record(model: str, **others: Any) -> dict[str, Any]:
        find = FindSettings(model, tmp_path / "mine.toml", **others)
        return replace(job_for(tmp_path), find=find).record()

    before = record("mine.onnx")
    assert record("./mine.onnx") == before
    Path("mine.onnx").write_text("trained again")
    assert record("mine.onnx") != before
    with pytest.raises(BatchError, match=r"absent\.onnx: Expected a file that can be read"):
        record("absent.onnx")
    assert record("absent.onnx", key="auto")["model"] == "absent.onnx"  # nobody needs it


def test_a_name_that_is_no_utf_8_is_escaped_in_the_summary(tmp_path: Path) -> None:
    source, target = tmp_path / "photos", tmp_path / "out"
    source.mkdir()
    for name in (b"0.jpg", b"caf\xe9.jpg", b"na\xefve.jpg"):
        (source / os.fsdecode(name)).write_text("cut out by nobody")

    def but_the_last(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
        for photo in sorted(photos)[:-1]:
            (target / photo.name).write_text("cut out")
            yield Outcome(*photo, "done", seconds=2)
        yield Outcome(*max(photos), "failed", f"{max(photos).source}: broken")

    escaped = ["0-cutout.png", "caf\\udce9-cutout.png", "na\\udcefve-cutout.png"]
    assert run_batch(str(source), job_for(target), but_the_last) == Sum(2, 0, 1)
    assert sorted(rows_of(target)) == escaped
    assert rows_of(target)[escaped[2]]["reason"] == f"{source}/na\\udcefve.jpg: broken"
    # What is finished is known again, with what the last summary said.
    assert run_batch(str(source), job_for(target), nothing_done).skipped == 2
    rows = rows_of(target)
    assert {name: row["seconds"] for name, row in rows.items()} == dict.fromkeys(escaped[:2], 2)
    # And where there is no summary.
    (target / SUMMARY).unlink()
    assert run_batch(str(source), job_for(target), nothing_done).skipped == 2
    assert sorted(rows_of(target)) == escaped[:2]


# ---- a photo -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--background", "BEHIND", "--format", "webp", "--precision", "int8"],
        ["--alpha", "--depth", "16", "--crop", "5"],
        ["--preset", "product", "--key", "auto", "--metadata", "none"],
    ],
)
def test_every_option_of_cut_gives_the_same_file(tmp_path: Path, options: list[str]) -> None:
    behind, photo = tmp_path / "behind.png", tmp_path / "ball.png"
    Image.new("RGB", (30, 20), (10, 20, 200)).save(behind)
    backdrop = Image.new("RGB", (120, 90), (0, 177, 64))
    backdrop.paste((200, 60, 40), (40, 20, 80, 70))
    backdrop.save(photo, dpi=(300, 300))
    options = [str(behind) if option == "BEHIND" else option for option in options]
    assert main(["cut", str(photo), "-o", str(tmp_path / "cut"), *options]) == 0
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    target = tmp_path / "batch"
    arguments = parser.parse_args([str(photo), str(target), *options])
    job = BatchJob(find_settings(arguments), cut_job(arguments), str(target))

    def in_this_process(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
        yield from map(Worker(job), photos)

    assert run_batch(str(photo), job, in_this_process) == Sum(1, 0, 0)
    assert files_in(target) == files_in(tmp_path / "cut")


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
def shop(photos: Path) -> Iterator[str]:
    Shop.asked.clear()
    Shop.files = {f"/{n}/main.jpg": (photos / f"{n}.jpg").read_bytes() for n in (0, 1)}
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        address = f"http://127.0.0.1:{server.server_port}"
        names = [*Shop.files, "/gone.jpg"]
        Shop.files["/photos.txt"] = "".join(f"{address}{name}?v=2\n" for name in names).encode()
        Shop.asked["/photos.txt"] = 2
        yield address
        server.shutdown()


def test_photos_come_from_a_server_that_is_busy_at_times(
    shop: str, cut_alone: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_FIRST_PAUSE_S", 0.01)
    job = job_for(tmp_path)
    work = Worker(job)
    photos = find_photos(f"{shop}/photos.txt", job.target, "cutout.png")
    with open_target(job.target).held():
        outcomes = [work(photo) for photo in photos]
    assert [(one.status, one.attempts) for one in outcomes] == [
        ("done", 3),
        ("done", 3),
        ("failed", 1),
    ]
    assert outcomes[2].reason == f"{shop}/gone.jpg?v=2: Expected a file that can be read: " + (
        f"FileNotFoundError: {shop}/gone.jpg?v=2"
    )
    assert files_in(tmp_path) == {
        f"127.0.0.1/{n}/main-cutout.png": cut_alone[f"{n}-cutout.png"] for n in (0, 1)
    }


# ---- sources and targets -------------------------------------------------------------------------


def names_of(source: Path | str, target: Path | str = "elsewhere") -> dict[str, str]:
    return {name: one for one, name in find_photos(str(source), str(target), "cutout.png")}


def test_a_folder_a_pattern_and_a_list(photos: Path, tmp_path: Path) -> None:
    own = {f"{n}-cutout.png": f"{photos}/{n}.jpg" for n in range(4)}
    inner = {f"inner/{n}-cutout.png": f"{photos}/inner/{n}.jpg" for n in range(2)}
    assert names_of(photos) == own | inner
    assert names_of(photos, photos / "inner") == own
    assert names_of(f"{photos}/*.jpg") == own
    assert names_of(f"{photos}/**/[01].jpg") == {
        name: one for name, one in (own | inner).items() if name[-12] in "01"
    }
    assert names_of(photos / "0.jpg") == {"0-cutout.png": f"{photos}/0.jpg"}
    (tmp_path / "list.txt").write_text(
        f"a/b.jpg\n\n{photos}/0.jpg\tsku/1\ns3://shop/c.JPG\nhttps://shop.example:80/d.jpg?w=9\n"
    )
    assert names_of(tmp_path / "list.txt") == {
        "a/b-cutout.png": f"{tmp_path}/a/b.jpg",
        "sku/1-cutout.png": f"{photos}/0.jpg",
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


def test_a_photo_may_have_two_names(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.jpg\tone\na.jpg\ttwo\na.jpg\tone\n")
    assert find_photos(f"{tmp_path}/list.txt", "elsewhere", "cutout.png") == [
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


def test_what_is_no_source_is_explained(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "climbs.txt").write_text("fine.jpg\n../../etc/x.jpg\n")
    (tmp_path / "nameless.txt").write_text("fine.jpg\n\tproducts/7\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    for source, told in {
        str(tmp_path / "absent"): "found nothing there",
        str(tmp_path / "empty"): "Expected photos that do not lie in elsewhere, found none",
        str(tmp_path / "climbs.txt"): "climbs.txt, line 2: Expected an address",
        str(tmp_path / "nameless.txt"): "nameless.txt, line 2: Expected an address",
        str(tmp_path / "binary.txt"): "Expected a text file of addresses in UTF-8",
        "http://127.0.0.1:9/list.txt": "Expected a source that can be read",
        "nonsense://x": "Expected an address that fsspec knows",
        "s3://shop/photos": r"reaches s3:// addresses.*pip install s3fs",
    }.items():
        with pytest.raises(BatchError, match=told):
            names_of(source)
    with pytest.raises(BatchError, match=f"do not lie in {photos}"):
        names_of(photos, photos)


def test_two_photos_never_share_a_name(tmp_path: Path) -> None:
    make_photos(tmp_path, 1)
    Image.open(tmp_path / "0.jpg").save(tmp_path / "0.png")
    with pytest.raises(BatchError, match=r"0-cutout.png: .*0\.jpg, .*0\.png"):
        names_of(tmp_path)


def test_what_is_no_target_is_explained() -> None:
    for target, told in {
        "http://127.0.0.1:9/out": "Expected a target in a local folder or in an object store",
        "memory://out": "Expected a target in a local folder or in an object store",
        "gs://shop/out": "reaches gs:// addresses.*gcsfs",
    }.items():
        with pytest.raises(BatchError, match=told):
            open_target(target)


def test_a_store_is_written_as_a_folder_is(tmp_path: Path) -> None:
    for target in (ObjectStore(MemoryFileSystem(), "/shop/out"), LocalFolder(tmp_path)):
        with target.held():
            assert target.names() == set()
            target.write("a/b.png", b"picture")
            target.write("c.json", b"{}")
            assert target.names() == {"a/b.png", "c.json"}
            assert (target.has("a/b.png"), target.has("a/c.png")) == (True, False)
            assert target.read("a/b.png") == b"picture"


def test_progress_tells_speed_and_end() -> None:
    lines: list[tuple[str, int, int]] = []
    progress = Progress(lambda *step: lines.append(step), 1000, 400, interval_s=0)
    progress.add(failed=False)
    time.sleep(0.05)
    progress.add(failed=True)
    assert lines[0] == ("401 of 1,000 photos", 401, 1000)
    found = re.fullmatch(
        r"402 of 1,000 photos, 1 failed, ([\d.]+) a second, (\d+) s left", lines[1][0]
    )
    assert found
    assert 2 < float(found[1]) <= 20
    assert int(found[2]) == pytest.approx(598 / float(found[1]), abs=1)
    assert [format_duration(s) for s in (59.4, 61, 3700, 90_000)] == [
        "59 s",
        "1 min",
        "1 h 1 min",
        "1 d 1 h",
    ]
