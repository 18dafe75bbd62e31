"""What MkDocs asks while it builds the pages: https://www.mkdocs.org/dev-guide/plugins/#events"""

import contextlib
import io
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from exporter.cli import COMMANDS, main

_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(```\w+) .*?(title=\"[^\"]+\")?$", re.M)
_SECTION = re.compile(r"^\[(.+)\]\(\.\./README\.md#[\w-]+\)$", re.M)
_COMMANDS = "<!-- gossamer --help -->"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """The pages have the app's icon."""
    icon = str(_ROOT / "web" / "icon.svg")
    files.append(File.generated(config, "assets/icon.svg", abs_src_path=icon))
    return files


def on_page_markdown(markdown: str, **_page: object) -> str:
    """A link to the README on a line of its own becomes that section, and the mark in commands.md
    the help of the commands. Words for the tests (tests/docs/samples.py) go.
    """
    whole = _SECTION.sub(lambda link: _section(link[1]), markdown)
    if _COMMANDS in whole:
        whole = whole.replace(_COMMANDS, _reference())
    return _FENCE.sub(lambda fence: " ".join(filter(None, fence.groups())), whole)


def _section(heading: str) -> str:
    """The README's section of that heading. Raises IndexError where it has none."""
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    return readme.split(f"\n## {heading}\n")[1].partition("\n## ")[0].strip()


def _reference() -> str:
    return "\n".join(f"## {one.name}\n\n```text\n{_help(one.name)}```\n" for one in COMMANDS)


def _help(command: str) -> str:
    """What `gossamer COMMAND --help` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([command, "--help"])
    return printed.getvalue()
