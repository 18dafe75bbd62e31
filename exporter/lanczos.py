"""The innermost loops of the browser's resampling: web/wasm/lanczos.c, compiled."""

import functools
from pathlib import Path

from exporter.clang import compile_module

__all__ = ["compile_lanczos"]

_SOURCE = Path(__file__).resolve().parent.parent / "web" / "wasm" / "lanczos.c"


@functools.cache
def compile_lanczos() -> bytes:
    """A WebAssembly module. Raises SiteError with what the compiler says."""
    memory = ("-Wl,--import-memory", "-Wl,--export=__heap_base", "-Wl,-z,stack-size=8192")
    return compile_module(_SOURCE, ("-Wl,--no-entry", "-Wl,--strip-all", *memory))
