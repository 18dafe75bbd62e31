"""licences.txt: what the site is made of, whose it is, and the notices that must go with it."""

import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from exporter.catalog import ROOT, Part
from exporter.errors import SiteError

__all__ = ["CPYTHON_LICENCE", "format_notices", "read_member"]

_RULE = "\n\n" + "-" * 80 + "\n\n"

_TITLES = {"numpy": "NumPy", "pillow": "Pillow"}
_LICENCE = re.compile(r"\.dist-info/(licenses/)?LICENSE(\.txt)?$")

#: An npm package's heading and the members that hold its licences.
_PACKAGES = {
    "client-zip": ("client-zip", ("LICENSE.txt",)),
    "libheif-js": (
        "libheif, a library of its own file, which may be replaced by another version",
        ("LICENSE", "libheif-wasm/LICENSE"),
    ),
}

#: SPDX: all the licences of Python's history, as CPython carries them. PSF-2.0 is the first alone.
CPYTHON_LICENCE = "Python-2.0.1"
# Pyodide is mostly this, and its package does not say so.
_CPYTHON = (
    "CPython 3.12 (inside Pyodide)\n"
    f"Licence: {CPYTHON_LICENCE}\n"
    "Source: https://github.com/python/cpython\n"
    "Copyright (c) 2001-2024 Python Software Foundation. All rights reserved."
)


def format_notices(
    parts: Iterable[Part], wheels: Mapping[str, Path], packages: Mapping[str, Path]
) -> str:
    """One paragraph a part, then the licence texts that the packages themselves carry: `wheels` are
    Python's, `packages` npm's, by name."""
    own = "Gossamer\nLicence: Apache-2.0"
    headings = [own, *(_heading(part) for part in parts), _CPYTHON]
    texts = [
        "The Apache License, of Gossamer and of the networks named above with it\n\n"
        + (ROOT / "LICENSE").read_text(encoding="utf-8"),
        "ONNX Runtime\n\n" + _from_onnx_runtime("LICENSE"),
        "ONNX Runtime: third-party notices\n\n" + _from_onnx_runtime("ThirdPartyNotices.txt"),
        *(f"{_TITLES.get(name, name)}\n\n{_from_wheel(wheel)}" for name, wheel in wheels.items()),
        *(_from_package(name, package) for name, package in packages.items()),
    ]
    return _RULE.join(["\n\n".join(headings), *(text.strip() for text in texts)]) + "\n"


def _heading(part: Part) -> str:
    return f"{part.name} {part.version}\nLicence: {part.licence}\nSource: {part.source}"


def _from_onnx_runtime(name: str) -> str:
    """The npm package carries no texts, the Python package of the same project does."""
    for path in metadata.files("onnxruntime") or ():
        if path.as_posix() == f"onnxruntime/{name}":
            return Path(str(path.locate())).read_text(encoding="utf-8-sig")
    raise SiteError(f"licences.txt: Expected {name} in the Python package onnxruntime, found none.")


def _from_package(name: str, package: Path) -> str:
    heading, members = _PACKAGES[name]
    return f"{heading}\n\n" + "".join(read_member(package, one).decode() for one in members)


def read_member(package: Path, name: str) -> bytes:
    """A file of an npm package. Raises SiteError where it has none of that name."""
    with tarfile.open(package) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.name == f"package/{name}" else None
            if stream is not None:
                return stream.read()
    raise SiteError(f"web/runtime.toml: Expected {name} in {package.name}, found none.")


def _from_wheel(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if _LICENCE.search(name)]
        if not names:
            raise SiteError(f"licences.txt: Expected a licence in {wheel.name}, found none.")
        return archive.read(names[0]).decode()
