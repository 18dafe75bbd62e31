"""Builds the static site: every file under a name that holds its hash, and a page that names them.

    web/js, web/css, web/icon.svg   ours; modules rewritten by js_modules.py
    vendor/, models/, notices       see site_parts.py
    locales/                        the app's words, one file a language
    index.html, sw.js, manifest.webmanifest      from web/templates

The same inputs give the same bytes. Nothing is seen of a build until it is whole.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exporter.errors import SiteError
from exporter.icons import ICONS, draw_icon
from exporter.js_modules import hash_modules, hashed_name, slimmed
from exporter.origins import sha256_of
from exporter.ort_web import RUNTIME_FILES
from exporter.report import Report, silent
from exporter.site_headers import CONTENT_SECURITY_POLICY, CONTENT_TYPES, HEADERS
from exporter.site_models import SiteChoices
from exporter.site_parts import (
    NPM_FILES,
    WEB,
    Parts,
    add_parts,
    files_of,
    hash_of,
    hash_texts,
    module_sources,
    new_folder,
    read_source,
    render,
    served_name,
    to_json,
    write_file,
)

__all__ = ["WEB", "SiteChoices", "build_site"]

_ENTRY = "js/ui/main.js"
_STYLES = "css/app.css"
_PART = re.compile(r"^import \{[^}]*\} from '\.\./js/([\w-]+\.js)'$\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_IMPORT = re.compile(r'^@import "\./([\w-]+\.css)";$', re.MULTILINE)
#: How the paths begin of what the app does without, whatever a host makes of it.
_SPARE = ("icon", "licences.txt", "manifest.webmanifest", "sbom.cdx.json")
DEFAULT_CHOICES = SiteChoices()


def build_site(
    networks: Sequence[str],
    out_dir: Path,
    *,
    choices: SiteChoices = DEFAULT_CHOICES,
    web: Path = WEB,
    report: Report = silent,
) -> Path:
    """Builds the site with these networks, the first of them the default, and returns `out_dir`.

    `web` is the folder with our own sources. A site that is there is replaced at the very end.
    Raises ExporterError.
    """
    out_dir = out_dir.resolve()
    with new_folder(out_dir, "sw.js", "index.html") as site:
        _fill(site, web, networks, choices, report)
    total_bytes = sum(path.stat().st_size for path in files_of(out_dir))
    report(f"Built {out_dir} ({total_bytes / 1e6:.1f} MB)", 0, 0)
    return out_dir


def _fill(
    site: Path, web: Path, networks: Sequence[str], choices: SiteChoices, report: Report
) -> None:
    parts = add_parts(site, networks, choices, report, libraries=NPM_FILES)
    (site / "icon.svg").write_bytes(read_source(web, "icon.svg"))
    for name, (size, filled) in ICONS.items():
        (site / name).write_bytes(draw_icon(size, filled=filled))
    version = hash_texts(hash_of(site), hash_of(web), to_json([HEADERS, CONTENT_TYPES]))
    build = {"version": version, **parts.build, "locales": _add_locales(site, web)}

    report("Writing the pages ...", 0, 0)
    app_src = _add_modules(site, web, build)
    names = {"icon_href": "icon.svg", "manifest_href": "manifest.webmanifest"}
    page = render(
        web,
        "index.html",
        version=version,
        csp=CONTENT_SECURITY_POLICY,
        css_href=_add_styles(site, web),
        app_src=app_src,
        **names,
    )
    (site / "index.html").write_text(page, encoding="utf-8")
    manifest = render(web, "manifest.webmanifest", **names)
    (site / "manifest.webmanifest").write_text(manifest, encoding="utf-8")
    worker = _service_worker(site, web, version, parts, choices)
    (site / "sw.js").write_text(_in_one(worker, web), encoding="utf-8")


def _service_worker(site: Path, web: Path, version: str, parts: Parts, choices: SiteChoices) -> str:
    ort_path = parts.build["ort"]["path"]
    kept = _kept(site, ort_path)
    apart = (*parts.later, *_SPARE)
    engines = {
        backend: [
            (f"{ort_path}{name}", sha256_of(site / ort_path / name))
            for name in map(served_name, RUNTIME_FILES[backend])
        ]
        for backend in choices.backends
    }
    return render(
        web,
        "sw.js",
        version=version,
        precache=[entry for entry in kept if not entry[0].startswith(apart)],
        spare=[entry for entry in kept if entry[0].startswith(_SPARE)],
        later=[entry for entry in kept if entry[0].startswith(parts.later)],
        engines=engines,
        headers=list(HEADERS.items()),
        types=CONTENT_TYPES,
    )


def _in_one(script: str, web: Path) -> str:
    """Service workers of several modules are not for all browsers: what this one imports stands at
    its end."""
    modules = [read_source(web, f"js/{found[1]}").decode() for found in _PART.finditer(script)]
    return "".join((_PART.sub("", script), *(_EXPORT.sub("", module) for module in modules)))


def _add_modules(site: Path, web: Path, build: Mapping[str, Any]) -> str:
    """Writes what the app imports under hashed names and returns that of the entry."""
    sources = module_sources(web, build)
    if _ENTRY not in sources:
        raise SiteError(f"{_ENTRY}: Expected the page's first module, found none in {web}.")
    modules = hash_modules(sources, [_ENTRY])
    for path, text in modules.values():
        write_file(site / path, text.encode())
    return modules[_ENTRY][0]


def _add_locales(site: Path, web: Path) -> dict[str, str]:
    """Copies the words of each language and returns their paths below the site, English first."""
    paths = {}
    for source in sorted((web / "locales").glob("*.json"), key=lambda path: path.stem != "en"):
        data = source.read_bytes()
        paths[source.stem] = hashed_name(f"locales/{source.name}", data)
        write_file(site / paths[source.stem], data)
    return paths


def _add_styles(site: Path, web: Path) -> str:
    """Copies the style sheet, with all that it imports in it, and returns its hashed name."""
    folder = _STYLES.rpartition("/")[0]
    styles = _IMPORT.sub(
        lambda found: read_source(web, f"{folder}/{found[1]}").decode(),
        read_source(web, _STYLES).decode(),
    )
    data = slimmed(styles).encode()
    path = hashed_name(_STYLES, data)
    write_file(site / path, data)
    return path


def _kept(site: Path, ort_path: str) -> list[tuple[str, str]]:
    """[path, sha256] of what the service worker keeps of the page: neither itself nor the networks
    nor ONNX Runtime Web, of which each device needs its own part."""
    paths = {path.relative_to(site).as_posix(): path for path in files_of(site)}
    return [
        (name, sha256_of(path))
        for name, path in paths.items()
        if not name.startswith(("models/", ort_path)) and name != "sw.js"
    ]
