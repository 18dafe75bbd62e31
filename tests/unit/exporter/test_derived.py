"""What the cache keeps beside what was fetched: used as it was made, or made again."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import parser

from exporter.catalog import load_runtime, load_specification
from exporter.derived import is_kept, keep
from exporter.errors import SiteError
from exporter.exported import exported_file
from exporter.lanczos import compile_lanczos
from exporter.origins import fetch
from exporter.ort_web import unpack_runtime
from tests.unit.exporter.graphs import specification


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"/* changed */")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def lose_its_hash(path: Path) -> None:
    path.with_name(f"{path.name}.sha256").unlink()


def damage_its_hash(path: Path) -> None:
    path.with_name(f"{path.name}.sha256").write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("change", [append, cut_off, lose_its_hash, damage_its_hash, Path.unlink])
def test_a_file_is_kept_as_it_was_made(tmp_path: Path, change: Callable[[Path], None]) -> None:
    made, path = tmp_path / "made", tmp_path / "file"
    made.write_bytes(b"derived " * 99)
    assert not is_kept(path)
    assert keep(made, path) == path
    assert is_kept(path)
    change(path)
    assert not is_kept(path)
    made.write_bytes(b"derived anew")
    keep(made, path)
    assert is_kept(path)


def append_to_each(folder: Path, pattern: str) -> None:
    found = [path for path in folder.rglob(pattern) if path.suffix != ".sha256" and path.is_file()]
    assert found
    for path in found:
        append(path)


def test_a_runtime_that_was_changed_is_unpacked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = load_runtime()["onnxruntime-web"]
    package, cache = fetch(part), tmp_path / "cache"
    cache.mkdir()
    (cache / package.name).symlink_to(package)
    monkeypatch.setenv("GOSSAMER_CACHE", str(cache))
    folders = [tmp_path / "first", tmp_path / "second"]
    unpack_runtime(part, ["webgl"], folders[0])
    append_to_each(cache / "unpacked", "*.mjs")
    unpack_runtime(part, ["webgl"], folders[1])
    first, second = (folder / "ort.webgl.min.mjs" for folder in folders)
    assert first.read_bytes() == second.read_bytes()


def test_a_network_that_was_changed_is_exported_again(cache: Path, tmp_path: Path) -> None:
    path, spec = tmp_path / "own.onnx", tmp_path / "own.toml"
    model = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,64,64] x) => (float[1,1,64,64] matte) <float[1,3,1,1] w = {0.2, 0.1, 0.3}>
        { low = Conv (x, w)  matte = Sigmoid (low) }
    """
    onnx.save(parser.parse_model(model), path)
    spec.write_text(specification(64, 64, "none"))
    network = load_specification(spec, path)
    exported = exported_file(network, local=path).read_bytes()
    append_to_each(cache / "exported", "*.onnx")
    assert exported_file(network, local=path).read_bytes() == exported


def test_a_module_that_was_changed_is_compiled_again(cache: Path) -> None:
    compiled = compile_lanczos.__wrapped__()
    append_to_each(cache / "compiled", "*")
    assert compile_lanczos.__wrapped__() == compiled


def test_a_cache_that_takes_no_module_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "file"))
    with pytest.raises(SiteError, match=r"^lanczos\.c: Expected a cache folder.*GOSSAMER_CACHE"):
        compile_lanczos.__wrapped__()
