"""The app's controls stand where refinement begins."""

import json
from dataclasses import asdict
from typing import Any

from pyside_logic.output_options import OutputOptions
from pyside_logic.presets import PRESETS
from pyside_logic.refine_options import RefineOptions

from .conftest import RunJs


def test_the_controls_start_from_the_defaults_of_refinement(run_js: RunJs) -> None:
    assert run_js("ui/edits.js", "return module.REFINE_DEFAULTS") == asdict(RefineOptions())


def test_the_panel_shows_what_a_preset_does(run_js: RunJs) -> None:
    shown = run_js("ui/edits.js", "return module.PRESETS")
    assert list(shown) == list(PRESETS)
    for name, look in shown.items():
        preset = OutputOptions.from_dict({"preset": name})
        assert OutputOptions.from_dict({"background": look["background"]}).background == (
            preset.background
        )
        kind_and_opacity = preset.shadow and {
            "kind": preset.shadow.kind,
            "opacity": preset.shadow.opacity,
        }
        assert look["shadow"] == kind_and_opacity


CONSISTENT = """
const edits = module.newEdits()
for (const options of given) module.setOutput(edits, options)
return edits.output
"""


def test_of_a_drawing_and_a_picture_the_later_choice_counts(run_js: RunJs) -> None:
    def chosen(*given: dict[str, Any]) -> Any:
        return run_js("ui/edits.js", f"const given = {json.dumps(given)}\n{CONSISTENT}")

    svg = {"type": "image/svg+xml"}
    assert chosen({"shadow": "drop", "background": "white"}, svg) == {**svg, "background": "white"}
    assert chosen({"background": "blur"}, svg) == svg
    assert chosen({"preset": "product", "crop": True}, svg) == {**svg, "crop": True}
    assert chosen(svg, {"background": "#ff0000"}) == {**svg, "background": "#ff0000"}
    assert chosen(svg, {"shadow": "drop"}) == {"shadow": "drop"}
    assert chosen({**svg, "embed": False}, {"background": "blur"}) == {"background": "blur"}
    for output in chosen(svg, {"shadow": "drop"}), chosen({"preset": "sticker"}, svg):
        OutputOptions.from_dict(output)  # and refuses none of it
