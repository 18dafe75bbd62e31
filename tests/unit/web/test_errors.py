"""JavaScript and Python speak of the same errors and stages."""

from pyside_logic.errors import ErrorCode, Stage

from .conftest import RunJs


def test_both_tables_are_equal(run_js: RunJs) -> None:
    tables = run_js("rpc/errors.js", "return [module.ERROR_CODES, module.STAGES]")
    assert tables == [[code.value for code in ErrorCode], [stage.value for stage in Stage]]
