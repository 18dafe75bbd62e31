"""JavaScript, Python and the documentation speak of the same errors and stages."""

import re

from pyside_logic.errors import ErrorCode, Stage

from .conftest import WEB_JS, RunJs


def test_both_tables_are_equal(run_js: RunJs) -> None:
    tables = run_js("rpc/errors.js", "return [module.ERROR_CODES, module.STAGES]")
    assert tables == [[code.value for code in ErrorCode], [stage.value for stage in Stage]]


def test_the_documentation_says_what_each_means_and_what_to_do(run_js: RunJs) -> None:
    page = (WEB_JS.parents[1] / "docs" / "javascript.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page.partition("\n## Errors\n")[2], re.M)
    assert rows == run_js("rpc/errors.js", "return module.ERROR_CODES")
