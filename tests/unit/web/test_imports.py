"""Who imports whom in `web/js`, as docs/architecture.md has it."""

import re

from .conftest import WEB_JS

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_IMPORT = re.compile(r"\b(?:from|import)\s*\(?\s*'(\.[^']+)'")
_LATE_IMPORT = re.compile(r"(\w*)\(?\bimport\(")
#: Those that say themselves what did not come.
_TELL_THEMSELVES = {"heif.js", "onnx-runtime.js", "python.js"}
#: Of a folder, those whose modules its own may import; '.' has the public API and what lies beside.
_MAY_IMPORT = {
    ".": {".", "pipeline", "rpc"},
    "embed": {"."},
    "pipeline": {".", "rpc"},
    "rpc": set(),
    "ui": {"."},
    "workers": {"pipeline", "rpc"},
}
#: Of '.', what the pipeline may know, and what knows nothing of it.
_BELOW_THE_PIPELINE = {"assets.js", "build.js", "imports.js", "model-database.js", "values.js"}


def test_the_order_of_the_rooms_is_kept() -> None:
    imports = [
        (path.relative_to(WEB_JS), (path.parent / imported).resolve().relative_to(WEB_JS))
        for path in WEB_JS.rglob("*.js")
        for imported in _IMPORT.findall(_COMMENT.sub("", path.read_text(encoding="utf-8")))
    ]
    assert len(imports) > 200
    wrong = []
    for one, other in imports:
        room, theirs = str(one.parent), str(other.parent)
        is_allowed = room == theirs or theirs in _MAY_IMPORT[room]
        if room == "pipeline" and theirs == ".":
            is_allowed = other.name in _BELOW_THE_PIPELINE
        if room == "." and one.name in _BELOW_THE_PIPELINE:
            is_allowed = theirs == "rpc" or other.name in _BELOW_THE_PIPELINE
        if not is_allowed:
            wrong.append(f"{one} imports {other}")
    assert wrong == []


def test_what_is_imported_late_may_not_come_and_says_so() -> None:
    """A line may break off, and after an update the host has the file no more."""
    late = [
        (path.name, wrapper)
        for path in WEB_JS.rglob("*.js")
        for wrapper in _LATE_IMPORT.findall(_COMMENT.sub("", path.read_text(encoding="utf-8")))
    ]
    assert len(late) > 8
    assert {name for name, wrapper in late if wrapper != "arrived"} == _TELL_THEMSELVES
