"""Files that two runs write at once, and files that cannot be finished."""

import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exporter.bundle import write_bundle
from exporter.calibration import read_calibration, write_calibration
from exporter.catalog import find_network
from exporter.writable import whole_file, write_whole

ROUNDS = 60


def at_once(write: Callable[[], object]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: write(), range(ROUNDS)))


def test_two_runs_may_write_one_calibration(tmp_path: Path) -> None:
    network = find_network("u2netp")
    calibration = read_calibration(network)
    at_once(lambda: write_calibration(calibration, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["u2netp.json"]
    assert read_calibration(network, tmp_path) == calibration


def test_two_runs_may_write_one_bundle(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("text " * 10_000)
    target = tmp_path / "bundle" / "site.zip"
    at_once(lambda: write_bundle(site, target))
    assert [path.name for path in target.parent.iterdir()] == ["site.zip"]
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None


def test_a_link_stays_one_and_a_device_is_written_to(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    link.symlink_to("file")
    write_whole(link, b"whole")
    assert link.is_symlink()
    assert file.read_bytes() == b"whole"
    write_whole(Path(os.devnull), b"whole")
    assert not Path(os.devnull).is_file()


def test_what_stops_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / ("n" * 255)  # the longest name that there is
    write_whole(path, b"whole")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as unfinished:
        unfinished.write_bytes(b"ha")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]
