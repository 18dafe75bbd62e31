"""docs/promises.md names tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "promises.md"
_ROW = re.compile(r"^\| (?!promise \|)(?!-)(.+) \| (.+) \|$", re.M)
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_tests_that_exist() -> None:
    rows = _ROW.findall(PAGE.read_text().replace("|---|---|", ""))
    assert len(rows) > 30
    missing = []
    for promise, cell in rows:
        named = _TEST.findall(cell)
        assert named, f"no test holds: {promise}"
        for path, name in named:
            file = TESTS / path
            if not file.is_file() or f"\ndef {name}(" not in file.read_text():
                missing.append(f"{path}::{name}")
    assert missing == []
