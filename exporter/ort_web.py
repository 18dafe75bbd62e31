"""ONNX Runtime Web, of which each backend loads a bundle of its own and no other."""

import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from exporter.catalog import Part
from exporter.derived import is_kept, keep
from exporter.errors import ExporterError
from exporter.origins import cache_folder, fetch
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
    """Makes `folder` with the files of these backends. Raises ExporterError.

    They stay in the cache: unpacking 145 MB for them takes longer than all else of a small site.
    """
    wanted = {name for backend in backends for name in RUNTIME_FILES[backend]}
    kept = cache_folder() / "unpacked" / part.sha256
    if missing := {name for name in wanted if not is_kept(kept / name)}:
        _unpack(part, fetch(part, report=report), missing, kept)
    folder.mkdir(parents=True)
    for name in wanted:
        shutil.copyfile(kept / name, folder / name)


def _unpack(part: Part, package: Path, names: set[str], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    missing = {f"package/dist/{name}" for name in names}
    with (
        tarfile.open(package) as tar,
        tempfile.TemporaryDirectory(dir=target, prefix="unfinished-") as folder,
    ):
        for member in takewhile(lambda _: missing, tar):
            stream = tar.extractfile(member) if member.name in missing else None
            if stream is not None:
                missing.remove(member.name)
                unfinished = Path(folder, Path(member.name).name)
                unfinished.write_bytes(stream.read())
                keep(unfinished, target / unfinished.name)
    if missing:
        raise ExporterError(
            f"web/runtime.toml: Expected {', '.join(sorted(missing))} in {part.name}, found none."
        )
