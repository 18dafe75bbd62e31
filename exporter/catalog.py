"""Reads models/catalog.toml, web/runtime.toml, and what a person writes about their own network.

No other file knows how they are written.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exporter.errors import CatalogError
from exporter.toml_table import TomlTable

__all__ = [
    "SHIPPED",
    "InputSpec",
    "Inside",
    "Int8Budget",
    "Network",
    "NpmOrigin",
    "Origin",
    "OutputSpec",
    "Part",
    "PypiOrigin",
    "UrlOrigin",
    "choose_network",
    "find_network",
    "format_networks",
    "load_networks",
    "load_runtime",
    "load_specification",
]

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = ROOT / "models" / "catalog.toml"
RUNTIME = ROOT / "web" / "runtime.toml"
NOTICES = ROOT / "web" / "notices"
#: The networks of a site of which nobody has said which, as in the Makefile; the default first.
SHIPPED = ("u2netp", "modnet")


@dataclass(frozen=True)
class UrlOrigin:
    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class PypiOrigin:
    """The file `member` inside the wheel of `package`."""

    package: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the Python package {self.package}=={self.version}"


@dataclass(frozen=True)
class NpmOrigin:
    """The file `member` (with its leading package/) of an npm package, or its whole .tgz."""

    package: str
    version: str
    member: str | None = None

    def __str__(self) -> str:
        inside = f"{self.member} in " if self.member else ""
        return f"{inside}the npm package {self.package}@{self.version}"


Origin = UrlOrigin | PypiOrigin | NpmOrigin


@dataclass(frozen=True)
class Inside:
    """Another project's work inside of a part; `version` is None where it does not tell. `notice`
    is the text that must go with it, in web/notices."""

    name: str
    version: str | None
    licence: str
    source: str
    notice: Path


@dataclass(frozen=True)
class Part:
    """One pinned file. `licence` is an SPDX identifier, `source` the address of the project."""

    name: str
    version: str
    sha256: str
    bytes: int
    licence: str
    source: str
    origins: tuple[Origin, ...]
    inside: tuple[Inside, ...] = ()


@dataclass(frozen=True)
class InputSpec:
    """Float32 (1, 3, height, width), RGB, (picture / scale - mean) / std.

    `renamed`: the published network has one input and another name for it. `published`: the height
    and width of that one, where it is not run at that.
    """

    name: str
    height: int
    width: int
    scale: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    renamed: bool = False
    published: tuple[int, int] | None = None


@dataclass(frozen=True)
class OutputSpec:
    """Float32 (1, 1, height, width) of the input's size.

    `activation` is what the published network leaves out. `renamed`: it is the first of its outputs
    and has another name there.
    """

    name: str
    normalise: str
    activation: str = "none"
    renamed: bool = False


@dataclass(frozen=True)
class Int8Budget:
    """What int8 may cost: a mean difference of mattes in 0..1, bytes of the file (0: any), and the
    share of the network's work, in 0..1, that may stay in float, where int8 saves no time."""

    difference: float = 0.0015
    most_bytes: int = 0
    most_float_work: float = 0.5


@dataclass(frozen=True)
class Network:
    """`precision` is what sites ship for WASM; `written_in` the file that says so, for messages.

    A specialist has an `agreement`: the IoU with the matte of a site's first network from which on
    its edges are the better ones. None for networks of all subjects. `wider` is the (height, width)
    at which it looks once more, for what it has lost (`pyside_logic/wider_look.py`).
    """

    name: str
    title: str
    part: Part
    input: InputSpec
    output: OutputSpec
    int8: Int8Budget = Int8Budget()
    precision: str = "fp32"
    agreement: float | None = None
    wider: tuple[int, int] | None = None
    written_in: str = "models/catalog.toml"


def load_networks(path: Path = NETWORKS) -> dict[str, Network]:
    """By name, in the order of the file. Raises CatalogError."""
    return {
        table.name: _network(table, _part(table), table.text("title"), f"models/{path.name}")
        for table in _tables(path)
    }


def load_specification(path: Path, weights: Path) -> Network:
    """A network of one's own: the file `weights`, and beside it a TOML file that describes it.

    The specification is written as an entry of models/catalog.toml, without what only a published
    file has. Its name is the file's; with a part of its sha256 where the catalogue has that name
    for other weights, whose measurements would be overwritten. Raises CatalogError.
    """
    table = TomlTable(path.name, "", _document(path))
    try:
        with weights.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CatalogError(f"{weights}: Expected the network's ONNX file: {error}") from error
    part = Part(
        name=_own_name(weights.stem, sha256),
        version=sha256[:10],
        sha256=sha256,
        bytes=weights.stat().st_size,
        licence=table.text("licence") if table.has("licence") else "not stated",
        source=table.text("source") if table.has("source") else "not stated",
        origins=(),
    )
    title = table.text("title") if table.has("title") else weights.stem
    return _network(table, part, title, path.name)


def _own_name(stem: str, sha256: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    if not name:
        # Two names in letters of other scripts are two.
        return f"network-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:10]}"
    known = load_networks().get(name)
    return name if known is None or known.part.sha256 == sha256 else f"{name}-{sha256[:10]}"


def load_runtime(path: Path = RUNTIME) -> dict[str, Part]:
    """By name, in the order of the file. Raises CatalogError."""
    parts = {}
    for table in _tables(path):
        inside = table.tables("inside") if table.has("inside") else []
        parts[table.name] = part = replace(_part(table), inside=tuple(map(_inside, inside)))
        table.refuse_unknown_keys()
        for place, origin in enumerate(part.origins):
            if isinstance(origin, NpmOrigin) and origin.version != part.version:
                raise table.error(
                    f"origins[{place}].version", f"{part.version!r}, the part's own", origin.version
                )
    return parts


def find_network(name: str, path: Path = NETWORKS) -> Network:
    networks = load_networks(path)
    if name not in networks:
        raise CatalogError(
            f"{path.name}: Expected one of {', '.join(networks)}, received {name!r}. "
            "`gossamer models` lists them."
        )
    return networks[name]


def choose_network(
    name: str, spec: Path | None, weights: Path | None = None
) -> tuple[Network, Path | None]:
    """One of the catalogue, or an ONNX file `name` that `spec` describes; its file where it need
    not be fetched. Raises CatalogError."""
    if spec is not None and weights is not None:
        raise CatalogError(
            f"Expected no --weights with --spec, as {name} is the network's file, received "
            f"{weights}. Leave --weights out."
        )
    if spec is not None:
        return load_specification(spec, Path(name)), Path(name)
    if name.endswith(".onnx"):
        raise CatalogError(
            f"Expected --spec TOML for {name}: the input's height, width, scale, mean and std, and "
            "the output's normalise. models/catalog.toml has examples."
        )
    return find_network(name), weights


def format_networks(networks: Mapping[Network, bool]) -> str:
    """A table; the values say whether the file is already in the cache."""
    rows = [f"{'name':8}{'title':10}{'bytes':>12}  {'sha256':12}{'licence':12}cached"]
    for network, is_cached in networks.items():
        part = network.part
        rows.append(
            f"{network.name:8}{network.title:10}{part.bytes:12,}  {part.sha256[:10]:12}"
            f"{part.licence:12}{'yes' if is_cached else 'no'}"
        )
        rows += [f"{'':8}from {origin}" for origin in part.origins]
    return "\n".join(rows)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CatalogError(f"{path.name}: Expected a readable TOML file: {error}") from error


def _tables(path: Path) -> list[TomlTable]:
    tables = [TomlTable(path.name, name, value) for name, value in _document(path).items()]
    for table in tables:
        # The name becomes part of file names.
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", table.name):
            raise table.error("", "a name of lower-case letters, digits and dashes", table.name)
    return tables


def _network(table: TomlTable, part: Part, title: str, written_in: str) -> Network:
    picture, matte = table.table("input"), table.table("output")
    int8 = _int8(table.table("int8")) if table.has("int8") else Int8Budget()
    precision = table.choice("precision", ("fp32", "int8")) if table.has("precision") else "fp32"
    network = Network(
        part.name,
        title,
        part,
        _input(picture),
        _output(matte),
        int8,
        precision,
        table.share("agreement") if table.has("agreement") else None,
        _size(table.table("wider")) if table.has("wider") else None,
        written_in,
    )
    for read in (table, picture, matte):
        read.refuse_unknown_keys()
    return network


def _input(table: TomlTable) -> InputSpec:
    std = table.triple("std")
    if min(std) <= 0:
        raise table.error("std", "three numbers above 0", std)
    return InputSpec(
        name=table.text("name") if table.has("name") else "input",
        height=table.count("height"),
        width=table.count("width"),
        scale=table.choice("scale", ("max", "unit")),
        mean=table.triple("mean"),
        std=std,
        renamed=not table.has("name"),
        published=_size(table.table("published")) if table.has("published") else None,
    )


def _size(table: TomlTable) -> tuple[int, int]:
    size = table.count("height"), table.count("width")
    table.refuse_unknown_keys()
    return size


def _output(table: TomlTable) -> OutputSpec:
    return OutputSpec(
        name=table.text("name") if table.has("name") else "matte",
        normalise=table.choice("normalise", ("minmax", "none")),
        activation=(
            table.choice("activation", ("sigmoid", "none")) if table.has("activation") else "none"
        ),
        renamed=not table.has("name"),
    )


def _int8(table: TomlTable) -> Int8Budget:
    default = Int8Budget()
    budget = Int8Budget(
        table.share("difference") if table.has("difference") else default.difference,
        table.count("most_bytes") if table.has("most_bytes") else default.most_bytes,
        table.share("most_float_work") if table.has("most_float_work") else default.most_float_work,
    )
    table.refuse_unknown_keys()
    return budget


def _part(table: TomlTable) -> Part:
    return Part(
        name=table.name,
        version=table.text("version"),
        sha256=table.matching("sha256", r"[0-9a-f]{64}", "64 lower-case hexadecimal digits"),
        bytes=table.count("bytes"),
        licence=table.text("licence"),
        source=table.matching("source", r"https://\S+", "an https address"),
        origins=tuple(_origin(origin) for origin in table.tables("origins")),
    )


def _inside(table: TomlTable) -> Inside:
    inside = Inside(
        name=table.text("name"),
        version=table.text("version") if table.has("version") else None,
        licence=table.text("licence"),
        source=table.matching("source", r"https://\S+", "an https address"),
        notice=NOTICES / f"{table.text('notice')}.txt",
    )
    table.refuse_unknown_keys()
    return inside


def _origin(table: TomlTable) -> Origin:
    origin: Origin
    match [kind for kind in ("url", "pypi", "npm") if table.has(kind)]:
        case ["url"]:
            origin = UrlOrigin(table.matching("url", r"https://\S+", "an https address"))
        case ["pypi"]:
            origin = PypiOrigin(table.text("pypi"), table.text("version"), table.text("member"))
        case ["npm"]:
            member = table.text("member") if table.has("member") else None
            origin = NpmOrigin(table.text("npm"), table.text("version"), member)
        case kinds:
            raise table.error("", "exactly one of url, pypi, npm", kinds)
    table.refuse_unknown_keys()
    return origin
