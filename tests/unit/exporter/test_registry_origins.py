"""Real fetches through pip, from a folder of wheels, and npm, from a registry on loopback."""

import base64
import hashlib
import importlib.metadata
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from exporter.catalog import NpmOrigin, PypiOrigin, UrlOrigin
from exporter.errors import FetchError
from exporter.origins import fetch
from tests.unit.exporter.origin_server import CONTENTS, SHA256, Server, names, pinned

# ---- pip -----------------------------------------------------------------------------------------


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip can see."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, member: str, contents: bytes) -> None:
    """One that no Python may install and that wants a package that does not exist."""
    about = "gossamer_test_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "gossamer_test_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, contents)
        wheel.writestr(
            f"{about}/METADATA",
            "Metadata-Version: 2.1\nName: gossamer-test-weights\nVersion: 1.0\n"
            "Requires-Python: <3\nRequires-Dist: no-such-package-at-all\n",
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


WHEEL = PypiOrigin("gossamer-test-weights", "1.0", "weights/net.onnx")


def test_a_member_is_taken_out_of_a_wheel(wheels: Path, cache: Path) -> None:
    write_wheel(wheels, "weights/net.onnx", CONTENTS)
    assert fetch(pinned(WHEEL), cache=cache).read_bytes() == CONTENTS
    assert names(cache) == [SHA256]


@pytest.mark.parametrize(
    ("member", "contents", "reason"),
    [
        ("weights/other.onnx", CONTENTS, "no item named 'weights/net.onnx'"),
        ("weights/net.onnx", CONTENTS[:-1], "expected sha256"),
        ("weights/net.onnx", CONTENTS + b"more", "(700,001 bytes)"),  # and no more are unpacked
    ],
)
def test_a_wheel_with_another_file_is_refused(
    wheels: Path, cache: Path, member: str, contents: bytes, reason: str
) -> None:
    write_wheel(wheels, member, contents)
    with pytest.raises(FetchError, match=re.escape(reason)):
        fetch(pinned(WHEEL), cache=cache)
    assert names(cache) == []


def test_a_source_package_is_refused_before_it_runs_anything(
    wheels: Path, cache: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    with tarfile.open(wheels / "gossamer_test_weights-1.0.tar.gz", "w:gz") as package:
        for name, text in {
            "PKG-INFO": "Metadata-Version: 2.1\nName: gossamer-test-weights\nVersion: 1.0\n",
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
            'backend-path = ["."]\n',
            "backend.py": f"open({str(ran)!r}, 'w').close()\n",
        }.items():
            entry = tarfile.TarInfo(f"gossamer_test_weights-1.0/{name}")
            entry.size = len(text)
            package.addfile(entry, io.BytesIO(text.encode()))
    with pytest.raises(FetchError, match="No matching distribution"):
        fetch(pinned(WHEEL), cache=cache)
    assert not ran.exists()


def test_pip_says_what_is_wrong_and_the_next_origin_is_tried(
    wheels: Path, cache: Path, server: Server
) -> None:
    with pytest.raises(FetchError, match="No matching distribution found for gossamer-test"):
        fetch(pinned(WHEEL), cache=cache)
    part = pinned(WHEEL, UrlOrigin(f"{server.base}/file"))
    assert fetch(part, cache=cache).read_bytes() == CONTENTS


def test_a_python_without_pip_is_told_so_and_the_next_origin_is_tried(
    wheels: Path, cache: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(FetchError, match="pip is missing; install it"):
        fetch(pinned(WHEEL), cache=cache)
    part = pinned(WHEEL, UrlOrigin(f"{server.base}/file"))
    assert fetch(part, cache=cache).read_bytes() == CONTENTS


# ---- npm -----------------------------------------------------------------------------------------


@pytest.fixture
def registry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A registry with one package; returns its .tgz."""
    buffer = io.BytesIO()
    manifest = {"name": "gossamer-test", "version": "1.0.0"}
    with tarfile.open(fileobj=buffer, mode="w:gz") as package:
        for name, contents in {
            "package/package.json": json.dumps(manifest).encode(),
            "package/net.onnx": CONTENTS,
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(contents)
            package.addfile(entry, io.BytesIO(contents))
    tgz = buffer.getvalue()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tgz).digest()).decode()
    dist = {"tarball": f"{server.base}/gossamer-test-1.0.0.tgz", "integrity": integrity}
    document = {
        "name": "gossamer-test",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {**manifest, "dist": dist}},
    }
    server.files["gossamer-test"] = ("application/json", json.dumps(document).encode())
    server.files["gossamer-test-1.0.0.tgz"] = ("application/octet-stream", tgz)
    monkeypatch.setenv("npm_config_registry", server.base)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    return tgz


def test_a_package_comes_from_npm_whole(registry: bytes, cache: Path) -> None:
    part = pinned(NpmOrigin("gossamer-test", "1.0.0"), contents=registry)
    assert fetch(part, cache=cache).read_bytes() == registry


def test_a_member_is_taken_out_of_an_npm_package(registry: bytes, cache: Path) -> None:
    part = pinned(NpmOrigin("gossamer-test", "1.0.0", "package/net.onnx"))
    assert fetch(part, cache=cache).read_bytes() == CONTENTS
    assert names(cache) == [SHA256]


def test_npm_keeps_where_gossamer_does_what_it_needs_to(
    registry: bytes, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that cannot be written to is no reason to fetch nothing."""
    home = tmp_path / "home"
    home.touch()  # below a file there is nothing to be made, not even for root
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("npm_config_cache")
    monkeypatch.setenv("GOSSAMER_CACHE", str(cache))
    assert fetch(pinned(NpmOrigin("gossamer-test", "1.0.0"), contents=registry)).is_file()
    assert names(cache) == sorted([hashlib.sha256(registry).hexdigest(), "npm"])


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (NpmOrigin("gossamer-test", "2.0.0"), "No matching version found"),
        (NpmOrigin("gossamer-test", "1.0.0", "package/absent"), "'package/absent' not found"),
        (NpmOrigin("gossamer-test", "1.0.0"), "expected sha256"),
    ],
)
def test_npm_says_what_is_wrong(
    registry: bytes, cache: Path, origin: NpmOrigin, reason: str
) -> None:
    with pytest.raises(FetchError, match=re.escape(reason)):
        fetch(pinned(origin), cache=cache)


def test_a_machine_without_npm_is_told_so(
    registry: bytes, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(FetchError, match="Expected npm of Node 18 or newer"):
        fetch(pinned(NpmOrigin("gossamer-test", "1.0.0")), cache=cache)
