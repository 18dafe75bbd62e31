"""sbom.cdx.json against the published schema of CycloneDX, and against what is pinned."""

import json
import re
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from exporter.catalog import ROOT, find_network, load_networks, load_runtime
from exporter.licences import CPYTHON_LICENCE
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
    assert {licence for row in rows for licence in row.split(" | ")[1].split(", ")} == {
        *(part.licence for part in parts),
        CPYTHON_LICENCE,
    }
    named = re.split(r"[|,(]", " ".join(rows))
    assert {network.title for network in networks.values()} <= {name.strip() for name in named}
    sbom = json.loads((site_dir / "sbom.cdx.json").read_text())
    (cpython,) = (one for one in sbom["components"] if one["name"] == "cpython")
    assert cpython["licenses"] == [{"license": {"id": CPYTHON_LICENCE}}]
    notices = (site_dir / "licences.txt").read_text()
    assert f"CPython 3.12 (inside Pyodide)\nLicence: {CPYTHON_LICENCE}\n" in notices


def test_another_content_has_another_serial_number() -> None:
    parts = list(load_runtime().values())
    all_of_it, less = (json.loads(format_sbom(some, [])) for some in (parts, parts[1:]))
    assert all_of_it["serialNumber"] != less["serialNumber"]
    assert format_sbom(parts, []) == format_sbom(parts, [])
