"""Of two choices that exclude each other the later one counts, and the other one comes back; what
was changed last is undone first."""

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


UNDO = """
const { addStroke, newEdits, redo, setOutput, setRefine, undo, useForAll } = module
const edits = newEdits()
const seen = () => ({ ...edits.refine, ...edits.output, strokes: edits.strokes.length })
const all = []
"""


def test_whatever_was_changed_last_is_undone_first(run_js: RunJs) -> None:
    ways = """
setRefine(edits, { detail: 'none' })
addStroke(edits, { keep: true, hardness: 1, radius: 3, points: [1, 1] })
setOutput(edits, { shadow: 'drop' })
for (const go of [undo, undo, undo, undo, redo, redo]) { go(edits); all.push(seen()) }
setOutput(edits, { background: 'white' })
redo(edits)
return [...all, seen(), edits.history.canRedo]
"""
    none, plain = {"strokes": 0}, {"detail": "none", "strokes": 0}
    painted = {"detail": "none", "strokes": 1}
    after = {**painted, "background": "white"}
    expected = [painted, plain, none, none, plain, painted, after, False]
    assert run_js("ui/edits.js", UNDO + ways) == expected


def test_a_slider_on_its_way_is_one_change(run_js: RunJs) -> None:
    ways = """
for (const feather_px of [1, 2, 3]) setRefine(edits, { feather_px })
setRefine(edits, { contract_px: 4 })
await new Promise((resolve) => setTimeout(resolve, 600))
setRefine(edits, { contract_px: 5 })
while (edits.history.canUndo) { undo(edits); all.push(seen()) }
return all
"""
    four, three = {"feather_px": 3, "contract_px": 4, "strokes": 0}, {"feather_px": 3, "strokes": 0}
    assert run_js("ui/edits.js", UNDO + ways) == [four, three, {"strokes": 0}]


def test_undoing_what_is_no_edge_leaves_the_edges_alone(run_js: RunJs) -> None:
    ways = """
setOutput(edits, { shadow: 'drop' })
const { edgesVersion, version } = edits
undo(edits)
return [edits.edgesVersion - edgesVersion, edits.version - version]
"""
    assert run_js("ui/edits.js", UNDO + ways) == [0, 1]


def test_one_photo_of_all_goes_back_to_its_own_settings(run_js: RunJs) -> None:
    ways = """
const other = newEdits()
setOutput(other, { background: 'black' })
setOutput(edits, { preset: 'product' })
useForAll(edits, [edits, other])
undo(other)
return [other.output, edits.output]
"""
    expected = [{"background": "black"}, {"preset": "product"}]
    assert run_js("ui/edits.js", UNDO + ways) == expected
