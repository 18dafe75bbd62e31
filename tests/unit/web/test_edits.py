"""Of two choices that exclude each other the later one counts, and the other one comes back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pyside_logic.output_options import OutputOptions

from .conftest import RunJs

CONSISTENT = """
const edits = module.newEdits()
for (const options of given) module.setOutput(edits, options)
return edits.output
"""


SVG = {"type": "image/svg+xml"}


@pytest.fixture
def chosen(run_js: RunJs) -> Callable[..., Any]:
    """The output after these choices; None asks for a default."""

    def chosen(*given: dict[str, Any]) -> Any:
        choices = json.dumps(given).replace("null", "undefined")
        return run_js("ui/edits.js", f"const given = {choices}\n{CONSISTENT}")

    return chosen


def test_of_a_drawing_and_a_picture_the_later_choice_counts(chosen: Callable[..., Any]) -> None:
    svg = SVG
    assert chosen({"shadow": "drop", "background": "white"}, svg) == {**svg, "background": "white"}
    assert chosen({"background": "blur"}, svg) == svg
    assert chosen({"preset": "product", "crop": True}, svg) == {**svg, "crop": True}
    assert chosen(svg, {"background": "#ff0000"}) == {**svg, "background": "#ff0000"}
    assert chosen(svg, {"shadow": "drop"}) == {"shadow": "drop"}
    assert chosen({**svg, "embed": False}, {"background": "blur"}) == {"background": "blur"}
    for output in chosen(svg, {"shadow": "drop"}), chosen({"preset": "sticker"}, svg):
        OutputOptions.from_dict(output)  # and refuses none of it


def test_whoever_looks_at_a_preset_or_at_svg_loses_nothing(chosen: Callable[..., Any]) -> None:
    own = {"background": "#00b140", "shadow": {"kind": "drop", "opacity": 0.8}, "crop": True}
    plain = {"background": None, "shadow": None, "crop": None}
    product, sticker = {"preset": "product", **plain}, {"preset": "sticker", **plain}
    anything = {"preset": None, **plain}
    png = {"type": None}
    assert chosen(own, product) == {"preset": "product"}
    assert chosen(own, product, sticker, anything) == own
    assert chosen(own, SVG, png) == own
    assert chosen(product, SVG) == SVG
    assert chosen(product, SVG, {"embed": False}, png) == {"preset": "product", "embed": False}
    assert chosen(own, product, SVG, {"type": "image/webp"}, anything) == {
        **own,
        "type": "image/webp",
    }
    # What is chosen meanwhile counts.
    assert chosen({"background": "blur"}, SVG, {"background": "#ff0000"}, png) == {
        "background": "#ff0000"
    }
    assert chosen({"background": "blur"}, SVG, {"background": None}, png) == {}
    assert chosen(product, SVG, {"shadow": "drop"}, SVG, png) == {"shadow": "drop"}
