"""One ZIP of a built site: unpacked into any folder of any static host, it works.

The same site gives the same bytes, so that a bundle can be checked against a hash.
"""

import stat
import zipfile
from pathlib import Path

from exporter.errors import SiteError

__all__ = ["write_bundle"]

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = (stat.S_IFREG | 0o644) << 16
_UNIX = 3


def write_bundle(site: Path, target: Path) -> Path:
    """Packs the folder `site`, which `build_site` made, into the file `target` and returns it.

    `index.html` lies at the top of the archive. A file that is there is replaced at the very end.
    Raises SiteError where `target` is a folder or lies inside the site.
    """
    site, target = site.resolve(), target.resolve()
    if target.is_dir() or target.is_relative_to(site):
        raise SiteError(
            f"Expected a file outside {site} for the bundle, received {target}."
            " Name a new file, such as gossamer.zip."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in site.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), _ZIP_EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = _UNIX
                entry.external_attr = _MODE
                archive.writestr(entry, path.read_bytes())
        return unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
