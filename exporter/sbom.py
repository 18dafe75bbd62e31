"""sbom.cdx.json: what the site is made of, for machines. CycloneDX 1.6, ECMA-424.

licences.txt says the same to people. Nothing in it depends on when or where the site was built.
"""

import json
import uuid
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from exporter.catalog import Inside, NpmOrigin, Part

__all__ = ["format_sbom"]


def format_sbom(libraries: Iterable[Part], networks: Iterable[Part]) -> str:
    """One component a part, each with the sha256 that its fetched bytes were checked against, and
    one for each that is inside of a part."""
    libraries, networks = tuple(libraries), tuple(networks)
    release = metadata.version("gossamer")
    components = [
        *(_component("library", part) for part in libraries),
        *(_component("machine-learning-model", part) for part in networks),
        *(_inner(part, one) for part in libraries for one in part.inside),
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
            {"ref": "gossamer", "dependsOn": sorted(part.name for part in libraries + networks)},
            *(
                {
                    "ref": part.name,
                    "dependsOn": sorted(_reference(part, one) for one in part.inside),
                }
                for part in libraries
                if part.inside
            ),
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
        "licenses": _licences(part.licence),
        "externalReferences": [{"type": "vcs", "url": part.source}],
    }


def _inner(part: Part, one: Inside) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _reference(part, one),
        "name": one.name,
        **({"version": one.version} if one.version else {}),
        "licenses": _licences(one.licence),
        "externalReferences": [{"type": "vcs", "url": one.source}],
    }


def _reference(part: Part, one: Inside) -> str:
    return f"{part.name}/{one.name}"


def _licences(spdx: str) -> list[dict[str, Any]]:
    return [{"expression": spdx} if " " in spdx else {"license": {"id": spdx}}]


def _package_url(part: Part) -> str:
    for origin in part.origins:
        if isinstance(origin, NpmOrigin) and origin.member is None:
            return f"pkg:npm/{origin.package}@{origin.version}"
    return f"pkg:generic/{part.name}@{part.version}?checksum=sha256:{part.sha256}"
