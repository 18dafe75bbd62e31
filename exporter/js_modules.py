"""Gives every JavaScript module a name with the hash of its content, and its importers the name.

A module's content holds the names of what it imports, so the leaves are named first; a cycle has no
first module and is refused.
"""

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from exporter.errors import SiteError

__all__ = ["hash_modules", "hashed_name", "short_hash", "slimmed"]

# What must be skipped as a whole, because an import may be written in it, comes first: comments
# (where JSDoc imports types) and strings. Then the four ways to name another file.
_TOKEN = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/
    | (?P<head> \bfrom\s* | \bimport\s*(?:\(\s*)? | \bnew\s+URL\(\s* | \bassetUrl\(\s* )
      (?P<quote>['"])(?P<target>[^'"\n]+)(?P=quote)
      (?P<tail> \s*,\s*import\.meta\.url )?
    | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" | `(?:\\.|[^`\\])*`
    """,
    re.VERBOSE | re.DOTALL,
)

# Only what stands on lines of its own: nothing else needs a parser to tell it from code. What
# looks like that inside a template literal of several lines would change too; we write none.
_COMMENT_LINES = re.compile(
    r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL
)
_INDENTATION = re.compile(r"^\s+", re.MULTILINE)


def slimmed(text: str) -> str:
    """A module or style sheet of ours without what only people read: half its bytes."""
    return _INDENTATION.sub("", _COMMENT_LINES.sub("", text))


def short_hash(data: bytes) -> str:
    """The first ten hexadecimal digits of the sha256: what a file name carries."""
    return hashlib.sha256(data).hexdigest()[:10]


def hashed_name(path: str, data: bytes) -> str:
    """`js/app.js` becomes `js/app.<hash>.js`."""
    name = PurePosixPath(path)
    return str(name.with_name(f"{name.stem}.{short_hash(data)}{name.suffix}"))


def hash_modules(
    sources: Mapping[str, str], entries: Iterable[str] | None = None
) -> dict[str, tuple[str, str]]:
    """Maps each path to its hashed path and its text with every import rewritten.

    `sources` maps paths with forward slashes to texts. With `entries`, those modules and what they
    need are all that is returned. Raises SiteError for an import of something that is not there, of
    a package, or in a cycle.
    """
    finished: dict[str, tuple[str, str]] = {}
    for path in sorted(sources if entries is None else entries):
        _finish(path, sources, finished, importers=())
    return finished


def _finish(
    path: str,
    sources: Mapping[str, str],
    finished: dict[str, tuple[str, str]],
    importers: tuple[str, ...],
) -> str:
    """Returns the hashed path, having finished everything that the module imports."""
    if path in importers:
        cycle = " -> ".join((*importers[importers.index(path) :], path))
        raise SiteError(
            f"{path}: Expected imports without a cycle, received {cycle}."
            " Move what both sides need into a file of its own."
        )
    if path not in finished:

        def rewrite(match: re.Match[str]) -> str:
            if not _names_a_file(match):
                return match[0]
            is_asset = match["head"].startswith("assetUrl")
            target = f"/{match['target']}" if is_asset else match["target"]
            imported = _resolve(path, target, sources)
            hashed = _finish(imported, sources, finished, (*importers, path))
            target = hashed if is_asset else _relative(hashed, path)
            return f"{match['head']}{match['quote']}{target}{match['quote']}{match['tail'] or ''}"

        text = _TOKEN.sub(rewrite, sources[path])
        finished[path] = hashed_name(path, text.encode()), text
    return finished[path][0]


def _relative(target: str, importer: str) -> str:
    path = posixpath.relpath(target, posixpath.dirname(importer) or ".")
    return path if path.startswith(".") else f"./{path}"


def _names_a_file(match: re.Match[str]) -> bool:
    if match["head"] is None:
        return False
    if match["head"].startswith("assetUrl"):  # counts from the root, where our modules are in js/
        return match["target"].startswith("js/")
    # An address for something else, such as a page or an answer, is none of our files.
    return not match["head"].startswith("new") or match["tail"] is not None


def _resolve(importer: str, target: str, sources: Mapping[str, str]) -> str:
    if not target.startswith(("/", "./", "../")):
        raise SiteError(
            f"{importer}: Expected a relative path such as './x.js' to import, received"
            f" {target!r}. The site has no packages: name the file."
        )
    path = posixpath.normpath(posixpath.join("/", posixpath.dirname(importer), target))[1:]
    if path not in sources:
        raise SiteError(f"{importer}: Expected a module at {path}, found none ({target!r}).")
    return path
