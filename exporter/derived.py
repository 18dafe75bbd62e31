"""Files made of verified ones, kept in the cache with their sha256 beside them.

<name>          the file
<name>.sha256   what it was when it was made

One that a disk or a hand has changed since is as good as none, and is made again. Who writes the
cache on purpose writes both: a cache must be trusted as the machine is.
"""

from pathlib import Path

from exporter.origins import sha256_of
from exporter.writable import write_whole

__all__ = ["is_kept", "keep"]


def is_kept(path: Path) -> bool:
    """Whether the file is there as it was made."""
    try:
        return sha256_of(path) == _beside(path).read_text()
    except (OSError, UnicodeDecodeError):  # a failing disk, too
        return False


def keep(made: Path, path: Path) -> Path:
    """Moves a finished file of the same disk to `path`, whatever is there, and returns that. Raises
    OSError."""
    write_whole(_beside(path), sha256_of(made).encode())
    return made.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
