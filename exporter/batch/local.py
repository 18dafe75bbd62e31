"""Worker processes of this machine.

Each has a pipe of its own and one photo at a time: when one is killed, its pipe says so at once, it
is known whose photo that was, and no other worker holds or loses anything. The executors of
concurrent.futures give up all of their processes when they lose one.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait

from exporter.batch.job import BatchJob, Outcome, Photo
from exporter.batch.worker import ATTEMPTS, Worker
from exporter.errors import BatchError, ExporterError

__all__ = ["core_count", "cut_locally"]

# ONNX Runtime's threads do not survive a fork, and a spawned process has no other one's pipe open.
_CONTEXT = multiprocessing.get_context("spawn")
#: What a photo may still take when the run is interrupted.
_GRACE_S = 60.0


def core_count() -> int:
    """Those that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def cut_locally(photos: Sequence[Photo], job: BatchJob, *, workers: int) -> Generator[Outcome]:
    """An engine. Where it is left before its end, each worker finishes its photo first. Raises
    ExporterError where workers cannot start."""
    waiting = deque(photos)
    team = [_Hand(job) for _ in range(min(workers, len(photos)))]
    try:
        while team:
            heard = wait([hand.connection for hand in team])
            for hand in [one for one in team if one.connection in heard]:
                outcome = hand.hear()
                if outcome is not None:
                    yield outcome
                if hand.is_free and waiting:
                    hand.give(waiting.popleft())
                elif hand.is_free:
                    hand.dismiss()
                    team.remove(hand)
    finally:
        for hand in team:
            hand.connection.close()
        for hand in team:
            hand.dismiss()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process that starts in here never hears of Ctrl+C, from its first moment on; this one does
    when it leaves."""
    hold = getattr(signal, "pthread_sigmask", None)  # Windows has none
    if hold is None:
        yield
        return
    resource_tracker.ensure_running()  # it would let them through in between
    before = hold(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        hold(signal.SIG_SETMASK, before)


class _Hand:
    """One worker's process and its successors, seen from the run."""

    connection: Connection

    def __init__(self, job: BatchJob) -> None:
        self._job = job
        self._photo: Photo | None = None
        self._deaths = 0
        self._start(successor=False)

    @property
    def is_free(self) -> bool:
        return self._started and self._photo is None

    def give(self, photo: Photo) -> None:
        self._photo = photo
        self._deaths = 0
        self._send()

    def hear(self) -> Outcome | None:
        """What the process says, None where that is no outcome. Raises ExporterError where it
        cannot start."""
        try:
            said = self.connection.recv()
        except (EOFError, OSError):
            return self._mourn()
        if isinstance(said, ExporterError):
            raise said
        if isinstance(said, Outcome):
            self._photo = None
            return replace(said, attempts=(said.attempts or 1) + self._deaths)
        self._started = True
        if self._photo is not None:
            self._send()
        return None

    def dismiss(self) -> None:
        self.connection.close()
        self._process.join(_GRACE_S)
        self._process.kill()
        self._process.join()

    def _start(self, *, successor: bool) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_serve, args=(theirs, self._job, successor), daemon=True
        )
        self._started = False
        with _interrupts_held():
            self._process.start()
        theirs.close()

    def _send(self) -> None:
        with suppress(OSError):  # it died meanwhile: hear() will say so
            self.connection.send(self._photo)

    def _mourn(self) -> Outcome | None:
        """Starts a successor; the outcome of a photo that has cost too many."""
        self._process.join()
        if not self._started:
            raise BatchError(
                f"Expected a worker process to start, and it ended with {self._process.exitcode}. "
                "Is there enough memory? Fewer --workers need less."
            )
        outcome = None
        self._deaths += 1
        if self._photo is not None and self._deaths == ATTEMPTS:
            reason = (
                f"its worker process died {ATTEMPTS} times, at last with {self._process.exitcode} "
                "(-9 is often too little memory: fewer --workers need less)"
            )
            outcome = Outcome(*self._photo, "failed", reason, attempts=ATTEMPTS)
            self._photo = None
        self.connection.close()
        self._start(successor=True)
        return outcome


def _serve(connection: Connection, job: BatchJob, successor: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches everyone, and the run decides
    try:
        worker = Worker(job, successor=successor)
    except ExporterError as error:
        connection.send(error)
        return
    with suppress(EOFError, OSError):  # the run has ended
        connection.send(None)
        while True:
            connection.send(worker(connection.recv()))
