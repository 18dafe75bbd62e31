"""What of a source is no photo: counted, so that nothing is left out without a word."""

import os
import posixpath
from collections import Counter
from pathlib import PurePosixPath

from exporter.pictures import PHOTO_ENDINGS
from exporter.report import Report

__all__ = ["is_hidden", "is_photo", "kind_of", "local_files", "tell"]

_MOST_TOLD = 8


def kind_of(name: str) -> str:
    return PurePosixPath(name).suffix.lower() or "without an ending"


def tell(left_out: Counter[str], report: Report) -> None:
    """Of each kind how many: `Left out: 12 .cr2, 3 .psd`."""
    told = left_out.most_common(_MOST_TOLD)
    others = left_out.total() - sum(count for _, count in told)
    if others:
        told.append(("others", others))
    if told:
        report(f"Left out: {', '.join(f'{count:,} {kind}' for kind, count in told)}")


def is_photo(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PHOTO_ENDINGS


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def local_files(root: str, written: str, left_out: Counter[str]) -> list[str]:
    """All files in `root` and the folders in it, also where links lead, but for hidden ones and for
    those in `written`, a path that ends with a slash."""
    found: list[str] = []

    def walk(folder: str, above: frozenset[str]) -> None:
        real = os.path.realpath(folder)
        # A link may lead back to where it lies.
        if real in above or f"{real}/".startswith(written):
            return
        here = next(os.walk(folder), None)
        if here is None:
            left_out["folders that cannot be read"] += 1
            return
        _, folders, files = here
        found.extend(posixpath.join(folder, name) for name in files if not is_hidden(name))
        for name in folders:
            if not is_hidden(name):
                walk(posixpath.join(folder, name), above | {real})

    walk(root, frozenset())
    return sorted(found)
