"""What Python reads from elsewhere: options and strokes from the page, catalogues from files.

Whatever it is, it is taken or refused with the one typed error.
"""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.catalog import NETWORKS, load_networks, load_runtime
from exporter.errors import CatalogError
from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.output_options import OutputOptions
from pyside_logic.refine_options import RefineOptions
from pyside_logic.touch_up import Stroke

from .conftest import Tried

SOAK = pytest.mark.soak

anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["guided", "image/png", "white", "#12345", "transparent"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["margin_px", "points", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
OUTPUT_KEYS = ["type", "quality", "crop", "background", "embed"]
REFINE_KEYS = ["sharpen", "min_region_px", "detail", "contract_px", "feather_px", "decontaminate"]
KEYS = [*OUTPUT_KEYS, *REFINE_KEYS, "keep", "radius", "hardness", "points", "other"]
READERS = {
    "RefineOptions": RefineOptions.from_dict,
    "OutputOptions": OutputOptions.from_dict,
    "Stroke": Stroke.from_dict,
}
STROKE: dict[str, Any] = {"keep": True, "radius": 3, "hardness": 0.5, "points": [1, 2, 3, 4]}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("inputs", [400, pytest.param(40_000, marks=SOAK)])
def test_options_are_taken_or_refused(tried: Tried, reader: str, inputs: int) -> None:
    @settings(max_examples=inputs, deadline=None, database=None)
    @given(values=st.dictionaries(st.sampled_from(KEYS), anything, max_size=4))
    def attempt(values: dict[str, Any]) -> None:
        if reader == "Stroke":
            values = STROKE | {key: value for key, value in values.items() if key in STROKE}
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
