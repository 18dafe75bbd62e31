"""A run on a Ray cluster of this machine, two actors: `make soak`, as Ray takes long to start."""

import os
import signal
from collections import defaultdict
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.on_ray import cut_on_ray
from exporter.batch.run import Sum, run_batch
from exporter.cut import CutJob, cut_photos
from exporter.finder import Finder, FindSettings
from exporter.native import OutputOptions, parse_refinement
from tests.unit.exporter.many_photos import make_photos

COUNT = 300
CUT = CutJob(parse_refinement("default"), OutputOptions())


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_photos(tmp_path_factory.mktemp("many"), COUNT)


def resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.soak
def test_300_photos_and_a_killed_actor(photos: list[Path], tmp_path: Path) -> None:
    memory_mb = defaultdict(list)

    def killing(waiting: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
        for done, outcome in enumerate(cut_on_ray(waiting, job, workers=2, address=None)):
            process = int(str(outcome.worker).rpartition(":")[2])
            if done == COUNT // 3:
                os.kill(process, signal.SIGKILL)
            elif Path(f"/proc/{process}").exists():
                memory_mb[process].append(resident_mb(process))
            yield outcome

    source, target = photos[0].parent, tmp_path / "ray"
    job = BatchJob(FindSettings(), CUT, str(target))
    total = run_batch(str(source), job, killing)
    assert total == Sum(COUNT, 0, 0, total.unsure)
    assert len(memory_mb) == 3  # one of two was killed, and replaced

    finder = Finder(FindSettings())
    assert cut_photos(photos, tmp_path / "cut", finder, CUT).failures == []
    written = sorted(target.glob("*.png"))
    assert [one.name for one in written] == [f"{number:03}-cutout.png" for number in range(COUNT)]
    for one in written:
        assert one.read_bytes() == (tmp_path / "cut" / one.name).read_bytes(), one.name

    times = [one.stat().st_mtime_ns for one in written]
    assert run_batch(str(source), job, killing) == Sum(0, COUNT, 0)
    assert [one.stat().st_mtime_ns for one in written] == times

    for process, seen_mb in memory_mb.items():
        print(f"actor {process}: {len(seen_mb)} photos, MB {[round(one) for one in seen_mb[::20]]}")
    (longest,) = sorted(memory_mb.values(), key=len)[-1:]
    assert len(longest) > COUNT / 3
    settled = max(longest[: len(longest) // 3])
    assert max(longest) < settled * 1.1 + 20


@pytest.mark.soak
def test_ray_tells_nobody_and_listens_to_this_machine(photos: list[Path], tmp_path: Path) -> None:
    heard = set()

    def listening(waiting: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
        for outcome in cut_on_ray(waiting[:2], job, workers=1, address=None):
            from ray._common.usage.usage_lib import usage_stats_enabled

            heard.update(listening_addresses())
            assert not usage_stats_enabled()
            yield outcome

    before = listening_addresses()
    run_batch(str(photos[0].parent), BatchJob(FindSettings(), CUT, str(tmp_path)), listening)
    assert heard - before
    assert {address for address, _ in heard - before} <= LOOPBACK


#: As the kernel writes 127.0.0.1, ::1 and ::ffff:127.0.0.1 on a machine of little endian.
LOOPBACK = {
    "0100007F",
    "00000000000000000000000001000000",
    "0000000000000000FFFF00000100007F",
}


def listening_addresses() -> set[tuple[str, str]]:
    """(address, port) of every TCP socket that waits for connections, in hexadecimal."""
    return {
        (address, port)
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        for address, port in [line.split()[1].split(":")]
        if line.split()[3] == "0A"
    }
