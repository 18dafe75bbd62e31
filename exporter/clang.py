"""Compiles our C, with the clang and the linker that Zig's Python package brings."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from exporter.errors import SiteError
from exporter.origins import cache_folder

__all__ = ["compile_library", "compile_module"]

_WASM = ("-target", "wasm32-freestanding", "-O3", "-ffp-contract=off", "-msimd128")


def compile_module(source: Path, flags: Sequence[str]) -> bytes:
    """A C file as a WebAssembly module of its own. Raises SiteError with what the compiler says."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "module.wasm")
        _zig(["cc", *_WASM, "-nostdlib", *flags, source.name, "-o", str(target)], source)
        return target.read_bytes()


def compile_library(sources: Iterable[Path]) -> bytes:
    """C files as one shared library, which Pyodide's ctypes loads: WebAssembly that takes its place
    in a program's memory. Raises SiteError with what the compiler says."""
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in sorted(sources):
            objects.append(str(Path(folder, source.stem).with_suffix(".o")))
            visible = ("-fPIC", "-fvisibility=default")
            _zig(["cc", *_WASM, *visible, "-c", source.name, "-o", objects[-1]], source)
        target = Path(folder, "library.wasm")
        linked = ("--experimental-pic", "-shared", "--export-dynamic", "--strip-all")
        _zig(["wasm-ld", *linked, *objects, "-o", str(target)], source)
        return target.read_bytes()


def _zig(arguments: Sequence[str], source: Path) -> None:
    try:
        cache = str(cache_folder() / f"zig-{version('ziglang')}")
    except PackageNotFoundError as error:
        raise SiteError(
            f"{source.name}: Expected the Python package ziglang, which compiles it, found none."
            " Run `make site`, or pip install --editable . in Gossamer's folder."
        ) from error
    try:
        subprocess.run(
            [sys.executable, "-m", "ziglang", *arguments],
            cwd=source.parent,
            env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
            check=True,
            capture_output=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise SiteError(f"{source.name}: {error.stderr.strip()}") from error
