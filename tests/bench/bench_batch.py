"""What a second worker adds to `gossamer batch`, each with the network on one thread. Nothing is
asserted but that all photos are cut out: `pytest -s tests/bench/bench_batch.py` prints.
"""

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.local import cut_locally
from exporter.batch.on_ray import cut_on_ray
from exporter.batch.run import run_batch
from exporter.cut import CutJob
from exporter.finder import FindSettings
from exporter.native import OutputOptions, parse_refinement
from tests.unit.exporter.many_photos import make_photos

COUNT = 80
ENGINES: dict[str, tuple[Callable[..., Generator[Outcome]], dict[str, Any]]] = {
    "local": (cut_locally, {}),
    "ray": (cut_on_ray, {"address": None}),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ENGINES)
def test_print_what_a_second_worker_adds(engine: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    make_photos(tmp_path / "photos", COUNT)
    one, two = (speed_of(engine, workers, tmp_path) for workers in (1, 2))
    print(f"\n{engine}: {one:.2f} and {two:.2f} photos a second, {two / one:.2f} times as fast")


def speed_of(engine: str, workers: int, folder: Path) -> float:
    """Photos a second from the first one on, as engines take time to start."""
    cut, options = ENGINES[engine]
    times_s = []

    def timed(photos: Sequence[Photo], job: BatchJob) -> Generator[Outcome]:
        for outcome in cut(photos, job, workers=workers, **options):
            times_s.append(time.monotonic())
            yield outcome

    target = str(folder / str(workers))
    job = BatchJob(FindSettings(), CutJob(parse_refinement("default"), OutputOptions()), target)
    assert run_batch(str(folder / "photos"), job, timed).done == COUNT
    return (COUNT - 1) / (times_s[-1] - times_s[0])
