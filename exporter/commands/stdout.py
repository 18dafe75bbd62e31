"""What a command prints."""

import os
import sys

from exporter.errors import ExporterError
from exporter.terminal import shown

__all__ = ["print_out"]

_NOBODY_READS = 128 + 13  # what a shell tells of a command that SIGPIPE has ended


def print_out(text: str) -> None:
    """On stdout, and at once. Raises ExporterError where that finds no place, as on a full disk,
    and ends without a word where nobody reads on, as `gossamer models | head -1` does."""
    try:
        sys.stdout.write(shown(text))
        sys.stdout.flush()
    except OSError as error:
        # Or Python tries what is left once more at its end, and tells of that in its own way.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise SystemExit(_NOBODY_READS) from error
        raise ExporterError(f"stdout: Expected a place to write to: {error}") from error
