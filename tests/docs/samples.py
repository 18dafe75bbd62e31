"""The fenced blocks of the documentation, as its readers would use them.

    ```sh                          bash runs it, and ends with exit status 0
    ```text output                 what the block before it printed; `...` stands for anything
    ```python                      runs in one namespace with the page's other ones
    ```js                          runs as a module: `file` is a photo, `signal` of an
                                   AbortController; without imports it has the last ones
    ```html                        opens as a page beside photo.jpg and the package's folder
    ```toml title="mine.toml"      any block with a title is written to that file, for later ones
    ```sh soak                     only in `make soak`, with the blocks before it
    ```sh serves                   prints an address, which answers, until Ctrl+C
    ```sh installs                 in a fresh Python environment, which later blocks use
    ```sh needs="bucket,cluster"   has them around it (surroundings.py)
    ```js part-of="main.js"        is in that file, word for word; the file has its own test
    ```sh no-run reason="..."      never: test_samples.py counts them
    ```text                        a picture in letters

The site that `make docs` builds shows nothing of these words but the title (docs/mkdocs/hooks.py).
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(?P<language>\w+)(?P<words>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
_KNOWN = {
    *("installs", "needs", "no-run", "output", "part-of", "reason", "serves", "soak", "title"),
}


@dataclass(frozen=True)
class Sample:
    """`where` is the page and its line, `words` what follows the language, with its values."""

    where: str
    language: str
    words: dict[str, str]
    text: str

    @property
    def is_run(self) -> bool:
        return "no-run" not in self.words

    @property
    def is_long(self) -> bool:
        return "soak" in self.words


def samples_of(page: Path) -> list[Sample]:
    """In the order of the page. Raises ValueError for a word that means nothing."""
    text = page.read_text(encoding="utf-8")
    samples = []
    for fence in _FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 1
        words = dict(_word(word) for word in shlex.split(fence["words"]))
        if unknown := set(words) - _KNOWN:
            raise ValueError(f"{page.name}:{line}: Expected {sorted(_KNOWN)}, received {unknown}.")
        samples.append(Sample(f"{page.name}:{line}", fence["language"], words, fence["text"]))
    return samples


def prose_of(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _word(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value
