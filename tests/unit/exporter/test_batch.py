"""A run over many photos: every file once and whole, whatever happens to the run."""

import argparse
import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from PIL import Image

from exporter.api import cut
from exporter.batch import worker
from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.local import _Hand, cut_locally
from exporter.batch.places import LocalFolder, ObjectStore, open_target
from exporter.batch.progress import Progress, format_duration
from exporter.batch.run import RECORD, Sum, run_batch
from exporter.batch.sources import find_photos
from exporter.batch.summary import SUMMARY
from exporter.batch.worker import Worker
from exporter.cli import main
from exporter.commands.batch import add_arguments
from exporter.commands.cut_options import cut_job, find_settings
from exporter.confidence import is_unsure
from exporter.errors import BatchError, ExporterError
from exporter.finder import FindSettings
from tests.unit.exporter.small_photos import files_in, job_for

GOSSAMER = Path(sys.executable).with_name("gossamer")


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
def cut_alone(few_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `gossamer cut` makes of them, on all cores."""
    out = tmp_path_factory.mktemp("cut")
    for folder in (".", "inner"):
        names = sorted(str(path) for path in (few_photos / folder).glob("[0-9].jpg"))
        assert main(["cut", *names, "-o", str(out / folder)]) == 0
    return files_in(out)


def test_a_killed_worker_costs_nothing_and_a_second_run_does_nothing(
    few_photos: Path, cut_alone: dict[str, bytes], tmp_path: Path
) -> None:
    source, target = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(few_photos, source)
    (source / "broken.jpg").write_bytes((source / "3.jpg").read_bytes()[:2000])
    lines: list[str] = []
    total = run_batch(
        str(source), job_for(target), killing, report=lambda line, *_: lines.append(line)
    )
    assert files_in(target) == cut_alone
    rows = rows_of(target)
    sure = [row["confidence"] for row in rows.values() if row["status"] == "done"]
    unsure = sum(map(is_unsure, sure))
    assert total == Sum(done=6, skipped=0, failed=1, unsure=unsure)
    assert rows["3-cutout.png"]["confidence"] == pytest.approx(cut(source / "3.jpg").confidence)
    assert rows["broken-cutout.png"]["confidence"] is None
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


def test_a_run_that_is_stopped_leaves_whole_files_and_goes_on(
    few_photos: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    command = [GOSSAMER, "batch", few_photos, target, "--workers", "1", "--refine", "none"]
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


def test_a_worker_that_starts_knows_no_ctrl_c(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    job = replace(job_for(tmp_path), find=FindSettings(key="auto"))
    hand = _Hand(job)
    os.kill(hand._process.pid or 0, signal.SIGINT)  # long before its imports end
    assert hand.hear() is None
    assert hand.is_free
    hand.dismiss()
    assert capfd.readouterr().err == ""


def test_one_run_at_a_time_writes_to_a_folder(few_photos: Path, tmp_path: Path) -> None:
    (unfinished := tmp_path / ".gossamer-batch" / "of-a-killed-run.part").parent.mkdir()
    unfinished.write_text("half")
    with open_target(str(tmp_path)).held():
        assert not unfinished.exists()
        with pytest.raises(BatchError, match="another run is writing to it"):
            run_batch(str(few_photos), job_for(tmp_path), no_engine)


def test_a_target_that_cannot_be_used_is_explained(few_photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BatchError, match="Expected a folder that can be written to"):
        run_batch(str(few_photos), job_for(tmp_path / "file"), no_engine)
    target = tmp_path / "out"
    target.mkdir()
    (target / "0-cutout.png").write_text("cut out before")
    (target / RECORD).write_text("{")
    with pytest.raises(BatchError, match=f"a whole {RECORD} or none"):
        run_batch(str(few_photos), job_for(target), no_engine)
    (target / RECORD).unlink()
    (target / SUMMARY).write_text("no Parquet")
    with pytest.raises(BatchError, match=f"{SUMMARY}: Expected the summary of the last run"):
        run_batch(str(few_photos), job_for(target), no_engine)


def test_other_options_want_another_target(few_photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ExporterError, match="Expected one of u2netp"):
        absent = replace(job_for(tmp_path), find=FindSettings("absent"))
        run_batch(str(few_photos), absent, no_engine)
    # It binds nobody, as it has made nothing.
    run_batch(str(few_photos), job_for(tmp_path), nothing_done)
    for _, name in find_photos(str(few_photos), str(tmp_path), "cutout.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("cut out before")
    run_batch(str(few_photos), job_for(tmp_path), no_engine)
    wrong = ["batch", str(few_photos), str(tmp_path), "--precision", "int8"]
    job = replace(job_for(tmp_path), find=FindSettings(precision="int8"))
    with pytest.raises(
        BatchError, match=r"precision was 'fp32' and is 'int8'.*delete gossamer-bat"
    ):
        run_batch(str(few_photos), job, no_engine)
    assert main(wrong) == 1
    (tmp_path / RECORD).unlink()
    run_batch(str(few_photos), job, no_engine)
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


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.ELOOP])
def test_what_no_pause_mends_is_tried_once(
    few_photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(_address: str) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(worker, "read_bytes", refused)
    monkeypatch.setattr(worker, "_FIRST_PAUSE_S", 0)
    job = replace(job_for(tmp_path), find=FindSettings(key="auto"))
    outcome = Worker(job)(Photo(str(few_photos / "0.jpg"), "0-cutout.png"))
    assert (outcome.status, outcome.attempts) == ("failed", 1)
    assert os.strerror(number) in str(outcome.reason)


# ---- a target, and what is told ------------------------------------------------------------------


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
