"""Actors of a Ray cluster, fed by Ray Data.

Ray Data hands out blocks of photos as actors come free, restarts an actor that dies, and gives it
its block again. Only addresses travel: each actor reads its photos and writes its files itself.
"""

import logging
import os
import secrets
import warnings
from collections.abc import Generator, Sequence
from dataclasses import asdict
from typing import Any

from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.local import core_count
from exporter.batch.worker import ATTEMPTS, Worker
from exporter.errors import BatchError

__all__ = ["cut_on_ray"]

_USAGE = {"RAY_USAGE_STATS_ENABLED": "0"}  # nothing is told to Ray's makers
#: For a cluster of this machine alone. Ray then listens to loopback only, which it does on macOS
#: and Windows unasked, and to those with a token, which it would keep in the user's home.
_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
#: What passes through it are addresses; Ray takes a third of the memory when it is not told.
_OBJECT_STORE_BYTES = 100 * 2**20

# A block has to be worth its handling, and there must be enough of them to share out at the end.
_BLOCKS_PER_WORKER = 50
_MOST_PHOTOS_PER_BLOCK = 64


def cut_on_ray(
    photos: Sequence[Photo], job: BatchJob, *, workers: int | None, address: str | None
) -> Generator[Outcome]:
    """An engine: on the cluster at `address`, None for one of this machine that ends with the run;
    `workers` None for one on each core. Raises BatchError where Ray cannot start or stops."""
    if not photos:
        return
    ray = _start(workers, address)
    try:
        size = _pool_size(ray, workers)
        rows = len(photos) // (size * _BLOCKS_PER_WORKER)
        left = {photo.name: photo for photo in photos}
        # A photo that kills its actor time and again takes its block along: what nobody has told of
        # is tried alone then.
        for rows_per_block in (min(max(rows, 1), _MOST_PHOTOS_PER_BLOCK), 1):
            for outcome in _outcomes(list(left.values()), job, size, rows_per_block):
                left.pop(outcome.target, None)
                yield outcome
        for photo in left.values():
            reason = f"its actor died {ATTEMPTS} times, perhaps of too little memory"
            yield Outcome(*photo, "failed", reason, attempts=ATTEMPTS)
    except ray.exceptions.RayError as error:
        raise BatchError(f"--engine ray: Expected a cluster that goes on: {error}") from error
    finally:
        ray.shutdown()


class _Actor:
    def __init__(self, job: BatchJob) -> None:
        import ray

        context = ray.get_runtime_context()
        self._worker = Worker(job, successor=context.was_current_actor_reconstructed)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return asdict(self._worker(Photo(**row)))


def _start(workers: int | None, address: str | None) -> Any:
    """The package `ray`, connected. Raises BatchError."""
    os.environ.update(_USAGE)
    if address is None:
        os.environ.update(_ALONE)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # Ray reads it once
    try:
        import ray  # reads the environment
        import ray.data
    except ImportError as error:
        raise BatchError(
            f"--engine ray: Expected Ray and what it needs: {error}. "
            "Run this in Gossamer's folder: pip install --editable '.[batch]'"
        ) from error
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=workers or core_count(),
                object_store_memory=_OBJECT_STORE_BYTES,
                include_dashboard=False,
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    # Ray's errors have no common base of their own.
    except Exception as error:
        raise BatchError(
            f"--engine ray: Expected a cluster at {address or 'this machine'}: {error}"
        ) from error
    return ray


def _pool_size(ray: Any, workers: int | None) -> int:
    cores = int(ray.cluster_resources().get("CPU", 0))
    if cores < (workers or 1):
        raise BatchError(
            f"--engine ray: Expected a core for each of {workers or 1} workers, received a cluster "
            f"of {cores}."
        )
    return workers or cores


def _outcomes(
    photos: Sequence[Photo], job: BatchJob, size: int, rows_per_block: int
) -> Generator[Outcome]:
    import ray
    from ray.util.annotations import RayDeprecationWarning

    if not photos:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # what they held is tried again, or said to have failed
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # outcomes have the reasons
    blocks = -(-len(photos) // rows_per_block)
    dataset = ray.data.from_items([photo._asdict() for photo in photos], override_num_blocks=blocks)
    with warnings.catch_warnings():
        # Ray 2.60 has no other way to say max_task_retries, and tries for ever where nobody does.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        outcomes = dataset.map(
            _Actor,  # type: ignore[arg-type]
            fn_constructor_kwargs={"job": job},
            compute=ray.data.ActorPoolStrategy(size=min(size, blocks)),
            num_cpus=1,
            max_task_retries=ATTEMPTS - 1,
        )
    for row in outcomes.iter_rows():
        yield Outcome(**row)
