"""The folder of a build: what is there of it while it is filled, and what a killed one leaves."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporter.errors import SiteError
from exporter.site_parts import new_folder

#: Fills a folder for as long as it is left alive.
BUILD = """
import sys, time
from pathlib import Path
from exporter.site_parts import new_folder
with new_folder(Path(sys.argv[1]), "index.html") as folder:
    (folder / "index.html").write_text("half")
    print("filling", flush=True)
    time.sleep(60)
"""
GOSSAMER = Path(sys.executable).with_name("gossamer")


@contextmanager
def build(out_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that builds; killed at the end."""
    command = [sys.executable, "-c", BUILD, str(out_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "filling\n"
            yield process
        finally:
            process.kill()


def fill(out_dir: Path) -> None:
    with new_folder(out_dir, "index.html") as folder:
        (folder / "index.html").write_text("whole")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_build_left_is_swept_by_the_next(tmp_path: Path) -> None:
    with build(tmp_path / "dist") as killed:
        assert len(names(tmp_path)) == 1
        killed.kill()
        killed.wait()
    assert len(names(tmp_path)) == 1
    fill(tmp_path / "dist")
    assert names(tmp_path) == {"dist"}


def test_a_build_that_lives_keeps_its_folder(tmp_path: Path) -> None:
    with build(tmp_path / "dist"):
        (filled,) = names(tmp_path)
        fill(tmp_path / "dist")
        assert names(tmp_path) == {"dist", filled}
        assert (tmp_path / filled / "new" / "index.html").read_text() == "half"


def test_folders_with_a_name_alike_are_left_alone(tmp_path: Path) -> None:
    for name in (".dist-settings", ".dist-x"):
        (tmp_path / name / "new").mkdir(parents=True)
    fill(tmp_path / "dist")
    assert names(tmp_path) == {"dist", ".dist-settings", ".dist-x"}


def wait_for(happened: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_terminated_build_leaves_nothing(tmp_path: Path) -> None:
    command = [GOSSAMER, "site", "--model", "u2netp", "--out", str(tmp_path / "dist")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        wait_for(lambda: names(tmp_path))
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in told
    assert names(tmp_path) == set()


def test_a_place_that_cannot_be_written_to_is_explained(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("a file")
    with pytest.raises(SiteError, match=r"README\.md/dist: .*Choose another folder"):
        fill(tmp_path / "README.md" / "dist")


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(SiteError, match=r"No space left on device.*make room"),
        new_folder(tmp_path / "dist", "index.html"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert names(tmp_path) == set()
