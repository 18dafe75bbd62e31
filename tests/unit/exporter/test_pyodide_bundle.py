"""The compiled Pyodide, loaded in a real Pyodide under Node."""

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from exporter.catalog import load_runtime
from exporter.errors import BundleError
from exporter.origins import cache_folder, fetch
from exporter.pyodide_bundle import LATER_PACKAGES, PACKAGES, build_pyodide_bundle

# Runs `code` in a bundle the way the site's worker starts it; prints what it evaluates to as JSON.
LOAD = """
const [folder, code, ...packages] = process.argv.slice(2)
const { loadPyodide } = await import(`file://${folder}/pyodide.mjs`)
try {
  const pyodide = await loadPyodide({ indexURL: folder, packages, stdout() {} })
  process.stdout.write(pyodide.runPython(`import json\\njson.dumps(${code})`))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
"""


Parts = tuple[Path, dict[str, Path]]


@pytest.fixture(scope="session")
def parts() -> Parts:
    runtime = load_runtime()
    return fetch(runtime["pyodide"]), {
        name: fetch(runtime[name]) for name in ("numpy", *LATER_PACKAGES)
    }


@dataclass(frozen=True)
class Build:
    folder: Path
    cache: Path
    told: list[str]


@pytest.fixture(scope="session")
def first_build(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """As a site has it, with what the user's cache holds."""
    return build(parts, tmp_path_factory.mktemp("bundle") / "out", cache_folder() / "bytecode")


@pytest.fixture(scope="session")
def bundle(first_build: Build) -> Path:
    return first_build.folder


def build(parts: Parts, folder: Path, cache: Path) -> Build:
    told: list[str] = []
    build_pyodide_bundle(
        *parts, folder, cache_dir=cache, report=lambda line, done, total: told.append(line)
    )
    return Build(folder, cache, told)


def evaluate(bundle: Path, code: str, script: Path, packages: Iterable[str] = PACKAGES) -> Any:
    script.write_text(LOAD)
    command = ["node", str(script), str(bundle), code, *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_numpy_and_our_modules_come_from_bytecode(bundle: Path, tmp_path: Path) -> None:
    code = """[
        __import__('numpy').__file__,
        int(__import__('numpy').linalg.det([[3.0, 1.0], [1.0, 2.0]]).round()),
        float(__import__('numpy').median([1.0, 2.0, 4.0])),
        __import__('pyside_logic').__file__,
        __import__('importlib.metadata').metadata.version('pyside-logic'),
        sorted({name for name, module in __import__('sys').modules.items()
                if str(getattr(getattr(module, '__spec__', 0), 'origin', 0)).endswith('.py')}),
    ]"""
    numpy, determinant, median, ours, version, from_source = evaluate(
        bundle, code, tmp_path / "load.mjs"
    )
    assert numpy == "/lib/python3.12/site-packages/numpy/__init__.pyc"
    assert ours == "/lib/python3.12/site-packages/pyside_logic/__init__.pyc"
    assert (determinant, median, from_source) == (5, 2, [])
    assert version in {path.name.split("-")[1] for path in bundle.glob("pyside_logic-*.whl")}


#: The modules that import, and those of the standard library that the others miss.
IMPORT_ALL = """
def import_all():
    import importlib, pkgutil, sys
    imported, missing = [], set()
    for package in ('PIL', '_pyodide', 'numpy', 'pyodide', 'pyside_logic'):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f'{package}.', onerror=lambda name: None):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                missing.add(error.name.split('.')[0])
            else:
                imported.append(module.name)
    return [imported, sorted(missing & sys.stdlib_module_names)]
"""


def test_every_module_finds_what_it_imports(bundle: Path, tmp_path: Path) -> None:
    """The standard library comes without what nobody imports."""
    code = f"[exec({IMPORT_ALL!r}), import_all()][1]"
    packages = (*PACKAGES, *LATER_PACKAGES)
    imported, missing = evaluate(bundle, code, tmp_path / "load.mjs", packages)
    assert {"pyside_logic.bridge", "pyside_logic.compiled", "PIL.WebPImagePlugin"} <= set(imported)
    assert missing == ["tkinter"]  # which Pyodide has not
    with zipfile.ZipFile(bundle / "python_stdlib.zip") as archive:
        names = {name.split("/")[0].split(".")[0] for name in archive.namelist()}
    assert names.isdisjoint({"multiprocessing", "pydoc", "unittest", "xml"})


def test_numpy_comes_without_what_nobody_imports(bundle: Path) -> None:
    (wheel,) = bundle.glob("numpy-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    libraries = {name.split("/")[-1].split(".")[0] for name in names if name.endswith(".so")}
    assert libraries == {"_multiarray_umath", "_multiarray_tests", "_umath_linalg", "lapack_lite"}
    assert any(name.endswith("LICENSE.txt") for name in names)


def test_pillow_comes_without_what_nobody_imports(bundle: Path) -> None:
    (wheel,) = bundle.glob("pillow-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    libraries = {name.split("/")[-1].split(".")[0] for name in names if name.endswith(".so")}
    # GIFs, which Pillow always knows of, are saved with arithmetic.
    assert libraries == {"_imaging", "_imagingmath", "_webp"}


def test_every_module_of_ours_is_there(bundle: Path) -> None:
    (wheel,) = bundle.glob("pyside_logic-*.whl")
    sources = Path(__file__).parents[3] / "pyside_logic"
    expected = {
        f"pyside_logic/{path.relative_to(sources).as_posix()}c" for path in sources.rglob("*.py")
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected | {"pyside_logic/compiled/loops.wasm"}


@pytest.mark.parametrize(
    "pattern", ["python_stdlib.zip", "numpy-*.whl", "pillow-*.whl", "pyside_logic-*.whl"]
)
def test_no_source_is_left_and_no_clock_shows(bundle: Path, pattern: str) -> None:
    (path,) = bundle.glob(pattern)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        assert archive.testzip() is None
        flags = {archive.read(entry)[4:8] for entry in entries if entry.filename.endswith(".pyc")}
    assert [entry.filename for entry in entries if entry.filename.endswith(".py")] == []
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    # PEP 552: by hash, and never compared with a source.
    assert flags == {(1).to_bytes(4, "little")}


@pytest.mark.parametrize("pattern", ["numpy-*.whl", "pillow-*.whl", "pyside_logic-*.whl"])
def test_record_lists_what_the_wheel_holds(bundle: Path, pattern: str) -> None:
    (path,) = bundle.glob(pattern)
    with zipfile.ZipFile(path) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        lines = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    assert {name for name, _, _ in lines} == set(sizes)
    assert all(int(size) == sizes[name] for name, _, size in lines if name != record)


def test_lock_pins_the_compiled_wheels(bundle: Path) -> None:
    lock = json.loads((bundle / "pyodide-lock.json").read_text())
    assert set(lock["packages"]) == {*PACKAGES, *LATER_PACKAGES}
    for package in lock["packages"].values():
        data = (bundle / package["file_name"]).read_bytes()
        assert package["sha256"] == hashlib.sha256(data).hexdigest()
    assert lock["packages"]["pyside-logic"]["depends"] == ["numpy"]


@pytest.mark.soak
def test_the_same_bytes_again(bundle: Path, parts: Parts, tmp_path: Path) -> None:
    """Made without any cache."""
    again = build(parts, tmp_path / "out", tmp_path / "cache")
    assert [line.split()[0] for line in again.told] == ["Byte-compiling"]
    for path in bundle.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_second_build_compiles_nothing(first_build: Build, parts: Parts, tmp_path: Path) -> None:
    assert build(parts, tmp_path / "second", first_build.cache).told == []


def test_an_archive_that_was_changed_is_compiled_again(
    first_build: Build, parts: Parts, tmp_path: Path
) -> None:
    cache = shutil.copytree(first_build.cache, tmp_path / "cache")
    (ours,) = first_build.folder.glob("pyside_logic-*.whl")
    for path in cache.iterdir():
        if path.read_bytes() == ours.read_bytes():
            path.write_bytes(ours.read_bytes() + b"changed")
    again = build(parts, tmp_path / "out", cache)
    assert again.told == [f"Byte-compiling {ours.name} ..."]
    assert (again.folder / ours.name).read_bytes() == ours.read_bytes()


@pytest.mark.parametrize("name", ["numpy", "pillow"])
def test_another_wheel_than_the_official_one_is_refused(
    parts: Parts, tmp_path: Path, name: str
) -> None:
    package, wheels = parts
    forged = tmp_path / "forged.whl"
    forged.write_bytes(wheels[name].read_bytes() + b"\0")
    with pytest.raises(BundleError, match="as Pyodide's own lock file says"):
        build_pyodide_bundle(
            package, {**wheels, name: forged}, tmp_path / "out", cache_dir=tmp_path / "cache"
        )
    assert not (tmp_path / "out").exists()


def test_a_package_that_is_not_pyodide_is_refused(parts: Parts, tmp_path: Path) -> None:
    onnx_runtime = fetch(load_runtime()["onnxruntime-web"])
    with pytest.raises(BundleError, match=r"package/pyodide-lock\.json"):
        build_pyodide_bundle(onnx_runtime, parts[1], tmp_path / "out", cache_dir=tmp_path / "cache")
