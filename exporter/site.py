"""Builds the static site: every file under a name that holds its hash, and a page that names them.

    web/js, web/css, web/icon.svg   ours; modules rewritten by js_modules.py
    vendor/                         ONNX Runtime Web and Pyodide, from web/runtime.toml
    locales/                        the app's words, one file a language
    models/                         exported by pipeline.py
    licences.txt, sbom.cdx.json     what all of it is and whose
    index.html, sw.js, manifest.webmanifest      from web/templates

The same inputs give the same bytes. Nothing is seen of a build until it is whole.
"""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2

from exporter.catalog import Network, Part, find_network, load_runtime
from exporter.errors import SiteError
from exporter.exported import exported_file
from exporter.js_modules import hash_modules, hashed_name
from exporter.licences import format_notices, read_member
from exporter.origins import cache_folder, fetch, sha256_of
from exporter.pyodide_bundle import PACKAGES, build_pyodide_bundle
from exporter.report import Report, silent
from exporter.sbom import format_sbom
from exporter.site_headers import CONTENT_SECURITY_POLICY, HEADERS

__all__ = ["build_site"]

WEB = Path(__file__).resolve().parent.parent / "web"

_ENTRY = "js/ui/app.js"
_STYLES = "css/app.css"
_ONNX_RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)


def build_site(
    networks: Sequence[str],
    out_dir: Path,
    *,
    precision: str = "fp32",
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
        _fill(site, web, networks, precision, report)
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


def _fill(site: Path, web: Path, networks: Sequence[str], precision: str, report: Report) -> None:
    runtime = load_runtime()
    report("Copying ONNX Runtime Web ...", 0, 0)
    ort_path = _add_onnx_runtime(site, runtime["onnxruntime-web"], report)
    client_zip = fetch(runtime["client-zip"], report=report)
    zip_path = _add_client_zip(site, runtime["client-zip"], client_zip)
    report("Preparing Pyodide ...", 0, 0)
    pyodide_path = _add_pyodide(site, runtime["pyodide"], runtime["numpy"], report)
    chosen = [find_network(name) for name in dict.fromkeys(networks)]
    exported = [exported_file(network, precision=precision, report=report) for network in chosen]
    models = [_add_model(site, *pair, precision) for pair in zip(chosen, exported, strict=True)]

    parts = [*runtime.values(), *(network.part for network in chosen)]
    numpy_wheel = next((site / pyodide_path).glob("numpy-*.whl"))
    notices = format_notices(parts, numpy_wheel, client_zip)
    (site / "licences.txt").write_text(notices, encoding="utf-8")
    sbom = format_sbom(runtime.values(), [network.part for network in chosen])
    (site / "sbom.cdx.json").write_text(sbom, encoding="utf-8")
    (site / "icon.svg").write_bytes(_read(web, "icon.svg"))

    version = _hash_texts(_hash_of(site), _hash_of(web), _json(HEADERS))
    build = {
        "version": version,
        "ort": {"version": runtime["onnxruntime-web"].version, "path": f"{ort_path}/"},
        "pyodide": {
            "version": runtime["pyodide"].version,
            "path": f"{pyodide_path}/",
            "packages": list(PACKAGES),
        },
        "zip": {"version": runtime["client-zip"].version, "path": zip_path},
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
    worker = _render(
        web, "sw.js", version=version, precache=_precache(site), headers=list(HEADERS.items())
    )
    (site / "sw.js").write_text(worker, encoding="utf-8")


def _add_onnx_runtime(site: Path, part: Part, report: Report) -> str:
    """Returns the folder's path below the site."""
    package = fetch(part, report=report)
    folder = site / "vendor" / "onnxruntime-web"
    folder.mkdir(parents=True)
    with tarfile.open(package) as tar:
        for name in _ONNX_RUNTIME_FILES:
            stream = tar.extractfile(f"package/dist/{name}")
            if stream is None:
                raise SiteError(
                    f"web/runtime.toml: Expected dist/{name} in {part.name}, found none."
                )
            (folder / name).write_bytes(stream.read())
    return _with_hash(folder, part)


def _add_client_zip(site: Path, part: Part, package: Path) -> str:
    """One module, which stands alone. Returns its path below the site."""
    data = read_member(package, "index.js")
    path = hashed_name(f"vendor/client-zip-{part.version}.js", data)
    _write(site / path, data)
    return path


def _add_pyodide(site: Path, part: Part, numpy: Part, report: Report) -> str:
    """Returns the folder's path below the site."""
    folder = site / "vendor" / "pyodide"
    build_pyodide_bundle(
        fetch(part, report=report),
        fetch(numpy, report=report),
        folder,
        cache_dir=cache_folder() / "bytecode",
        report=report,
    )
    return _with_hash(folder, part)


def _with_hash(folder: Path, part: Part) -> str:
    """Renames the folder of a part to `<name>-<version>.<hash of its files>`."""
    name = f"{part.name}-{part.version}.{_hash_of(folder)[:10]}"
    return folder.rename(folder.with_name(name)).relative_to(folder.parent.parent).as_posix()


def _add_model(site: Path, network: Network, exported: Path, precision: str) -> dict[str, Any]:
    """Copies the file and returns its entry in build.js."""
    sha256 = sha256_of(exported)
    path = f"models/{network.name}.wasm.{precision}.{sha256[:10]}.onnx"
    (site / path).parent.mkdir(exist_ok=True)
    shutil.copyfile(exported, site / path)
    size = {"height": network.input.height, "width": network.input.width}
    return {
        "name": network.name,
        "title": network.title,
        "licence": network.part.licence,
        "backend": "wasm",
        "precision": precision,
        "path": path,
        "sha256": sha256,
        "bytes": exported.stat().st_size,
        "input": {
            "name": network.input.name,
            **size,
            "scale": network.input.scale,
            "mean": list(network.input.mean),
            "std": list(network.input.std),
        },
        "output": {"name": network.output.name, **size, "normalise": network.output.normalise},
    }


def _add_modules(site: Path, web: Path, build_js: str) -> str:
    """Writes every module under its hashed name and returns that of the entry."""
    sources = {
        path.relative_to(web).as_posix(): path.read_text(encoding="utf-8")
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
    data = _read(web, _STYLES)
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


def _precache(site: Path) -> list[tuple[str, str]]:
    """[path, sha256] of what the service worker keeps: all but the networks and itself."""
    paths = {path.relative_to(site).as_posix(): path for path in _files(site)}
    return [
        (name, sha256_of(path))
        for name, path in paths.items()
        if not name.startswith("models/") and name != "sw.js"
    ]


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
