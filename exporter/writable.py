"""Asks before long work whether its result can be written."""

import tempfile
from pathlib import Path

__all__ = ["try_folder"]


def try_folder(folder: Path) -> None:
    """Makes the folder and writes into it, and leaves nothing there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
