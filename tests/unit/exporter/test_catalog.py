"""The committed files are read whole, and every way to write one wrong has its own message."""

import json
import re
import tarfile
from pathlib import Path

import pytest

from exporter.catalog import (
    ROOT,
    Int8Budget,
    NpmOrigin,
    PypiOrigin,
    UrlOrigin,
    find_network,
    format_networks,
    load_networks,
    load_runtime,
)
from exporter.errors import CatalogError
from exporter.origins import fetch

ENTRY = """
[small]
title = 'Small'
version = '1'
sha256 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
bytes = 1_000
licence = 'Apache-2.0'
source = 'https://example.org/small'
origins = [
  { url = 'https://example.org/small.onnx' },
  { pypi = 'small', version = '1.0', member = 'small/small.onnx' },
  { npm = 'small', version = '2.0' },
]
output = { name = 'y', normalise = 'none' }
int8 = { difference = 0.002, most_bytes = 400 }
agreement = 0.9
wider = { height = 48, width = 64 }

[small.input]
name = 'x'
height = 320
width = 192
scale = 'unit'
mean = [0.5, 0.5, 0]
std = [1, 1, 1]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "networks.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_entry_becomes_a_network(tmp_path: Path) -> None:
    small = find_network("small", write(tmp_path, ENTRY))
    assert (small.title, small.part.bytes, small.part.sha256) == ("Small", 1000, "a" * 64)
    assert small.part.origins == (
        UrlOrigin("https://example.org/small.onnx"),
        PypiOrigin("small", "1.0", "small/small.onnx"),
        NpmOrigin("small", "2.0", None),
    )
    assert (small.input.height, small.input.width, small.input.scale) == (320, 192, "unit")
    assert small.input.mean == (0.5, 0.5, 0.0)
    assert (small.output.name, small.output.normalise) == ("y", "none")
    assert small.int8 == Int8Budget(0.002, 400, Int8Budget().most_float_work)
    assert small.agreement == 0.9
    assert small.wider == (48, 64)


def test_the_committed_catalog_is_complete() -> None:
    networks = load_networks()
    assert next(iter(networks)) == "u2netp"
    for name in ("u2netp", "u2net", "modnet", "isnet"):
        network = networks[name]
        assert network.part.licence == "Apache-2.0"
        # A registry answers where release pages do not; none has this one.
        in_registry = any(isinstance(origin, PypiOrigin) for origin in network.part.origins)
        assert in_registry == (name != "isnet")
        # Five halvings; ceil_mode 0 is exact only for these.
        assert network.input.height % 32 == network.input.width % 32 == 0


def test_numpy_is_the_one_that_pyodide_pins() -> None:
    runtime = load_runtime()
    assert {"onnxruntime-web", "pyodide", "numpy", "pillow", "client-zip", "libheif-js"} == set(
        runtime
    )
    with tarfile.open(fetch(runtime["pyodide"])) as package:
        lock_file = package.extractfile("package/pyodide-lock.json")
        assert lock_file is not None
        pinned = json.load(lock_file)["packages"]["numpy"]
    assert pinned["sha256"] == runtime["numpy"].sha256
    assert pinned["version"] == runtime["numpy"].version
    assert all(pinned["file_name"] in str(origin) for origin in runtime["numpy"].origins)


def test_what_came_from_npm_is_of_the_version_that_is_written() -> None:
    """A cache knows a file by its sha256, whatever the version beside it says."""
    for name in ("onnxruntime-web", "client-zip", "libheif-js", "pyodide"):
        part = load_runtime()[name]
        with tarfile.open(fetch(part)) as package:
            manifest = package.extractfile("package/package.json")
            assert manifest is not None
            assert json.load(manifest)["version"] == part.version


def test_the_readme_tells_of_every_part_as_it_is_pinned() -> None:
    rows = _PINNED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    told = {letters(name): (version, licence) for name, version, licence in rows}
    parts = {letters(part.name.removesuffix("-js")): part for part in load_runtime().values()}
    assert told.keys() == parts.keys()
    for name, part in parts.items():
        version, licence = told[name]
        assert (version, licence.split(", ")[0]) == (part.version, part.licence)


_PINNED = re.compile(r"^\| ([A-Za-z -]+) ([\d.]+).*? \| (.*?) \| `web/runtime.toml` \|$", re.M)


def letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


@pytest.mark.parametrize(
    ("written", "instead", "message"),
    [
        ("title = 'Small'\n", "", "small: title: Expected a text, received 'nothing'"),
        ("title = 'Small'", "title = ''", "small: title: Expected a text that is not empty"),
        ("title = 'Small'", "title = 5", "small: title: Expected a text that is not empty"),
        ("bytes = 1_000", "bytes = '1000'", "small: bytes: Expected a whole number above 0"),
        ("bytes = 1_000", "bytes = true", "small: bytes: Expected a whole number above 0"),
        ("bytes = 1_000", "bytes = 0", "small: bytes: Expected a whole number above 0"),
        ("sha256 = 'aa", "sha256 = 'AA", "small: sha256: Expected 64 lower-case hexadecimal"),
        ("'https://example.org/small'", "'example.org'", "small: source: Expected an https"),
        ("licence =", "license =", "small: licence: Expected a text, received 'nothing'"),
        ("version = '1'\n", "version = '1'\nyear = 1\n", "small: year: Expected only the keys"),
        ("height = 320", "height = -1", "small: input.height: Expected a whole number above 0"),
        ("'unit'", "'255'", "small: input.scale: Expected 'max' or 'unit', received '255'"),
        ("[0.5, 0.5, 0]", "[0.5, 0.5]", "small: input.mean: Expected three numbers"),
        ("std = [1, 1, 1]", "std = [1, 0, 1]", "small: input.std: Expected three numbers above 0"),
        ("width = 192\n", "width = 192\ndepth = 1\n", "small: input.depth: Expected only the keys"),
        ("'none'", "'sigmoid'", "small: output.normalise: Expected 'minmax' or 'none'"),
        ("0.002", "2", "small: int8.difference: Expected a number from 0 to 1, received 2"),
        ("0.002", "true", "small: int8.difference: Expected a number from 0 to 1"),
        ("most_bytes = 400", "bytes = 400", "small: int8.bytes: Expected only the keys"),
        (
            "wider = { height = 48, ",
            "wider = { ",
            "small: wider.height: Expected a whole number above 0",
        ),
        (
            "wider = { height = 48, ",
            "wider = { height = 48, depth = 3, ",
            "small: wider.depth: Expected only",
        ),
        ("output = {", "outputs = {", "small: output: Expected a table, received 'nothing'"),
        ("'https://example.org/small.onnx'", "'http://x'", "small: origins[0].url: Expected an"),
        ("member = 'small/small.onnx'", "", "small: origins[1].member: Expected a text"),
        ("{ npm", "{ url = 'https://x', npm", "small: origins[2]: Expected exactly one of"),
        ("{ npm = 'small', ", "{ ", "small: origins[2]: Expected exactly one of url, pypi, npm"),
        ("{ npm = 'small', ", "{ npm = 'small', tag = 'x', ", "small: origins[2].tag: Expected"),
        ("[small]", "['small/../..']", "a name of lower-case letters, digits and dashes"),
        ("[small]", "[small", "Expected a readable TOML file"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, written: str, instead: str, message: str) -> None:
    assert written in ENTRY
    text = ENTRY.replace(written, instead, 1).replace("member = ,", "").replace(",  }", " }")
    with pytest.raises(CatalogError) as refusal:
        load_networks(write(tmp_path, text))
    assert str(refusal.value).startswith("networks.toml: ")
    assert message in str(refusal.value)


PART = """
[small]
version = '2.0'
sha256 = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
bytes = 1_000
licence = 'MIT'
source = 'https://example.org/small'
origins = [{ npm = 'small', version = '2.0' }]
"""


def test_a_runtime_part_has_the_version_of_its_package(tmp_path: Path) -> None:
    """Licences and the list of what ships name the one, and npm gives the other."""
    assert load_runtime(write(tmp_path, PART))["small"].version == "2.0"
    with pytest.raises(
        CatalogError, match=r"small: origins\[0\]\.version: Expected '2\.1', the part's"
    ):
        load_runtime(write(tmp_path, PART.replace("version = '2.0'", "version = '2.1'", 1)))


def test_a_runtime_part_takes_no_network_keys(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"small: title: Expected only the keys"):
        load_runtime(write(tmp_path, ENTRY))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"absent\.toml: Expected a readable TOML file"):
        load_networks(tmp_path / "absent.toml")


def test_an_unknown_network_lists_the_known_ones() -> None:
    with pytest.raises(CatalogError, match=r"Expected one of u2netp, .*received 'u2nett'"):
        find_network("u2nett")


def test_the_table_names_every_origin(tmp_path: Path) -> None:
    small = find_network("small", write(tmp_path, ENTRY))
    header, row, *origins = format_networks({small: True}).splitlines()
    assert header.split() == ["name", "title", "bytes", "sha256", "licence", "cached"]
    assert row.split() == ["small", "Small", "1,000", "a" * 10, "Apache-2.0", "yes"]
    assert [line.split()[-1] for line in origins] == [
        "https://example.org/small.onnx",
        "small==1.0",
        "small@2.0",
    ]
