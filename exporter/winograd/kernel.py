"""Compiles web/wasm/winograd.c, with the clang that Zig's Python package brings."""

import functools
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from exporter.errors import SiteError
from exporter.origins import cache_folder

__all__ = ["ENGINE", "KERNELS", "SOURCE", "compile_kernels"]

_WEB = Path(__file__).resolve().parents[2] / "web"
SOURCE = _WEB / "wasm" / "winograd.c"
#: The module that runs it.
ENGINE = _WEB / "js" / "pipeline" / "winograd.js"

_COMMON = (
    *("-target", "wasm32-freestanding", "-O3", "-ffp-contract=off", "-nostdlib"),
    "-msimd128",
    *("-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--strip-all", "-Wl,-z,stack-size=16384"),
)
#: By name: a page that is not isolated can share no memory, and gets one thread.
KERNELS = {
    "winograd": (),
    "winograd-threads": (
        *("-DTHREADS", "-matomics", "-mbulk-memory"),
        *("-Wl,--shared-memory", "-Wl,--max-memory=1073741824", "-Wl,--export=__stack_pointer"),
    ),
}


@functools.cache
def compile_kernels(source: Path = SOURCE) -> dict[str, bytes]:
    """Every one of KERNELS as WebAssembly. Raises SiteError with what the compiler says."""
    return {name: _compile(source, flags) for name, flags in KERNELS.items()}


def _compile(source: Path, flags: tuple[str, ...]) -> bytes:
    compiler = [sys.executable, "-m", "ziglang", "cc"]
    try:
        cache = str(cache_folder() / f"zig-{version('ziglang')}")
    except PackageNotFoundError as error:
        raise SiteError(
            f"wasm/{source.name}: Expected the Python package ziglang, which compiles it, found "
            "none. Run `make site`, or pip install --editable . in Gossamer's folder."
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "kernel.wasm")
        try:
            subprocess.run(
                [*compiler, *_COMMON, *flags, source.name, "-o", target],
                cwd=source.parent,
                env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
                check=True,
                capture_output=True,
                text=True,
            )
        except subprocess.CalledProcessError as error:
            raise SiteError(f"wasm/{source.name}: {error.stderr.strip()}") from error
        return target.read_bytes()
