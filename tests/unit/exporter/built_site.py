"""What the tests read of a built site."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def constant(worker: str, name: str) -> Any:
    """What a constant of sw.js holds once JavaScript has read the string."""
    quoted = re.search(rf"^const {name} = JSON\.parse\('(.*)'\)$", worker, re.MULTILINE)
    assert quoted
    return json.loads(re.sub(r"\\(.)", r"\1", quoted[1]))


def build_constant(site: Path) -> dict:
    (path,) = (site / "js").glob("build.*.js")
    return json.loads(path.read_text().split("export const build = ")[1])
