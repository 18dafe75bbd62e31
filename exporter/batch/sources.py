"""Which photos a run is about, and what their cut-outs are called."""

import glob
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import urljoin, urlsplit

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from exporter.addresses import told_address
from exporter.batch.job import Photo
from exporter.batch.left_out import is_hidden, is_photo, kind_of, local_files, tell
from exporter.batch.places import file_system, is_http, is_local
from exporter.cut import file_name, folded
from exporter.errors import BatchError
from exporter.pictures import PHOTO_ENDINGS
from exporter.report import Report, silent
from exporter.terminal import shown_line

__all__ = ["find_photos"]

_MOST_TOLD = 5
_WILDCARD = re.compile(r"[*?\[]")


def find_photos(source: str, target: str, ending: str, *, report: Report = silent) -> list[Photo]:
    """The photos of a folder and all folders in it but for `target`, of a pattern such as
    `photos/*.jpg`, or of a text file; each with the name <path in the source, or address>-<ending>.
    What is in the folder or fits the pattern and is no photo is reported.

    The text file has one path or address a line, paths seen from its own folder, and after a tab
    the name of the cut-out where it is to have another one. Raises BatchError, also where two
    cut-outs would have one name.
    """
    system, path = file_system(target)
    written = _address(system, path).rstrip("/") + "/"
    left_out: Counter[str] = Counter()
    photos = [  # a list may have a line twice, and name what is in the target
        Photo(address, _cutout_name(stem, ending))
        for address, stem in dict.fromkeys(_listed(source, written, left_out))
        if not address.startswith(written)
    ]
    tell(left_out, report)
    if not photos:
        raise BatchError(
            f"{source}: Expected photos that do not lie in {target}, found none. They are told by "
            f"their ending: {', '.join(sorted(PHOTO_ENDINGS))}."
        )
    # Object stores tell IMG.jpg and img.jpg apart, which not every disk does.
    _expect_names_of_their_own(photos, folded if isinstance(system, LocalFileSystem) else str)
    return photos


def _listed(source: str, written: str, left_out: Counter[str]) -> Iterator[tuple[str, str]]:
    """(address, stem): the stem is the path of the cut-out in the target, without an ending."""
    system, path = file_system(source)
    try:
        if is_http(source):  # has neither folders nor patterns
            return iter(_of_file(source, system, path))
        if system.isdir(path):
            is_here = isinstance(system, LocalFileSystem)
            files = local_files(path, written, left_out) if is_here else system.find(path)
            return _of_paths(system, path, files, written, left_out)
        if system.isfile(path):
            return iter(_of_file(source, system, path))
        pattern = Path(source).as_posix() if is_local(source) else path
        if wildcard := _WILDCARD.search(pattern):
            return _of_pattern(system, pattern, wildcard.start(), written, left_out)
    except BatchError:
        raise
    # File systems have errors of their own, without a common base.
    except Exception as error:
        raise BatchError(f"{source}: Expected a source that can be read: {error}") from error
    raise BatchError(
        f"{source}: Expected a folder, a pattern such as photos/*.jpg, or a text file with one "
        "address a line, found nothing there."
    )


def _of_pattern(
    system: AbstractFileSystem,
    pattern: str,
    first_wildcard: int,
    written: str,
    left_out: Counter[str],
) -> Iterator[tuple[str, str]]:
    """Brackets in the name of the folder that we are in are no wildcards."""
    start = pattern.rfind("/", 0, first_wildcard) + 1
    root = pattern[:start]
    if isinstance(system, LocalFileSystem):
        root = Path(root).resolve().as_posix()
    found = system.glob(posixpath.join(glob.escape(root), pattern[start:]), detail=True)
    files = [
        path
        for path, about in found.items()
        if about["type"] != "directory" and not (about.get("islink") and system.isdir(path))
    ]
    return _of_paths(system, root, files, written, left_out)


def _of_paths(
    system: AbstractFileSystem,
    root: str,
    paths: Iterable[str],
    written: str,
    left_out: Counter[str],
) -> Iterator[tuple[str, str]]:
    """The pictures among them, but for hidden ones and those that were `written`."""
    for path in paths:
        relative, address = PurePosixPath(path).relative_to(root), _address(system, path)
        if any(map(is_hidden, relative.parts)) or address.startswith(written):
            continue
        if is_photo(path):
            if _leads_out(relative):
                raise BatchError(
                    f"{address}: Expected a name that stays in the target, also on Windows. Rename "
                    "the photo."
                )
            yield address, str(relative.with_suffix(""))
        else:
            left_out[kind_of(path)] += 1


def _address(system: AbstractFileSystem, path: str) -> str:
    return path if isinstance(system, LocalFileSystem) else str(system.unstrip_protocol(path))


def _of_file(source: str, system: AbstractFileSystem, path: str) -> list[tuple[str, str]]:
    # An address may have a query, and a local path anything.
    whole = PurePosixPath(Path(source).as_posix() if is_local(source) else urlsplit(path).path)
    if is_photo(whole.name):
        return [(_address(system, path), whole.stem)]
    try:
        lines = system.cat_file(path).decode("utf-8-sig").splitlines()  # as Excel writes it
    except UnicodeDecodeError as error:
        raise BatchError(
            f"{source}: Expected a text file of addresses in UTF-8: {error}."
        ) from error
    return [_of_line(line, source, number) for number, line in enumerate(lines, 1) if line.strip()]


def _of_line(line: str, source: str, number: int) -> tuple[str, str]:
    address, _, name = (part.strip() for part in line.partition("\t"))
    stem = PurePosixPath(name or _inside(_stem(address)))
    if not address or not stem.name or _leads_out(stem):
        raise BatchError(
            f"{source}, line {number}: Expected the address of a file, and after a tab a name "
            f"without '..', a drive or a slash at its start, received "
            f"{told_address(address)!r} and {name!r}."
        )
    return _seen_from(source, address), str(stem)


def _leads_out(name: PurePosixPath) -> bool:
    """Of the folder that it is put into, on this system or on Windows."""
    there = PureWindowsPath(name)
    return bool(there.anchor) or ".." in there.parts


def _seen_from(source: str, address: str) -> str:
    """An address as it is, a path from the folder of the list."""
    if not is_local(address):
        return address
    if is_local(source):
        return str(Path(source).parent / address)
    if is_http(source):
        return urljoin(source, address)
    return posixpath.join(source.rpartition("/")[0], address)


def _stem(address: str) -> str:
    """The whole address but for its scheme, its port and its query: what a cut-out is called must
    not depend on which others are in the list."""
    if is_local(address):
        local = Path(address)
        return posixpath.splitext(local.relative_to(local.anchor).as_posix())[0]
    parts = urlsplit(address)
    path = PurePosixPath(parts.path)
    return f"{parts.hostname or ''}{path.with_suffix('') if path.name else ''}"


def _inside(path: str) -> str:
    """A path that leads up is left with what it leads down to: `../photos/a` with `photos/a`."""
    parts = posixpath.normpath(path.lstrip("/")).split("/")
    return "/".join(part for part in parts if part not in ("..", "."))


def _cutout_name(stem: str, ending: str) -> str:
    folder, _, name = stem.rpartition("/")
    return posixpath.join(folder, file_name(name, ending))


def _expect_names_of_their_own(photos: list[Photo], kind: Callable[[str], str]) -> None:
    """Names are one where their `kind` is."""
    named = defaultdict(list)
    for photo in photos:
        named[kind(photo.name)].append(photo)
    clashes = [some for some in named.values() if len(some) > 1]
    if not clashes:
        return
    told = [
        shown_line(f"  {some[0].name}: {', '.join(told_address(one.source) for one in some)}")
        for some in clashes[:_MOST_TOLD]
    ]
    if len(clashes) > len(told):
        told.append(f"  and {len(clashes) - len(told)} more")
    raise BatchError(
        "Expected a name of its own for every cut-out, received the same one for several photos. "
        "Rename a photo, or give the names: a text file with the address, a tab and the name in "
        "every line.\n" + "\n".join(told)
    )
