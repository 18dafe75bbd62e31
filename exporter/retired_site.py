"""What lies in a site's place when it was taken down or moved.

A service worker answers returning visitors with the build that they have, whatever the host says.
Only another sw.js at the same address ends that.
"""

from pathlib import Path

from exporter.site_parts import WEB, new_folder, read_source, write_file

__all__ = ["retire_site"]

_FILES = {"sw.js": "templates/retired-sw.js", "index.html": "templates/retired.html"}


def retire_site(out_dir: Path) -> Path:
    """Writes the sw.js that lets visitors go, and a page that says so; returns `out_dir`.

    What an earlier call or a build has left there is replaced. Raises SiteError.
    """
    out_dir = out_dir.resolve()
    with new_folder(out_dir, *_FILES) as folder:
        for name, source in _FILES.items():
            write_file(folder / name, read_source(WEB, source))
    return out_dir
