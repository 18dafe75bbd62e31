"""Outputs that people ask for by name. A preset is nothing but options: those that are given
beside it win."""

from collections.abc import Mapping
from typing import Any

from pyside_logic.option_values import invalid

__all__ = ["PRESETS", "with_preset"]

PRESETS: dict[str, dict[str, Any]] = {
    # What marketplaces ask for: pure white, 85 % of a square of 2000 px.
    "product": {
        "background": "white",
        "canvas": {"height_px": 2000, "width_px": 2000, "fill": 0.85},
    },
    # ISO/IEC 19794-5 and ICAO Doc 9303: 35 x 45 mm, the head 70 to 80 % of the height.
    "id-photo": {
        "background": "#e6eaee",
        "canvas": {
            "height_mm": 45,
            "width_mm": 35,
            "dpi": 300,
            "fill": 0.74,
            "align": "head",
            "head_room": 0.1,
        },
    },
    # Head and shoulders, the head within the circle that most places cut out of the square.
    "avatar": {
        "canvas": {
            "height_px": 1024,
            "width_px": 1024,
            "fill": 0.5,
            "align": "head",
            "head_room": 0.15,
        },
    },
    "sticker": {
        "outline": True,
        "shadow": {"kind": "drop", "opacity": 0.3, "x_px": 0},
        "crop": {"margin_px": 0},
    },
}


def with_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without `preset` and with that preset's options, except where they say otherwise; of
    a canvas each option counts for itself."""
    given = dict(values)
    name = given.pop("preset", None)
    if name is None:
        return given
    if not isinstance(name, str) or name not in PRESETS:
        raise invalid("preset", " or ".join(PRESETS), name)
    merged = {**PRESETS[name], **given}
    # A crop and a canvas exclude each other: what is given replaces the preset's other one.
    for ours, other in (("crop", "canvas"), ("canvas", "crop")):
        # {} crops to the subject as true does.
        if given.get(ours) not in (None, False) and other not in given:
            merged.pop(other, None)
    canvas = given.get("canvas")
    if isinstance(canvas, Mapping) and "canvas" in PRESETS[name]:
        merged["canvas"] = _merged_canvas(PRESETS[name]["canvas"], canvas)
    return merged


def _merged_canvas(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    in_px, in_mm = {"height_px", "width_px"}, {"height_mm", "width_mm"}
    replaced: set[str] = set()  # a size in px replaces one in mm, and the other way round
    if in_px & set(given):
        replaced |= in_px | in_mm | {"dpi"}
    if in_mm & set(given):
        replaced |= in_px
    return {**{key: value for key, value in preset.items() if key not in replaced}, **given}
