"""sbom.cdx.json against the published schema of CycloneDX, and against what is pinned."""

import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from exporter.catalog import find_network, load_runtime
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


def test_another_content_has_another_serial_number() -> None:
    parts = list(load_runtime().values())
    all_of_it, less = (json.loads(format_sbom(some, [])) for some in (parts, parts[1:]))
    assert all_of_it["serialNumber"] != less["serialNumber"]
    assert format_sbom(parts, []) == format_sbom(parts, [])
