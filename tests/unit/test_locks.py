"""The lock files: they hold what pyproject.toml and package.json ask for, and a hash of every byte.

After a change of either file: `make lock`.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE_LOCK = json.loads((ROOT / "package-lock.json").read_text())
_LOCKED = re.compile(r"^(\S+==\S.*?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M)


def locked(name: str) -> dict[str, Requirement]:
    """What a lock installs on this machine, by normalised name."""
    requirements = [Requirement(found[1]) for found in _LOCKED.finditer(_text(name))]
    return {one.name.lower(): one for one in requirements if _holds(one)}


def _text(name: str) -> str:
    return (ROOT / "locks" / name).read_text() + "\n"


def _holds(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(
        {**default_environment(), "extra": ""}
    )


@pytest.mark.parametrize("name", ["build.txt", "dev.txt", "node.txt", "uv.txt"])
def test_every_package_has_a_hash_and_no_address(name: str) -> None:
    text = _text(name)
    assert "://" not in text
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(_LOCKED.findall(text)) > 0


@pytest.mark.parametrize(("name", "extras"), [("build.txt", []), ("dev.txt", ["dev"])])
def test_the_lock_holds_what_is_asked_for(name: str, extras: list[str]) -> None:
    optional = PYPROJECT["optional-dependencies"]
    asked = [Requirement(text) for text in PYPROJECT["dependencies"]]
    if extras:
        asked += [Requirement(text) for some in optional.values() for text in some]
    have = locked(name)
    for requirement in asked:
        if requirement.name == "gossamer" or not _holds(requirement):
            continue
        found = have.get(requirement.name.lower())
        assert found, f"{requirement} is not in locks/{name}: run `make lock`"
        (version,) = (pin.version for pin in found.specifier)
        assert requirement.specifier.contains(version), f"{found} in locks/{name}: run `make lock`"


def test_the_tests_run_on_what_the_build_has() -> None:
    build, dev = locked("build.txt"), locked("dev.txt")
    assert {name: str(pin.specifier) for name, pin in build.items()} == {
        name: str(dev[name].specifier) for name in build
    }


def _packages() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = PACKAGE_LOCK["packages"]
    return {name: one for name, one in found.items() if name}


def test_npm_ci_has_every_platform_and_every_hash() -> None:
    packages = _packages()
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    for name, one in packages.items():
        assert re.match(r"sha512-", one["integrity"]), name
        assert "resolved" not in one, f"{name} names a host: is .npmrc there?"
        for needed in [*one.get("dependencies", {}), *one.get("optionalDependencies", {})]:
            assert f"node_modules/{needed}" in packages, f"{needed} is missing: run `make lock`"
    assert asked == {name: packages[f"node_modules/{name}"]["version"] for name in asked}
