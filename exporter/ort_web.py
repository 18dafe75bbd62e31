"""ONNX Runtime Web, of which each backend loads a bundle of its own and no other."""

import tarfile
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from exporter.catalog import Part
from exporter.errors import ExporterError
from exporter.origins import fetch
from exporter.report import Report, silent

__all__ = ["RUNTIME_FILES", "unpack_runtime"]

#: The native WebGPU provider, not JSEP, which upstream has given up.
RUNTIME_FILES = {
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgl": ("ort.webgl.min.mjs",),
    "webgpu": (
        "ort.webgpu.min.mjs",
        "ort-wasm-simd-threaded.asyncify.mjs",
        "ort-wasm-simd-threaded.asyncify.wasm",
    ),
}


def unpack_runtime(
    part: Part, backends: Iterable[str], folder: Path, *, report: Report = silent
) -> None:
    """Makes `folder` with the files of these backends. Raises ExporterError."""
    package = fetch(part, report=report)
    wanted = {f"package/dist/{name}" for backend in backends for name in RUNTIME_FILES[backend]}
    folder.mkdir(parents=True)
    with tarfile.open(package) as tar:
        for member in takewhile(lambda _: wanted, tar):
            stream = tar.extractfile(member) if member.name in wanted else None
            if stream is not None:
                (folder / Path(member.name).name).write_bytes(stream.read())
                wanted.remove(member.name)
    if wanted:
        raise ExporterError(
            f"web/runtime.toml: Expected {', '.join(sorted(wanted))} in {part.name}, found none."
        )
