"""sbom.cdx.json against the published schema of CycloneDX, and against what is pinned."""

import json
import re
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from exporter.catalog import ROOT, find_network, load_networks, load_runtime
from exporter.sbom import format_sbom


def test_it_is_what_the_standard_asks_for(site_dir: Path) -> None:
    text = (site_dir / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_names_every_part_with_its_pinned_hash(two_network_site_dir: Path) -> None:
    sbom = json.loads((two_network_site_dir / "sbom.cdx.json").read_text())
    found = {
        component["name"]: (component["version"], component["hashes"][0]["content"])
        for component in sbom["components"]
        if "hashes" in component
    }
    parts = [*load_runtime().values(), *(find_network(name).part for name in ("modnet", "u2netp"))]
    assert found == {part.name: (part.version, part.sha256) for part in parts}
    purls = {component.get("purl") for component in sbom["components"]}
    assert {"pkg:npm/onnxruntime-web@1.30.0", "pkg:npm/pyodide@0.27.7"} <= purls


def test_readme_licences_and_list_say_the_same(site_dir: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| ") and ".toml` |" in line]
    networks = load_networks()
    parts = [*load_runtime().values(), *(network.part for network in networks.values())]
    (cpython,) = (one for part in parts for one in part.inside if one.name == "cpython")
    assert {licence for row in rows for licence in row.split(" | ")[1].split(", ")} == {
        *(part.licence for part in parts),
        cpython.licence,
    }
    named = re.split(r"[|,(]", " ".join(rows))
    assert {network.title for network in networks.values()} <= {name.strip() for name in named}


def test_what_is_inside_of_parts_is_named_with_its_notice(site_dir: Path) -> None:
    sbom = json.loads((site_dir / "sbom.cdx.json").read_text())
    components = {one["bom-ref"]: one for one in sbom["components"]}
    within = {one["ref"]: one["dependsOn"] for one in sbom["dependencies"]}
    notices = (site_dir / "licences.txt").read_text()
    for part in load_runtime().values():
        assert {f"{part.name}/{one.name}" for one in part.inside} == set(within.get(part.name, ()))
        for one in part.inside:
            assert components[f"{part.name}/{one.name}"].get("version") == one.version
            release = f" {one.version}" if one.version else ""
            assert (
                f"\n{one.name}{release} (inside {part.name})\nLicence: {one.licence}\n" in notices
            )
            assert one.notice.read_text().strip() in notices
    for words in ("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2", "Makoto Matsumoto",
                  "Thai Open Source Software Center",
                  "Julian R Seward", "Stefan Krah", "Independent JPEG Group", "Sam Leffler",
                  "struktur AG", "Mark Adler", "Rich Felker"):  # fmt: skip
        assert words in notices


#: How libraries name themselves in what they are compiled into, their versions where they say them.
SIGNATURES = {
    "bzip2": rb"(\d\.\d\.\d), \d+-\w+-\d{4}\0",
    "cpython": rb"python-(3\.\d+\.\d+)/include",
    "expat": rb"expat_(\d+\.\d+\.\d+)",
    "freetype": rb"FreeType",
    "harfbuzz": rb"hb_buffer|harfbuzz\.",
    "libimagequant": rb"liq_attr",
    "libjpeg": rb"(\d[a-z])  \d+-\w{3}-\d{4}",
    "libjpeg-turbo": rb"libjpeg-turbo version",
    "libmpdec": rb"libmpdec",
    "libtiff": rb"LIBTIFF, Version (\d+\.\d+\.\d+)",
    "libwebp": rb"WebPUnfilters",
    "openssl": rb"OpenSSL \d",
    "sqlite": rb"SQLite format 3",
    "xz": rb"liblzma|lzma_stream",
    "zlib": rb"incorrect header check",
    "zstd": rb"ZSTD_compress",
}


def test_what_the_binaries_say_of_themselves_is_what_is_named(site_dir: Path) -> None:
    (pyodide,) = site_dir.glob("vendor/pyodide-*/pyodide.asm.wasm")
    (pillow,) = site_dir.glob("vendor/pyodide-*/pillow-*.whl")
    with zipfile.ZipFile(pillow) as wheel:
        libraries = b"".join(wheel.read(name) for name in wheel.namelist() if ".so" in name)
    for name, binary in (("pyodide", pyodide.read_bytes()), ("pillow", libraries)):
        named = {one.name: one.version for one in load_runtime()[name].inside}
        for library, signature in SIGNATURES.items():
            found = re.search(signature, binary, re.DOTALL)
            assert (found is not None) == (library in named), (name, library)
            if found and found.groups():
                assert found[1].decode() == named[library]


def test_another_content_has_another_serial_number() -> None:
    parts = list(load_runtime().values())
    all_of_it, less = (json.loads(format_sbom(some, [])) for some in (parts, parts[1:]))
    assert all_of_it["serialNumber"] != less["serialNumber"]
    assert format_sbom(parts, []) == format_sbom(parts, [])
