"""An option, and a preset, is the same in every place that has to know of it: Python's, which says
what it means, JavaScript's, the commands' and the documentation's."""

import argparse
import re
from dataclasses import fields
from pathlib import Path

import pytest

from exporter.commands.cut_options import add_cut_arguments, cut_job
from pyside_logic.output_options import OutputOptions
from pyside_logic.presets import PRESETS
from pyside_logic.refine_options import RefineOptions

ROOT = Path(__file__).parents[2]
#: What the public API has under another name than OutputOptions, and what is all of its others.
_RENAMED = {"margin_px": "crop"}
REFINE = {field.name for field in fields(RefineOptions)}
OUTPUT = {_RENAMED.get(field.name, field.name) for field in fields(OutputOptions)} | {"preset"}
#: How each is asked of `gossamer cut` and `gossamer batch`.
ASKED = {
    "type": ["--format", "webp"],
    "quality": ["--quality", "0.5"],
    "depth": ["--alpha", "--depth", "16"],
    "crop": ["--crop", "20"],
    "canvas": ["--canvas", "80x60"],
    "background": ["--background", "teal"],
    "shadow": ["--shadow"],
    "outline": ["--outline"],
    "metadata": ["--metadata", "none"],
    "embed": ["--format", "svg", "--outline-only"],
    "preset": ["--preset", "product"],
}


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def between(text: str, start: str, end: str) -> str:
    assert start in text, f"{start!r} is the beginning of what is compared"
    return text.partition(start)[2].partition(end)[0]


def known_within(name: str) -> set[str]:
    """Of web/js/options.js."""
    table = between(text_of("web/js/options.js"), "export const KNOWN_WITHIN = {", "\n}")
    _, *parts = re.split(r"\n  (\w+): ", table)
    return set(re.findall(r"'(\w+)'", dict(zip(parts[::2], parts[1::2], strict=True))[name]))


def output_typedef() -> str:
    """What web/js/rpc/messages.js says of OutputOptions: a list, and the type."""
    return (
        text_of("web/js/rpc/messages.js").partition(" * }} OutputOptions")[0].rpartition("/**")[2]
    )


def rows(page: str, heading: str) -> dict[str, str]:
    """Of the table below that heading, by what the first column names."""
    section = between(text_of(page), f"\n## {heading}\n", "\n## ")
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_cut_arguments(parser)
    return parser


def test_the_options_of_a_file_are_the_same_everywhere() -> None:
    listed, typed = output_typedef().split("@typedef {{")
    assert known_within("output") == OUTPUT
    assert set(re.findall(r"^ \* - `(\w+)`:", listed, re.M)) == OUTPUT
    assert set(re.findall(r"^ \*   (\w+)\?:", typed, re.M)) == OUTPUT
    assert rows("docs/javascript.md", "What is behind, and the file").keys() == OUTPUT
    assert ASKED.keys() == OUTPUT


@pytest.mark.parametrize("name", ASKED)
def test_each_of_them_can_be_asked_of_a_command(name: str) -> None:
    job = cut_job(parser().parse_args(ASKED[name]))
    changed = [one for one in fields(OutputOptions) if getattr(job.output, one.name) != one.default]
    if name == "preset":
        assert job.output == OutputOptions.from_dict({"preset": "product"})
    else:
        assert name in {_RENAMED.get(one.name, one.name) for one in changed}


def test_the_options_of_edges_are_the_same_everywhere() -> None:
    assert known_within("refine") == REFINE
    row = rows("docs/javascript.md", "One call")["refine"].partition("(")[0]
    assert set(re.findall(r"`(\w+)`", row)) == REFINE


def test_a_preset_is_known_everywhere() -> None:
    def quoted(text: str) -> set[str]:
        return set(re.findall(r"'([\w-]+)'", text))

    listed, typed = output_typedef().split("@typedef {{")
    assert quoted(between(listed, "`preset`:", "\n * -")) == PRESETS.keys()
    assert quoted(between(typed, "preset?: ", ",\n")) == PRESETS.keys()
    row = rows("docs/javascript.md", "What is behind, and the file")["preset"]
    assert quoted(row) == PRESETS.keys()
    (option,) = (one for one in parser()._actions if one.dest == "preset")
    assert all(name in str(option.help) for name in PRESETS)
    panel = between(text_of("web/js/ui/background-panel.js"), "name: 'preset'", "]),")
    assert set(re.findall(r"\['([\w-]+)', t\(", panel)) == {"none", *PRESETS}
