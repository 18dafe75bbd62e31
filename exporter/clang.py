"""Compiles our C, with the clang and the linker that Zig's Python package brings.

What it has made stays in the cache, found again by a hash of the sources, the flags, the compiler's
version and this file.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from exporter.derived import is_kept, keep
from exporter.errors import SiteError
from exporter.origins import cache_folder

__all__ = ["compile_library", "compile_module"]

_WASM = ("-target", "wasm32-freestanding", "-O3", "-ffp-contract=off", "-msimd128")


def compile_module(source: Path, flags: Sequence[str]) -> bytes:
    """A C file as a WebAssembly module of its own. Raises SiteError with what the compiler says."""

    def make(folder: Path) -> Path:
        target = folder / "module.wasm"
        _zig(["cc", *_WASM, "-nostdlib", *flags, source.name, "-o", str(target)], source, folder)
        return target

    return _made_once(make, [source], flags)


def compile_library(sources: Iterable[Path]) -> bytes:
    """C files as one shared library, which Pyodide's ctypes loads: WebAssembly that takes its place
    in a program's memory. Raises SiteError with what the compiler says."""
    files = sorted(sources)

    def make(folder: Path) -> Path:
        objects = [str(folder / f"{source.stem}.o") for source in files]
        visible = ("-fPIC", "-fvisibility=default")
        for source, compiled in zip(files, objects, strict=True):
            _zig(["cc", *_WASM, *visible, "-c", source.name, "-o", compiled], source, folder)
        target = folder / "library.wasm"
        linked = ("--experimental-pic", "-shared", "--export-dynamic", "--strip-all")
        _zig(["wasm-ld", *linked, *objects, "-o", str(target)], files[-1], folder)
        return target

    return _made_once(make, files, ["library"])


def _made_once(
    make: Callable[[Path], Path], sources: Sequence[Path], flags: Sequence[str]
) -> bytes:
    """What `make` has made in a folder that it was given, now or before."""
    names = " ".join(source.name for source in sources)
    kept = cache_folder() / "compiled" / _key(names, sources, flags)
    try:
        if not is_kept(kept):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                keep(make(Path(folder)), kept)
        return kept.read_bytes()
    except OSError as error:
        raise SiteError(
            f"{names}: Expected a cache folder that can be written to: {error}. "
            "Set GOSSAMER_CACHE to another one."
        ) from error


def _key(names: str, sources: Sequence[Path], flags: Sequence[str]) -> str:
    try:
        compiler = version("ziglang")
    except PackageNotFoundError as error:
        raise SiteError(
            f"{names}: Expected the Python package ziglang, which compiles it, found none."
            " Run `make site`, or pip install --editable . in Gossamer's folder."
        ) from error
    parts = [text.encode() for text in (compiler, names, *flags)]
    parts += [path.read_bytes() for path in (Path(__file__), *sources)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _zig(arguments: Sequence[str], source: Path, folder: Path) -> None:
    """In a cache of its own below `folder`: Zig trusts what it finds in one."""
    cache = str(folder / "zig")
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
