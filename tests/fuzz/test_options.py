"""What Python reads from elsewhere: options and strokes from the page, catalogues from files.

Whatever it is, it is taken or refused with the one typed error.
"""

import contextlib
import functools
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.catalog import NETWORKS, load_networks, load_runtime
from exporter.errors import CatalogError
from pyside_logic.canvas import Canvas
from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.outline import Outline
from pyside_logic.output_options import METADATA, OUTPUT_TYPES, OutputOptions
from pyside_logic.presets import PRESETS
from pyside_logic.refine_options import DETAILS, RefineOptions
from pyside_logic.shadow import Shadow
from pyside_logic.touch_up import Stroke, correction_from_dict

from .conftest import Tried

SOAK = pytest.mark.soak


def names(options: Any) -> list[str]:
    return [field.name for field in fields(options)]


#: What the public API takes, and what it takes inside of each.
OUTPUT_KEYS = [*(name for name in names(OutputOptions) if name != "margin_px"), "crop", "preset"]
INNER_KEYS = {
    "crop": ["margin_px"],
    "canvas": names(Canvas),
    "background": ["gradient", "angle", "blur_px"],
    "shadow": names(Shadow),
    "outline": names(Outline),
}
#: A stroke's, and a pick's, which is a subject.
CORRECTION_KEYS = [*names(Stroke), "subject"]
WORDS = [*OUTPUT_TYPES, *METADATA, *PRESETS, *DETAILS, "white", "#12345", "transparent", "blur"]
WORDS += ["picture", "drop", "contact", "centre", "head"]

likely = st.booleans() | st.integers(0, 300) | st.floats(0, 1) | st.sampled_from([*WORDS, 8, 16])
plain = likely | st.none() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=8)
anything: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["other", *(key for keys in INNER_KEYS.values() for key in keys)]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
KEYS = {
    "RefineOptions": names(RefineOptions),
    "OutputOptions": OUTPUT_KEYS,
    "correction": CORRECTION_KEYS,
}
READERS = {
    "RefineOptions": RefineOptions.from_dict,
    "OutputOptions": OutputOptions.from_dict,
    "correction": correction_from_dict,
}
#: What is right in itself, so that one wrong value is met alone.
RIGHT: dict[str, dict[str, Any]] = {
    "correction": {"keep": True, "radius": 3, "hardness": 0.5, "points": [1, 2, 3, 4]},
    "canvas": {"height_px": 60, "width_px": 80},
    "background": {"gradient": ["white", ["#123", 0.5], "teal"]},
}


@functools.cache
def value_of(key: object) -> st.SearchStrategy[Any]:
    inner = st.dictionaries(st.sampled_from(INNER_KEYS.get(str(key), ["other"])), plain, max_size=3)
    right = RIGHT.get(str(key), {})
    return likely | anything | inner | inner.map(lambda values: right | values)


@st.composite
def options(draw: st.DrawFn, reader: str) -> dict[Any, Any]:
    keys = draw(st.lists(st.sampled_from([*KEYS[reader], "other", 7]), max_size=3, unique=True))
    return RIGHT.get(reader, {}) | {key: draw(value_of(key)) for key in keys}


def test_every_option_is_tried() -> None:
    """Each key on its own is known, and refused for its value where it is refused."""
    for key in OUTPUT_KEYS:
        with pytest.raises(GossamerError) as caught:
            OutputOptions.from_dict({key: [object()]})
        assert "among" not in caught.value.message
    with pytest.raises(GossamerError) as caught:
        OutputOptions.from_dict({"other": 1})
    known = caught.value.message.partition("[")[2].partition("]")[0]
    assert sorted(OUTPUT_KEYS) == [key.strip("' ") for key in known.split(",")]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("inputs", [400, pytest.param(40_000, marks=SOAK)])
def test_options_are_taken_or_refused(tried: Tried, reader: str, inputs: int) -> None:
    @settings(max_examples=inputs, deadline=None, database=None)
    @given(values=options(reader))
    def attempt(values: dict[Any, Any]) -> None:
        try:
            READERS[reader](values)
        except GossamerError as error:
            assert error.code is ErrorCode.INVALID_ARGUMENT
            assert "Expected" in error.message

    attempt()
    tried(f"{reader}: values of any type", inputs)


LINES = NETWORKS.read_text().splitlines()
HURTING = ["[", "]", "{", "}", "=", "'", '"', ".", ",", "-1", "1e999", "nan", "true", "[[a]]", "\0"]
HURTING += ["é", "1979-05-27", "[nan, 1, inf]", "9" * 400, f"[1, 2, {'9' * 400}]"]
HURTING += ["[" * 3000, "{a=" * 3000]
words = st.sampled_from(HURTING) | st.sampled_from(LINES)


@st.composite
def catalogues(draw: st.DrawFn) -> bytes:
    """The real one with lines lost, doubled, exchanged, and with other values behind the `=`."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[at].partition("=")
        lines[at] = draw(words) if draw(st.booleans()) else f"{key}{equals} {draw(words)}"
    data = "\n".join(lines).encode()
    return data if draw(st.integers(0, 9)) else data[: draw(st.integers(0, len(data)))] + b"\xff"


@pytest.mark.parametrize("inputs", [300, pytest.param(20_000, marks=SOAK)])
def test_a_catalogue_is_read_or_refused(tried: Tried, tmp_path: Path, inputs: int) -> None:
    path = tmp_path / "catalog.toml"

    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(data=catalogues())
    def attempt(data: bytes) -> None:
        path.write_bytes(data)
        for read in (load_networks, load_runtime):
            with contextlib.suppress(CatalogError):
                read(path)

    attempt()
    tried("catalog.py: catalogues with other lines and values", 2 * inputs)
