"""Builds the static site: every file under a name that holds its hash, and a page that names them.

    web/js, web/css, web/icon.svg   ours; modules rewritten by js_modules.py
    vendor/                         ONNX Runtime Web and Pyodide, from web/runtime.toml
    locales/                        the app's words, one file a language
    models/                         one file for each backend and precision (site_models.py)
    licences.txt, sbom.cdx.json     what all of it is and whose
    index.html, sw.js, manifest.webmanifest      from web/templates

The same inputs give the same bytes. Nothing is seen of a build until it is whole.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import jinja2

from exporter.catalog import Part, find_network, load_runtime
from exporter.errors import SiteError
from exporter.icons import ICONS, draw_icon
from exporter.js_modules import hash_modules, hashed_name, slimmed
from exporter.licences import format_notices, read_member
from exporter.origins import cache_folder, fetch, sha256_of
from exporter.ort_web import RUNTIME_FILES, unpack_runtime
from exporter.pyodide_bundle import LATER_PACKAGES, PACKAGES, build_pyodide_bundle
from exporter.report import Report, silent
from exporter.sbom import format_sbom
from exporter.site_headers import CONTENT_SECURITY_POLICY, HEADERS
from exporter.site_models import SiteChoices, add_model

__all__ = ["SiteChoices", "build_site"]

WEB = Path(__file__).resolve().parent.parent / "web"

_ENTRY = "js/ui/app.js"
_STYLES = "css/app.css"
#: Small libraries, as their npm packages have them; see licences.py for what goes with them.
_NPM_FILES = {
    "client-zip": ("index.js",),
    # Its licence asks for a file of its own, with its notice beside it.
    "libheif-js": ("libheif-wasm/libheif-bundle.mjs", "LICENSE"),
}
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
    _check_replaceable(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent) as folder:
        site = Path(folder, "new")
        site.mkdir()
        _fill(site, web, networks, choices, report)
        if out_dir.exists():
            out_dir.rename(Path(folder, "old"))
        site.rename(out_dir)
    total_bytes = sum(path.stat().st_size for path in _files(out_dir))
    report(f"Built {out_dir} ({total_bytes / 1e6:.1f} MB)", 0, 0)
    return out_dir


def _check_replaceable(out_dir: Path) -> None:
    is_site = (out_dir / "sw.js").is_file() and (out_dir / "index.html").is_file()
    if out_dir.exists() and not is_site and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise SiteError(
            f"Expected a new folder or an earlier site for the output, received {out_dir}, which"
            " holds something else and would be deleted. Choose another folder."
        )


def _fill(
    site: Path, web: Path, networks: Sequence[str], choices: SiteChoices, report: Report
) -> None:
    runtime = load_runtime()
    report("Copying ONNX Runtime Web ...", 0, 0)
    ort_path = _add_onnx_runtime(site, runtime["onnxruntime-web"], choices, report)
    packages = {name: fetch(runtime[name], report=report) for name in _NPM_FILES}
    folders = {
        name: _add_npm_files(site, runtime[name], packages[name], files)
        for name, files in _NPM_FILES.items()
    }
    report("Preparing Pyodide ...", 0, 0)
    pyodide_path = _add_pyodide(site, runtime, report)
    chosen = [find_network(name) for name in dict.fromkeys(networks)]
    models = [add_model(site, network, choices, report) for network in chosen]

    parts = [*runtime.values(), *(network.part for network in chosen)]
    wheels = {
        part.name: next((site / pyodide_path).glob(f"{part.name}-*.whl"))
        for part in (runtime["numpy"], *(runtime[name] for name in LATER_PACKAGES))
    }
    notices = format_notices(parts, wheels, packages)
    (site / "licences.txt").write_text(notices, encoding="utf-8")
    sbom = format_sbom(runtime.values(), [network.part for network in chosen])
    (site / "sbom.cdx.json").write_text(sbom, encoding="utf-8")
    later = [
        *(wheels[name].relative_to(site).as_posix() for name in LATER_PACKAGES),
        folders["libheif-js"],
    ]
    (site / "icon.svg").write_bytes(_read(web, "icon.svg"))
    for name, (size, filled) in ICONS.items():
        (site / name).write_bytes(draw_icon(size, filled=filled))

    version = _hash_texts(_hash_of(site), _hash_of(web), _json(HEADERS))
    build = {
        "version": version,
        "ort": {"version": runtime["onnxruntime-web"].version, "path": f"{ort_path}/"},
        "pyodide": {
            "version": runtime["pyodide"].version,
            "path": f"{pyodide_path}/",
            "packages": list(PACKAGES),
        },
        "zip": {
            "version": runtime["client-zip"].version,
            "path": f"{folders['client-zip']}/index.js",
        },
        "heif": {
            "version": runtime["libheif-js"].version,
            "path": f"{folders['libheif-js']}/libheif-bundle.mjs",
        },
        "locales": _add_locales(site, web),
        "models": models,
        "defaultModel": models[0]["name"],
    }
    report("Writing the pages ...", 0, 0)
    app_src = _add_modules(site, web, _render(web, "build.js", build=build))
    names = {"icon_href": "icon.svg", "manifest_href": "manifest.webmanifest"}
    page = _render(
        web,
        "index.html",
        version=version,
        csp=CONTENT_SECURITY_POLICY,
        css_href=_add_styles(site, web),
        app_src=app_src,
        **names,
    )
    (site / "index.html").write_text(page, encoding="utf-8")
    manifest = _render(web, "manifest.webmanifest", **names)
    (site / "manifest.webmanifest").write_text(manifest, encoding="utf-8")
    kept = _precache(site, ort_path)
    engines = {
        backend: [(name, sha256_of(site / name)) for name in _engine_files(ort_path, backend)]
        for backend in choices.backends
    }
    worker = _render(
        web,
        "sw.js",
        version=version,
        precache=[entry for entry in kept if not entry[0].startswith(tuple(later))],
        later=[entry for entry in kept if entry[0].startswith(tuple(later))],
        engines=engines,
        headers=list(HEADERS.items()),
    )
    (site / "sw.js").write_text(worker, encoding="utf-8")


def _add_onnx_runtime(site: Path, part: Part, choices: SiteChoices, report: Report) -> str:
    """Returns the folder's path below the site."""
    folder = site / "vendor" / "onnxruntime-web"
    unpack_runtime(part, choices.backends, folder, report=report)
    return _with_hash(folder, part)


def _add_npm_files(site: Path, part: Part, package: Path, names: Sequence[str]) -> str:
    """Files of an npm package that need nothing else. Returns their folder's path below the
    site."""
    folder = site / "vendor" / part.name
    for name in names:
        _write(folder / PurePosixPath(name).name, read_member(package, name))
    return _with_hash(folder, part)


def _add_pyodide(site: Path, runtime: Mapping[str, Part], report: Report) -> str:
    """Returns the folder's path below the site."""
    folder = site / "vendor" / "pyodide"
    part = runtime["pyodide"]
    build_pyodide_bundle(
        fetch(part, report=report),
        {name: fetch(runtime[name], report=report) for name in ("numpy", *LATER_PACKAGES)},
        folder,
        cache_dir=cache_folder() / "bytecode",
        report=report,
    )
    return _with_hash(folder, part)


def _with_hash(folder: Path, part: Part) -> str:
    """Renames the folder of a part to `<name>-<version>.<hash of its files>`."""
    name = f"{part.name}-{part.version}.{_hash_of(folder)[:10]}"
    return folder.rename(folder.with_name(name)).relative_to(folder.parent.parent).as_posix()


def _add_modules(site: Path, web: Path, build_js: str) -> str:
    """Writes every module under its hashed name and returns that of the entry."""
    sources = {
        path.relative_to(web).as_posix(): slimmed(path.read_text(encoding="utf-8"))
        for path in (web / "js").rglob("*.js")
    }
    if _ENTRY not in sources:
        raise SiteError(f"{_ENTRY}: Expected the page's first module, found none in {web}.")
    modules = hash_modules({**sources, "js/build.js": build_js})
    for path, text in modules.values():
        _write(site / path, text.encode())
    return modules[_ENTRY][0]


def _add_locales(site: Path, web: Path) -> dict[str, str]:
    """Copies the words of each language and returns their paths below the site, English first."""
    paths = {}
    for source in sorted((web / "locales").glob("*.json"), key=lambda path: path.stem != "en"):
        data = source.read_bytes()
        paths[source.stem] = hashed_name(f"locales/{source.name}", data)
        _write(site / paths[source.stem], data)
    return paths


def _add_styles(site: Path, web: Path) -> str:
    """Copies the style sheet, which stands alone, and returns its hashed name."""
    data = slimmed(_read(web, _STYLES).decode()).encode()
    path = hashed_name(_STYLES, data)
    _write(site / path, data)
    return path


def _read(web: Path, name: str) -> bytes:
    try:
        return (web / name).read_bytes()
    except FileNotFoundError:
        raise SiteError(f"{name}: Expected this file, found none in {web}.") from None


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _precache(site: Path, ort_path: str) -> list[tuple[str, str]]:
    """[path, sha256] of what the service worker keeps for everybody: neither itself nor the
    networks nor ONNX Runtime Web, of which each device needs its own part."""
    paths = {path.relative_to(site).as_posix(): path for path in _files(site)}
    return [
        (name, sha256_of(path))
        for name, path in paths.items()
        if not name.startswith(("models/", f"{ort_path}/")) and name != "sw.js"
    ]


def _engine_files(ort_path: str, backend: str) -> list[str]:
    return [f"{ort_path}/{name}" for name in RUNTIME_FILES[backend]]


def _hash_of(folder: Path) -> str:
    """A hash of every file's path and content below a folder."""
    lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}" for path in _files(folder)]
    return _hash_texts(*lines)


def _hash_texts(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _render(web: Path, template: str, **values: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(web / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(("html",)),
        keep_trailing_newline=True,
    )
    environment.filters["json"] = lambda value: _json(value, indent=2)
    environment.filters["js_json"] = lambda value: _quoted(_json(value))
    try:
        return environment.get_template(template).render(values)
    except jinja2.TemplateError as error:
        raise SiteError(f"templates/{template}: {type(error).__name__}: {error}") from error


def _json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _quoted(text: str) -> str:
    """What stands between the single quotes of a JavaScript string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
