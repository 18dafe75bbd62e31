"""One ZIP of a built site: unpacked into any folder of any static host, it works.

The same site gives the same bytes, so that a bundle can be checked against a hash.
"""

import stat
import zipfile
from pathlib import Path

from exporter.errors import SiteError
from exporter.writable import try_folder, whole_file

__all__ = ["check_target", "write_bundle"]

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = (stat.S_IFREG | 0o644) << 16
_UNIX = 3


def check_target(site: Path, target: Path) -> None:
    """Raises SiteError where `target` is a folder, lies inside the site or cannot be written."""
    site, target = site.resolve(), target.resolve()
    if target.is_dir() or target.is_relative_to(site):
        raise SiteError(
            f"Expected a file outside {site} for the bundle, received {target}."
            " Name a new file, such as gossamer.zip."
        )
    try:
        try_folder(target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error


def write_bundle(site: Path, target: Path) -> Path:
    """Packs the folder `site`, which `build_site` made, into the file `target` and returns it.

    `index.html` lies at the top of the archive. A file that is there is replaced at the very end.
    Raises SiteError as `check_target` does, and where the disk is full.
    """
    check_target(site, target)
    try:
        return _write(site.resolve(), target.resolve())
    except OSError as error:
        raise _unwritable(target, error) from error


def _write(site: Path, target: Path) -> Path:
    with (
        whole_file(target) as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, path.read_bytes())
    return target


def _unwritable(target: Path, error: OSError) -> SiteError:
    return SiteError(
        f"Expected a place that can be written to for the bundle, received {target}: {error}. "
        "Choose another one, or make room on the disk."
    )
