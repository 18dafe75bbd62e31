"""What works on photos, one after the other: in a process of this machine, or in an actor."""

import errno
import os
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.places import may_pass, open_target, read_bytes
from exporter.cut import file_of
from exporter.errors import BatchError, ExporterError
from exporter.finder import finder_of
from exporter.native import open_bytes

__all__ = ["ATTEMPTS", "Worker"]

#: How often a photo is tried whose file cannot be read or written, or whose worker dies.
ATTEMPTS = 3
_FIRST_PAUSE_S = 1.0
_FULL = (errno.EDQUOT, errno.ENOSPC, errno.EROFS)

T = TypeVar("T")


class Worker:
    """Holds the networks, each on one thread: there are as many workers as cores.

    A `successor` takes the place of one that died, perhaps between a file's end and the news of it.
    Raises ExporterError where it cannot start.
    """

    def __init__(self, job: BatchJob, *, successor: bool = False) -> None:
        self._job = job
        self._find = finder_of(job.find, threads=1)
        self._target = open_target(job.target)
        self._successor = successor
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._attempts = 1

    def __call__(self, photo: Photo) -> Outcome:
        """Writes the cut-out. Whatever is wrong with a photo is said in its outcome."""
        self._attempts = 1
        start_s = time.monotonic()
        try:
            outcome = self._cut(photo)
        except _TargetFullError as error:
            outcome = Outcome(*photo, "failed", str(error), stops=True)
        except ExporterError as error:
            outcome = Outcome(*photo, "failed", str(error))
        except MemoryError:
            outcome = Outcome(*photo, "failed", "not enough memory: fewer --workers need less")
        # One photo in a million finds a bug: it fails alone, and the summary has the traceback.
        except Exception as error:  # noqa: BLE001
            reason = f"{_words(error)}\n{traceback.format_exc()}"
            outcome = Outcome(*photo, "failed", reason)
        seconds = time.monotonic() - start_s
        return replace(outcome, seconds=seconds, attempts=self._attempts, worker=self._name)

    def _cut(self, photo: Photo) -> Outcome:
        if self._successor and self._target.has(photo.name):
            return Outcome(*photo, "done")
        rgba_hwc, source = open_bytes(photo.source, self._read(photo))
        found = self._find(rgba_hwc)
        data = file_of(rgba_hwc, source, found.matte_hw, self._job.cut)
        self._write(photo, data)
        height, width = rgba_hwc.shape[:2]
        return Outcome(
            *photo,
            "done",
            height=height,
            width=width,
            bytes=len(data),
            model=found.model,
            confidence=found.confidence,
        )

    def _read(self, photo: Photo) -> bytes:
        try:
            return self._patiently(lambda: read_bytes(photo.source))
        except ExporterError:
            raise
        except Exception as error:
            raise BatchError(
                f"{photo.source}: Expected a file that can be read: {_words(error)}"
            ) from error

    def _write(self, photo: Photo, data: bytes) -> None:
        try:
            self._patiently(lambda: self._target.write(photo.name, data))
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in _FULL
            raise (_TargetFullError if full else BatchError)(
                f"{self._job.target}: Expected a place for {photo.name}: {_words(error)}"
            ) from error

    def _patiently(self, action: Callable[[], T]) -> T:
        """Again after growing pauses, for errors that may pass."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return action()
            except Exception as error:
                if isinstance(error, ExporterError) or not may_pass(error):
                    raise
                if self._attempts == ATTEMPTS:
                    raise
            self._attempts += 1
            time.sleep(pause_s)
            pause_s *= 4


class _TargetFullError(BatchError):
    """No other photo would find a place."""


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
