"""How a long step says how far it is."""

import sys
import time
from typing import Protocol, TextIO

from exporter.terminal import shown_line

__all__ = ["Report", "TerminalReport", "silent"]


_BAR_COLUMNS = 20


class Report(Protocol):
    """`total` is 0 for a line that stands alone, else in the unit of `done` (bytes for downloads).

    The last call of a counted step has done == total.
    """

    def __call__(self, line: str, done: int = 0, total: int = 0, /) -> None: ...


def silent(line: str, done: int = 0, total: int = 0) -> None:
    """The report of callers that show nothing."""


class TerminalReport:
    """Writes to a terminal with a bar and the percentage kept up to date, to a log with one line at
    times."""

    def __init__(self, stream: TextIO = sys.stderr, *, log_interval_s: float = 5.0) -> None:
        self._stream = stream
        self._interval_s = 0.1 if stream.isatty() else log_interval_s
        self._next_s = 0.0
        self._counted = ""

    def __call__(self, line: str, done: int = 0, total: int = 0) -> None:
        now_s = time.monotonic()
        # The first line of a step and its last one are always shown.
        if total and line == self._counted and done < total and now_s < self._next_s:
            return
        self._next_s = now_s + self._interval_s
        text = shown_line(line)
        percent = f" {self._bar(done, total)}{100 * done // total:3d} %" if total else ""
        if not self._stream.isatty():
            self._stream.write(f"{text}{percent}\n")
        elif total and done < total:
            self._stream.write(f"\r\x1b[K{text}{percent}")
        else:
            self._stream.write(f"\r\x1b[K{text}{percent}\n")
        self._counted = line if total else ""
        self._stream.flush()

    def _bar(self, done: int, total: int) -> str:
        filled = _BAR_COLUMNS * done // total
        bar = "#" * filled + "." * (_BAR_COLUMNS - filled)
        return f"[{bar}] " if self._stream.isatty() else ""
