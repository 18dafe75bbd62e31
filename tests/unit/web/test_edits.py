"""The app's controls stand where refinement begins."""

from dataclasses import asdict

from pyside_logic.refine_options import RefineOptions

from .conftest import RunJs


def test_the_controls_start_from_the_defaults_of_refinement(run_js: RunJs) -> None:
    assert run_js("ui/edits.js", "return module.REFINE_DEFAULTS") == asdict(RefineOptions())
