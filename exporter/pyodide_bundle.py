"""Pyodide as the site ships it: byte-compiled, with NumPy, pyside_logic, and Pillow for later."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pyodide_lock import PackageSpec, PyodideLockSpec

from exporter.clang import compile_library
from exporter.derived import is_kept, keep
from exporter.errors import BundleError
from exporter.nodejs import find_node
from exporter.origins import sha256_of
from exporter.report import Report, silent

__all__ = ["LATER_PACKAGES", "PACKAGES", "build_pyodide_bundle"]

#: Loaded at the start.
PACKAGES = ("numpy", "pyside-logic")
#: Loaded by browsers that need them, when they do.
LATER_PACKAGES = ("pillow",)

_HERE = Path(__file__).parent
_COMPILER = _HERE / "node" / "compile.mjs"
_BYTECODE = _HERE / "bytecode.py"
_SOURCES = _HERE.parent / "pyside_logic"

_STDLIB = "python_stdlib.zip"
_LOCK = "pyodide-lock.json"
_UNCHANGED = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm")
_SITE_PACKAGES = "/lib/python3.12/site-packages"
# Bytecode of Python 3.12 runs on no other version.
_WHEEL_TAG = "cp312-none-any"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Archive:
    """A zip of Python sources, and the folder where Pyodide will see them."""

    source: Path
    installed_at: str


def build_pyodide_bundle(
    package_tgz: Path,
    wheels: Mapping[str, Path],
    out_dir: Path,
    *,
    cache_dir: Path,
    report: Report = silent,
) -> None:
    """Fills `out_dir` with what `loadPyodide({indexURL, packages: PACKAGES})` and `loadPackage` of
    LATER_PACKAGES ask for.

    `package_tgz` is the npm package `pyodide`; `wheels` are those of numpy and of LATER_PACKAGES,
    and must be the ones whose sha256 that package's own lock file names. The compiled archives stay
    in `cache_dir`, found again by the hashes of everything that they depend on. Equal inputs give
    equal bytes on every host. Raises BundleError, or SiteError where C does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        package_dir = _unpack(package_tgz, Path(folder))
        lock = PyodideLockSpec.from_json(package_dir / _LOCK)
        copies = {}
        for name, wheel in wheels.items():
            _check_wheel(wheel, lock.packages[name])
            # The name under which the lock file knows it, whatever the download was called.
            copies[name] = Path(folder, lock.packages[name].file_name)
            shutil.copyfile(wheel, copies[name])
        own = _build_own_wheel(Path(folder))
        compiled = _compile(
            [
                _Archive(package_dir / _STDLIB, "/lib/python312.zip"),
                *(_Archive(copy, _SITE_PACKAGES) for copy in copies.values()),
                _Archive(own, _SITE_PACKAGES),
            ],
            package_dir,
            compiler_key=sha256_of(package_tgz) + sha256_of(_COMPILER) + sha256_of(_BYTECODE),
            cache_dir=cache_dir,
            report=report,
        )
        out_dir.mkdir(parents=True, exist_ok=True)
        for name in _UNCHANGED:
            shutil.copyfile(package_dir / name, out_dir / name)
        for source, archive in compiled.items():
            shutil.copyfile(archive, out_dir / source.name)
        _write_lock(lock, out_dir, wheels, own.name)


def _unpack(package_tgz: Path, folder: Path) -> Path:
    """The folder `package` of an npm tarball, with the files that are needed here."""
    wanted = {f"package/{name}" for name in (*_UNCHANGED, _STDLIB, _LOCK, "package.json")}
    with tarfile.open(package_tgz) as tar:
        members = [member for member in tar if member.name in wanted]
        missing = wanted - {member.name for member in members}
        if missing:
            raise BundleError(
                f"Expected {', '.join(sorted(missing))} in {package_tgz.name}, received a package"
                " without. Is it the npm package `pyodide` in the version of web/runtime.toml?"
            )
        package_dir = folder / "package"
        package_dir.mkdir()
        for member in members:  # one by one: `extractall` has no safe way before Python 3.11.4
            if content := tar.extractfile(member):
                (folder / member.name).write_bytes(content.read())
    return package_dir


def _check_wheel(wheel: Path, pinned: PackageSpec) -> None:
    received = sha256_of(wheel)
    if received != pinned.sha256:
        raise BundleError(
            f"Expected sha256 {pinned.sha256} for {pinned.file_name}, as Pyodide's own lock file"
            f" says, received {received} from {wheel}. Delete that file and build again."
        )


def _build_own_wheel(folder: Path) -> Path:
    """A wheel of the sources of pyside_logic, with its loops compiled. Its RECORD comes later."""
    release = version("gossamer")
    info = f"pyside_logic-{release}.dist-info"
    contents = {
        f"pyside_logic/{path.relative_to(_SOURCES).as_posix()}": path.read_bytes()
        for path in _SOURCES.rglob("*.py")
    }
    compiled = _SOURCES / "compiled"
    contents["pyside_logic/compiled/loops.wasm"] = compile_library(compiled.glob("*.c"))
    contents[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.4\nName: pyside-logic\nVersion: {release}\n"
        "License-Expression: Apache-2.0\nRequires-Python: ==3.12.*\nRequires-Dist: numpy\n"
    ).encode()
    contents[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: gossamer\nRoot-Is-Purelib: true\nTag: {_WHEEL_TAG}\n"
    ).encode()
    contents[f"{info}/RECORD"] = b""
    wheel = folder / f"pyside_logic-{release}-{_WHEEL_TAG}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), data)
    return wheel


def _compile(
    archives: Sequence[_Archive],
    package_dir: Path,
    *,
    compiler_key: str,
    cache_dir: Path,
    report: Report,
) -> dict[Path, Path]:
    """The compiled archive of each source, from the cache where it has been made before."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    compiled = {
        archive.source: cache_dir
        / _sha256_text(compiler_key, archive.installed_at, sha256_of(archive.source))
        for archive in archives
    }
    missing = [archive for archive in archives if not is_kept(compiled[archive.source])]
    if missing:
        names = ", ".join(archive.source.name for archive in missing)
        report(f"Byte-compiling {names} ...", 0, 0)
        with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
            fresh = {archive.source: Path(folder, archive.source.name) for archive in missing}
            jobs = [
                {
                    "source": str(archive.source),
                    "target": str(fresh[archive.source]),
                    "installed_at": archive.installed_at,
                }
                for archive in missing
            ]
            _run_compiler(jobs, package_dir, Path(folder))
            for source, target in fresh.items():
                keep(target, compiled[source])
    return compiled


def _run_compiler(jobs: list[dict[str, str]], package_dir: Path, folder: Path) -> None:
    jobs_path = folder / "jobs.json"
    jobs_path.write_text(json.dumps(jobs))
    try:
        node = find_node()
    except FileNotFoundError as error:
        raise BundleError(str(error)) from error
    done = subprocess.run(
        [node, str(_COMPILER), str(package_dir), str(_BYTECODE), str(jobs_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # Node prints the line of the script where it stopped, and with Pyodide that is a megabyte.
        reason = "\n".join(line[:300] for line in done.stderr.splitlines()[-40:])
        raise BundleError(f"Byte-compiling in Pyodide failed:\n{reason.strip()}")


def _write_lock(lock: PyodideLockSpec, out_dir: Path, official: Iterable[str], own: str) -> None:
    """The official lock file, reduced to what is here, with the hashes of the compiled wheels."""
    lock.packages = {
        **{
            name: package.model_copy(update={"sha256": sha256_of(out_dir / package.file_name)})
            for name, package in ((name, lock.packages[name]) for name in official)
        },
        "pyside-logic": PackageSpec(
            name="pyside-logic",
            version=version("gossamer"),
            file_name=own,
            install_dir="site",
            sha256=sha256_of(out_dir / own),
            imports=["pyside_logic"],
            depends=["numpy"],
        ),
    }
    lock.check_wheel_filenames()
    lock.to_json(out_dir / _LOCK)


def _sha256_text(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
