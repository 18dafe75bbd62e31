"""sbom.cdx.json: what the site is made of, for machines. CycloneDX 1.6, ECMA-424.

licences.txt says the same to people. Nothing in it depends on when or where the site was built.
"""

import json
import uuid
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from exporter.catalog import NpmOrigin, Part
from exporter.licences import CPYTHON_LICENCE

__all__ = ["format_sbom"]

# Pyodide is mostly this, and its package does not say so.
_CPYTHON: dict[str, Any] = {
    "type": "library",
    "bom-ref": "cpython",
    "name": "cpython",
    "version": "3.12",
    "licenses": [{"license": {"id": CPYTHON_LICENCE}}],
    "externalReferences": [{"type": "vcs", "url": "https://github.com/python/cpython"}],
}


def format_sbom(libraries: Iterable[Part], networks: Iterable[Part]) -> str:
    """One component a part, each with the sha256 that its fetched bytes were checked against."""
    release = metadata.version("gossamer")
    components = [
        *(_component("library", part) for part in libraries),
        *(_component("machine-learning-model", part) for part in networks),
        _CPYTHON,
    ]
    content = {
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "gossamer",
                "name": "gossamer",
                "version": release,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [
            {"ref": "gossamer", "dependsOn": sorted(part["bom-ref"] for part in components)}
        ],
    }
    # A serial number of its own for every content, and the same one for the same content.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
    }
    return json.dumps(head | content, indent=2) + "\n"


def _component(kind: str, part: Part) -> dict[str, Any]:
    return {
        "type": kind,
        "bom-ref": part.name,
        "name": part.name,
        "version": part.version,
        "purl": _package_url(part),
        "hashes": [{"alg": "SHA-256", "content": part.sha256}],
        "licenses": [{"license": {"id": part.licence}}],
        "externalReferences": [{"type": "vcs", "url": part.source}],
    }


def _package_url(part: Part) -> str:
    for origin in part.origins:
        if isinstance(origin, NpmOrigin) and origin.member is None:
            return f"pkg:npm/{origin.package}@{origin.version}"
    return f"pkg:generic/{part.name}@{part.version}?checksum=sha256:{part.sha256}"
