"""Every command and every piece of code in README.md and docs/ does what it is there for."""

import argparse
import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

from exporter.cli import COMMANDS

from .reader import Reader
from .samples import PAGES, ROOT, Sample, prose_of, samples_of

#: How many blocks of a page never run. Each of them says why.
NOT_RUN = {"README.md": 1}
#: The pages whose commands take longest, and have tests of their own.
COSTLY = {"batch.md", "exporting.md", "index.md", "python.md", "quality.md"}
#: The pages that need PySODMetrics, which has no release for Python 3.14.
MEASURING = {"quality.md"}

_INLINE = re.compile(r"`(gossamer|make) ([a-z-]+)([^`]*)`")


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.soak if path.name in COSTLY else ()) for path in PAGES],
    ids=lambda path: path.stem,
)
def test_the_samples_of_a_page_run_in_their_order(
    path: Path, tmp_path: Path, sample_page: Page
) -> None:
    follow(path, [one for one in samples_of(path) if not one.is_long], tmp_path, sample_page)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if any(sample.is_long for sample in samples_of(path))],
    ids=lambda path: path.stem,
)
def test_the_long_samples_run_too(path: Path, tmp_path: Path, sample_page: Page) -> None:
    follow(path, samples_of(path), tmp_path, sample_page)


def follow(path: Path, samples: list[Sample], folder: Path, page: Page) -> None:
    if path.name in MEASURING and sys.version_info >= (3, 14):
        pytest.skip("PySODMetrics has no release for this Python")
    reader = Reader(folder, page)
    for sample in samples:
        if sample.is_run:
            reader.follow(sample)


@pytest.mark.parametrize(
    "page",
    [
        "```sh\necho one; false; true\n```\n",
        "```sh\ngossamer cut photos/none.jpg --out cutouts\n```\n",
        "```sh\necho one\n```\n```text output\ntwo\n```\n",
        "```python\nassert 1 + 1 == 3\n```\n",
        "```js\nimport { removeForeground } from 'gossamer'\n```\n",
        "```js\nawait Promise.reject(new Error('no'))\n```\n",
        "```js\nconsole.assert(1 + 1 === 3)\n```\n",
        "```html\n<script src='none.js'></script>\n```\n",
        "```rust\nfn main() {}\n```\n",
        "```sh sometimes\ntrue\n```\n",
    ],
)
def test_a_sample_that_is_wrong_is_noticed(page: str, tmp_path: Path, sample_page: Page) -> None:
    path = tmp_path / "page.md"
    path.write_text(page, encoding="utf-8")
    with pytest.raises((AssertionError, Error, ValueError, pytest.fail.Exception)):
        follow(path, samples_of(path), tmp_path / "checkout", sample_page)


def test_what_is_not_run_says_why_and_is_counted() -> None:
    left_out = {path.name: [one for one in samples_of(path) if not one.is_run] for path in PAGES}
    assert {name: len(samples) for name, samples in left_out.items() if samples} == NOT_RUN
    for sample in (one for samples in left_out.values() for one in samples):
        assert len(sample.words.get("reason", "")) > 10, f"{sample.where} does not say why"


def test_a_page_with_commands_says_where_they_are() -> None:
    """Whoever comes from a search has not read the first one."""
    for path in PAGES:
        shell = [sample.text for sample in samples_of(path) if sample.language == "sh"]
        if any(re.search(r"^gossamer ", text, re.M) for text in shell):
            assert 'export PATH="$PWD/.venv/bin:$PATH"' in path.read_text("utf-8"), path.name


def test_what_a_sentence_names_exists() -> None:
    """Such as `gossamer eval DIR --model NAME` and `make site`: commands, options and targets."""
    options = {command.name: options_of(command.add_arguments) for command in COMMANDS}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    found = [(path.name, *inline) for path in PAGES for inline in _INLINE.findall(prose_of(path))]
    assert len(found) > 20
    for page, tool, name, rest in found:
        assert name in (targets if tool == "make" else options), f"{page}: {tool} {name}"
        if tool == "gossamer":
            unknown = set(re.findall(r"--[a-z-]+", rest)) - options[name]
            assert not unknown, f"{page}: gossamer {name} has no {unknown}"


def test_what_belongs_to_a_change_exists() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:pytest )?([\w/.-]+/[\w/.-]*|[\w-]+\.\w+)(?: -k word)?`", page)
    assert len(named) > 30
    places = (ROOT, ROOT / "web" / "locales")
    for name in named:
        is_built = name.startswith("node_modules/")
        assert is_built or any((place / name).exists() for place in places), name


def options_of(add_arguments: object) -> set[str]:
    parser = argparse.ArgumentParser()
    assert callable(add_arguments)
    add_arguments(parser)
    return set(re.findall(r"--[a-z-]+", parser.format_help()))


def test_the_readme_says_what_the_benchmarks_say() -> None:
    """Its table of measurements is a summary: no number of its own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Measured\n")[2]
    benchmarks = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    table = [line for line in readme.splitlines() if line.startswith("|")]
    number = re.compile(r"(?<= )(?:\d{1,2},\d{3}|\.\d{3,4})(?=[ ,])")
    numbers = set(number.findall("\n".join(table)))
    assert len(numbers) > 40
    assert numbers - set(number.findall(benchmarks)) == set()
