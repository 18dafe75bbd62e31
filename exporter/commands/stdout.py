"""What a command prints."""

import os
import sys

from exporter.errors import ExporterError

__all__ = ["print_out"]


def print_out(text: str) -> None:
    """On stdout, and at once. Raises ExporterError where that finds no place, as on a full disk."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Or Python tries what is left once more at its end, and tells of that in its own way.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ExporterError(f"stdout: Expected a place to write to: {error}") from error
