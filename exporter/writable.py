"""Files that are there whole or not at all, and whether there is a place for them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

__all__ = ["try_folder", "whole_file", "write_whole"]


def try_folder(folder: Path) -> None:
    """Makes the folder and writes into it, and leaves nothing there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")


def write_whole(path: Path, data: bytes) -> None:
    """Makes the folder, too. What fails, or is stopped, leaves what was there. A link stays one,
    and a device is written to. Raises OSError."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    with whole_file(Path(os.path.realpath(path))) as unfinished:
        unfinished.write_bytes(data)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Beside `path`, a name that nobody else writes to; at the end it takes the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid4().hex}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
