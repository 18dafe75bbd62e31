"""What the site and the package for other sites are both made of, and how a folder is written.

wasm/                           our own engine, what it does with each network (winograd/), and what
                                resizes photos (lanczos.py)
vendor/                         ONNX Runtime Web, Pyodide and small libraries, from web/runtime.toml
models/                         one file for each backend and precision (site_models.py)
licences.txt, sbom.cdx.json     what all of it is and whose
"""

import glob
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import filelock
import jinja2

from exporter.catalog import Part, find_network, load_runtime
from exporter.errors import SiteError
from exporter.js_modules import hashed_name, slimmed
from exporter.lanczos import compile_lanczos
from exporter.licences import format_notices, read_member
from exporter.origins import cache_folder, fetch, sha256_of
from exporter.ort_web import unpack_runtime
from exporter.pyodide_bundle import LATER_PACKAGES, PACKAGES, build_pyodide_bundle
from exporter.report import Report
from exporter.sbom import format_sbom
from exporter.site_models import SiteChoices, add_model
from exporter.winograd.kernel import compile_kernels

__all__ = [
    "NPM_FILES",
    "WEB",
    "Parts",
    "add_parts",
    "files_of",
    "hash_of",
    "hash_texts",
    "module_sources",
    "new_folder",
    "read_source",
    "render",
    "served_name",
    "to_json",
    "write_file",
]

WEB = Path(__file__).resolve().parent.parent / "web"

#: Small libraries, as their npm packages have them: their name in build.js, then the module and
#: what must lie beside it. See licences.py for what else goes with them.
NPM_FILES = {
    "client-zip": ("zip", ("index.js",)),
    # Its licence asks for a file of its own, with its notice beside it.
    "libheif-js": ("heif", ("libheif-wasm/libheif-bundle.mjs", "LICENSE")),
}

#: What a build holds in the folder that it fills.
_LOCK = "gossamer-build.lock"


@dataclass(frozen=True)
class Parts:
    """`build` is what build.js says of them; `later` are the paths, or how they begin, of what only
    some visitors need."""

    build: dict[str, Any]
    later: tuple[str, ...]


@contextmanager
def new_folder(out_dir: Path, *marks: str) -> Iterator[Path]:
    """A folder to fill, which takes the place of `out_dir` at the very end, if nothing is raised.

    `marks` are files that an earlier one has. Raises SiteError where `out_dir` is something else,
    and where nothing can be written.
    """
    try:
        with _filling(out_dir, marks) as filling:
            yield filling
    except OSError as error:
        raise SiteError(
            f"Expected a folder that can be written to for the output, received {out_dir}: {error}."
            " Choose another folder, or make room on the disk."
        ) from error


@contextmanager
def _filling(out_dir: Path, marks: Sequence[str]) -> Iterator[Path]:
    is_earlier = all((out_dir / mark).is_file() for mark in marks)
    if out_dir.exists() and not is_earlier and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise SiteError(
            f"Expected a new folder or an earlier build for the output, received {out_dir}, which"
            " holds something else and would be deleted. Choose another folder."
        )
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out_dir.name}-"
    for left in out_dir.parent.glob(f"{glob.escape(prefix)}*"):
        _sweep(left)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=out_dir.parent) as folder,
        filelock.FileLock(Path(folder, _LOCK)),
    ):
        filling = Path(folder, "new")
        filling.mkdir()
        yield filling
        if out_dir.exists():
            out_dir.rename(Path(folder, "old"))
        filling.rename(out_dir)


def _sweep(folder: Path) -> None:
    """Takes away what a killed build has left. A build that lives holds its lock."""
    if not (folder / _LOCK).is_file():
        return  # somebody else's
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(blocking=False)
    except OSError:
        return  # held, or not ours to open
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def add_parts(
    root: Path,
    networks: Sequence[str],
    choices: SiteChoices,
    report: Report,
    *,
    libraries: Iterable[str],
) -> Parts:
    """Writes engines, networks, the `libraries` of NPM_FILES and the notices of all below `root`.

    The first network is the default. Raises ExporterError.
    """
    everything = load_runtime()
    libraries = tuple(libraries)
    left_out = NPM_FILES.keys() - set(libraries)
    runtime = {name: part for name, part in everything.items() if name not in left_out}
    report("Copying ONNX Runtime Web ...", 0, 0)
    ort_path = _add_onnx_runtime(root, runtime["onnxruntime-web"], choices, report)
    packages = {name: fetch(runtime[name], report=report) for name in libraries}
    modules = {name: _add_npm_files(root, runtime[name], packages[name]) for name in libraries}
    report("Preparing Pyodide ...", 0, 0)
    pyodide_path = _add_pyodide(root, runtime, report)
    chosen = [find_network(name) for name in dict.fromkeys(networks)]
    models = [add_model(root, network, choices, report) for network in chosen]

    wheels = {
        name: root / pyodide_path / _wheel_name(root / pyodide_path, name)
        for name in ("numpy", *LATER_PACKAGES)
    }
    parts = [*runtime.values(), *(network.part for network in chosen)]
    write_file(root / "licences.txt", format_notices(parts, wheels, packages).encode())
    sbom = format_sbom(runtime.values(), [network.part for network in chosen])
    write_file(root / "sbom.cdx.json", sbom.encode())
    build = {
        "ort": {"version": runtime["onnxruntime-web"].version, "path": f"{ort_path}/"},
        "winograd": _add_kernels(root),
        "lanczos": _add_module(root, "lanczos", compile_lanczos()),
        "pyodide": {
            "version": runtime["pyodide"].version,
            "path": f"{pyodide_path}/",
            "packages": {name: _wheel_name(root / pyodide_path, name) for name in PACKAGES},
            **_hashes(root / pyodide_path),
        },
        **{
            NPM_FILES[name][0]: {"version": runtime[name].version, "path": path}
            for name, path in modules.items()
        },
        "models": models,
        "defaultModel": models[0]["name"],
    }
    later = [wheels[name].relative_to(root).as_posix() for name in LATER_PACKAGES]
    later.append(str(PurePosixPath(modules["libheif-js"]).parent))
    return Parts(build, tuple(later))


def _add_onnx_runtime(root: Path, part: Part, choices: SiteChoices, report: Report) -> str:
    """Returns the folder's path below `root`."""
    folder = root / "vendor" / "onnxruntime-web"
    unpack_runtime(part, choices.backends, folder, report=report)
    return _with_hash(folder, part)


def _add_kernels(root: Path) -> dict[str, str]:
    """Compiles our own engine, and returns the paths below `root` of its two forms."""
    paths = {name: _add_module(root, name, kernel) for name, kernel in compile_kernels().items()}
    return {"single": paths["winograd"], "threads": paths["winograd-threads"]}


def _add_module(root: Path, name: str, contents: bytes) -> str:
    path = hashed_name(f"wasm/{name}.wasm", contents)
    write_file(root / path, contents)
    return path


def _add_npm_files(root: Path, part: Part, package: Path) -> str:
    """Files of an npm package that need nothing else. Returns the module's path below `root`."""
    folder = root / "vendor" / part.name
    _, names = NPM_FILES[part.name]
    for name in names:
        write_file(folder / PurePosixPath(name).name, read_member(package, name))
    return f"{_with_hash(folder, part)}/{served_name(PurePosixPath(names[0]).name)}"


def _add_pyodide(root: Path, runtime: Mapping[str, Part], report: Report) -> str:
    """Returns the folder's path below `root`."""
    folder = root / "vendor" / "pyodide"
    part = runtime["pyodide"]
    build_pyodide_bundle(
        fetch(part, report=report),
        {name: fetch(runtime[name], report=report) for name in ("numpy", *LATER_PACKAGES)},
        folder,
        cache_dir=cache_folder() / "bytecode",
        report=report,
    )
    return _with_hash(folder, part)


def _wheel_name(folder: Path, package: str) -> str:
    """The file of a package, whose name may have a hyphen where the file's has an underscore."""
    (wheel,) = folder.glob(f"{package.replace('-', '_')}-*.whl")
    return wheel.name


def _hashes(folder: Path) -> dict[str, Any]:
    """The sha256 of what Python's start needs, and of each package for later."""
    later = {package: _wheel_name(folder, package) for package in LATER_PACKAGES}
    hashes = {path.name: sha256_of(path) for path in files_of(folder)}
    return {
        "files": {name: hashes[name] for name in hashes if name not in later.values()},
        "later": {package: {name: hashes[name]} for package, name in later.items()},
    }


def served_name(name: str) -> str:
    """What a part's file is called in a site: hosts that have no type for `.mjs` are many, nginx as
    Debian ships it among them, and browsers run no module that comes without one."""
    return re.sub(r"\.mjs$", ".js", name)


def _with_hash(folder: Path, part: Part) -> str:
    """Renames the files of a part as they are served, and its folder to `<name>-<version>.<hash of
    them>`. Returns the folder's path below the root."""
    for path in files_of(folder):
        path.rename(path.with_name(served_name(path.name)))
    name = f"{part.name}-{part.version}.{hash_of(folder)[:10]}"
    return folder.rename(folder.with_name(name)).relative_to(folder.parent.parent).as_posix()


def module_sources(web: Path, build: Mapping[str, Any]) -> dict[str, str]:
    """Our modules by their path below `web`, with the build.js that says `build`."""
    sources = {
        path.relative_to(web).as_posix(): slimmed(path.read_text(encoding="utf-8"))
        for path in (web / "js").rglob("*.js")
    }
    return {**sources, "js/build.js": render(web, "build.js", build=build)}


def read_source(web: Path, name: str) -> bytes:
    """Raises SiteError."""
    try:
        return (web / name).read_bytes()
    except FileNotFoundError:
        raise SiteError(f"{name}: Expected this file, found none in {web}.") from None


def write_file(path: Path, data: bytes) -> None:
    """In a folder that is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def files_of(folder: Path) -> Iterable[Path]:
    """All that lie below it, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def hash_of(folder: Path) -> str:
    """A hash of every file's path and content below a folder."""
    return hash_texts(
        *(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}" for path in files_of(folder))
    )


def hash_texts(*texts: str) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def render(web: Path, template: str, **values: object) -> str:
    """A file of `web/templates`. Raises SiteError for a value that it misses."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(web / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(("html",)),
        keep_trailing_newline=True,
    )
    environment.filters["json"] = lambda value: to_json(value, indent=2)
    environment.filters["js_json"] = lambda value: _quoted(to_json(value))
    try:
        return environment.get_template(template).render(values)
    except jinja2.TemplateError as error:
        raise SiteError(f"templates/{template}: {type(error).__name__}: {error}") from error


def to_json(value: object, indent: int | None = None) -> str:
    """In UTF-8, not escaped."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _quoted(text: str) -> str:
    """What stands between the single quotes of a JavaScript string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
