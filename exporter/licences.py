"""licences.txt: what the site is made of, whose it is, and the notices that must go with it."""

import re
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from exporter.catalog import ROOT, Part
from exporter.errors import SiteError

__all__ = ["format_notices", "read_member"]

_RULE = "\n\n" + "-" * 80 + "\n\n"

_TITLES = {"numpy": "NumPy", "pillow": "Pillow"}
_LICENCE = re.compile(r"/LICENSE(\.\w+)?$")

#: An npm package's heading and the members that hold its licences.
_PACKAGES = {
    "client-zip": ("client-zip", ("LICENSE.txt",)),
    "libheif-js": (
        "libheif, a library of its own file, which may be replaced by another version",
        ("LICENSE", "libheif-wasm/LICENSE"),
    ),
}


def format_notices(
    parts: Iterable[Part], wheels: Mapping[str, Path], packages: Mapping[str, Path]
) -> str:
    """One paragraph a part, then the licence texts: those that the packages themselves carry
    (`wheels` are Python's, `packages` npm's, by name), and those of what is inside of parts."""
    parts = tuple(parts)
    own = "Gossamer\nLicence: Apache-2.0"
    headings = [own, *(heading for part in parts for heading in _headings(part))]
    texts = [
        "The Apache License, of Gossamer and of the networks named above with it\n\n"
        + (ROOT / "LICENSE").read_text(encoding="utf-8"),
        "ONNX Runtime\n\n" + _from_onnx_runtime("LICENSE"),
        "ONNX Runtime: third-party notices\n\n" + _from_onnx_runtime("ThirdPartyNotices.txt"),
        *(f"{_TITLES.get(name, name)}\n\n{_from_wheel(wheel)}" for name, wheel in wheels.items()),
        *(_from_package(name, package) for name, package in packages.items()),
        *_of_what_is_inside(parts),
    ]
    return _RULE.join(["\n\n".join(headings), *(text.strip() for text in texts)]) + "\n"


def _headings(part: Part) -> Iterator[str]:
    yield f"{part.name} {part.version}\nLicence: {part.licence}\nSource: {part.source}"
    for one in part.inside:
        release = f" {one.version}" if one.version else ""
        yield (
            f"{one.name}{release} (inside {part.name})\n"
            f"Licence: {one.licence}\nSource: {one.source}"
        )


def _of_what_is_inside(parts: Iterable[Part]) -> Iterator[str]:
    """Each text once, with all the parts that it is about."""
    told: dict[tuple[str, Path], list[str]] = defaultdict(list)
    for part in parts:
        for one in part.inside:
            told[one.name, one.notice].append(part.name)
    for (name, notice), holders in told.items():
        yield f"{name}, inside {' and '.join(holders)}\n\n{notice.read_text(encoding='utf-8')}"


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
        return "\n\n".join(archive.read(name).decode().strip() for name in sorted(names))
