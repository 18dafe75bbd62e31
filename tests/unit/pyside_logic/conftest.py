"""The compiled loops as this machine runs them."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from pyside_logic import compiled


@pytest.fixture(scope="session")
def native_loops(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    sources = Path(compiled.__file__).parent.glob("*.c")
    library = tmp_path_factory.mktemp("compiled") / "compiled.so"
    flags = ("-O2", "-ffp-contract=off", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *flags, *sources, "-o", library], check=True
    )
    return compiled.load(library)
