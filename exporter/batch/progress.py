"""How far a run is: `1,200 of 5,000 photos, 3 failed, 4.10 a second, 15 min left`."""

import time
from collections import deque

from exporter.report import Report

__all__ = ["Progress"]

#: The speed is that of the last minute: a run may begin slowly, or share its machine for a while.
_WINDOW_S = 60.0


class Progress:
    """Counts photos of `total`, `done` of which were there before, and reports at times."""

    def __init__(self, report: Report, total: int, done: int, *, interval_s: float) -> None:
        self._report = report
        self._total = total
        self._done = done
        self._failed = 0
        self._interval_s = interval_s
        self._next_s = 0.0
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, *, failed: bool) -> None:
        self._done += 1
        self._failed += failed
        now_s = time.monotonic()
        if now_s < self._next_s or self._done == self._total:  # the run's last line is its sum
            return
        self._next_s = now_s + self._interval_s
        self._seen.append((now_s, self._done))  # from the first one on: engines take time to start
        while len(self._seen) > 2 and self._seen[1][0] < now_s - _WINDOW_S:
            self._seen.popleft()
        self._report(self._line(now_s), self._done, self._total)

    def _line(self, now_s: float) -> str:
        failed = f", {self._failed:,} failed" if self._failed else ""
        line = f"{self._done:,} of {self._total:,} photos{failed}"
        start_s, done = self._seen[0]
        if self._done == done:
            return line
        speed = (self._done - done) / max(now_s - start_s, 1e-3)
        left = format_duration((self._total - self._done) / speed)
        return f"{line}, {speed:,.2f} a second, {left} left"


def format_duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
