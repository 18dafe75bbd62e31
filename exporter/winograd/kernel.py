"""Our own engine's kernels: web/wasm/winograd.c, compiled."""

import functools
from pathlib import Path

from exporter.clang import compile_module

__all__ = ["ENGINE", "KERNELS", "SOURCE", "compile_kernels"]

_WEB = Path(__file__).resolve().parents[2] / "web"
SOURCE = _WEB / "wasm" / "winograd.c"
#: The module that runs it.
ENGINE = _WEB / "js" / "pipeline" / "winograd.js"

_COMMON = ("-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--strip-all", "-Wl,-z,stack-size=16384")
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
    return {name: compile_module(source, (*_COMMON, *flags)) for name, flags in KERNELS.items()}
