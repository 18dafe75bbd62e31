"""The panels' choices: where they start, and what of remembered ones this build knows."""

from dataclasses import asdict
from typing import Any

import pytest

from pyside_logic.output_options import OutputOptions
from pyside_logic.presets import PRESETS
from pyside_logic.refine_options import RefineOptions

from .conftest import RunJs


def test_the_controls_start_from_the_defaults_of_refinement(run_js: RunJs) -> None:
    assert run_js("ui/choices.js", "return module.REFINE_DEFAULTS") == asdict(RefineOptions())


def test_the_panel_shows_what_a_preset_does(run_js: RunJs) -> None:
    shown = run_js("ui/choices.js", "return module.PRESETS")
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


#: As the panels write them.
CHOSEN: dict[str, list[dict[str, Any]]] = {
    "refine": [
        {"feather_px": 0.5, "contract_px": -24, "sharpen": 3.9, "min_region_px": 40_000},
        {"decontaminate": False, "detail": "closed_form"},
    ],
    "output": [
        {"type": "image/webp", "quality": 0.1, "crop": {"margin_px": 200}, "background": "blur"},
        {"type": "image/svg+xml", "embed": False, "background": "#3a6ea5"},
        {"preset": "sticker", "shadow": False, "background": "transparent"},
        {"shadow": {"kind": "contact", "opacity": 0.05}, "background": "picture"},
        {"background": {"gradient": ["#fafafa", "#b9bcc0"]}},
    ],
    "brush": [{"size": 4, "hardness": 1}],
}
#: What an older build may have left, or a newer one.
UNKNOWN: dict[str, list[dict[str, Any]]] = {
    "refine": [
        {"detail": "neural"},
        {"detail": None},
        {"future_option": 1},
        {"constructor": 1},
        {"contract_px": 0.5},
        {"contract_px": 65},
        {"feather_px": "2"},
        {"sharpen": True},
        {"decontaminate": 1},
    ],
    "output": [
        {"preset": "id-visa"},
        {"preset": "constructor"},
        {"type": "image/avif"},
        {"future_option": 1},
        {"shadow": {"kind": "long", "opacity": 0.4}},
        {"shadow": {"kind": "drop", "opacity": 0.4, "tint": "#000000"}},
        {"shadow": "long"},
        {"background": {"checker": 1}},
        {"background": {}},
        {"background": {"gradient": ["#fafafa"]}},
        {"background": "sunset"},
        {"background": ["#ffffff"]},
        {"crop": {"margin_px": -1}},
        {"crop": 20},
        {"crop": None},
        {"background": {"gradient": ["#fafafa", "sunset"]}},
        {"quality": 90},
        {"embed": "no"},
    ],
    "brush": [{"size": None}, {"hardness": 60}, {"shape": "star"}],
}
KNOWN_OF = "return given.stored.map((one) => module.knownOf(given.name, one))"


@pytest.mark.parametrize("name", CHOSEN)
def test_what_the_panels_write_is_known_again(run_js: RunJs, name: str) -> None:
    assert run_js("ui/choices.js", KNOWN_OF, name=name, stored=CHOSEN[name]) == CHOSEN[name]


@pytest.mark.parametrize("name", UNKNOWN)
def test_of_what_another_build_has_written_nothing_else_is(run_js: RunJs, name: str) -> None:
    stored = [{**CHOSEN[name][0], **one} for one in UNKNOWN[name]]
    known = run_js("ui/choices.js", KNOWN_OF, name=name, stored=stored)
    for kept, one in zip(known, UNKNOWN[name], strict=True):
        assert kept == {key: CHOSEN[name][0][key] for key in CHOSEN[name][0] if key not in one}


def test_what_is_known_is_taken() -> None:
    for values in CHOSEN["refine"]:
        RefineOptions.from_dict(values)
    for values in CHOSEN["output"]:
        OutputOptions.from_dict(values)
