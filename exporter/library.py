"""Writes the package that other sites serve from their own origin.

    gossamer.js, gossamer-cutout.js   what a page imports, under names that stay
    js/                               our modules and workers, under names with their hash
    types/                            declarations, which TypeScript makes of the JSDoc
    vendor/, models/, notices         see site_parts.py
    package.json, README.md, LICENSE

All of it finds the rest by its own address, so that any folder of a site will do. There is no
service worker: what a site does on its origin is its own.
"""

import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from exporter.catalog import ROOT
from exporter.errors import SiteError
from exporter.js_modules import hash_modules
from exporter.report import Report, silent
from exporter.site_models import SiteChoices
from exporter.site_parts import (
    WEB,
    add_parts,
    files_of,
    hash_of,
    hash_texts,
    module_sources,
    new_folder,
    to_json,
    write_file,
)

__all__ = ["build_library"]

#: What a page imports: its name in the package, our module behind it, and its types.
_ENTRIES = {
    ".": ("gossamer", "js/gossamer.js", "export * from './types/gossamer.js'\n"),
    "./cutout": (
        "gossamer-cutout",
        "js/embed/cutout-element.js",
        "import './types/embed/tag-names.js'\nexport * from './types/embed/cutout-element.js'\n",
    ),
}
#: What a text of this package is in the repository.
_TEXTS = {
    "LICENSE": "LICENSE",
    "README.md": "docs/embedding.md",
    "migration.md": "docs/migration.md",
}
DEFAULT_CHOICES = SiteChoices()


def build_library(
    networks: Sequence[str],
    out_dir: Path,
    *,
    choices: SiteChoices = DEFAULT_CHOICES,
    report: Report = silent,
) -> Path:
    """Writes the package with these networks, the first of them the default; returns `out_dir`.

    A package that is there is replaced at the very end. Raises ExporterError.
    """
    out_dir = out_dir.resolve()
    with new_folder(out_dir, "package.json", "gossamer.js") as package:
        # The app's own libraries stay with the app.
        parts = add_parts(package, networks, choices, report, libraries=["libheif-js"])
        for name, source in _TEXTS.items():
            shutil.copyfile(ROOT / source, package / name)
        version = hash_texts(hash_of(package), hash_of(WEB / "js"))
        report("Writing the modules and their types ...", 0, 0)
        modules = _add_modules(package, {"version": version, **parts.build})
        _add_types(package)
        write_file(package / "package.json", _manifest(modules).encode())
    total_bytes = sum(path.stat().st_size for path in files_of(out_dir))
    report(f"Wrote {out_dir} ({total_bytes / 1e6:.1f} MB)", 0, 0)
    return out_dir


def _add_modules(package: Path, build: dict[str, Any]) -> dict[str, str]:
    """Writes the entries and what they need; returns our modules' paths with hashes."""
    needed = [path for _, path, _ in _ENTRIES.values()]
    modules = hash_modules(module_sources(WEB, build), needed)
    for path, text in modules.values():
        write_file(package / path, text.encode())
    for name, path, types in _ENTRIES.values():
        write_file(package / f"{name}.js", f"export * from './{modules[path][0]}'\n".encode())
        write_file(package / f"{name}.d.ts", types.encode())
    return {path: hashed for path, (hashed, _) in modules.items()}


def _add_types(package: Path) -> None:
    """Declarations of everything that the entries name, below `types`."""
    for source in (WEB / "js").rglob("*.d.ts"):
        target = package / "types" / source.relative_to(WEB / "js")
        write_file(target, source.read_bytes())
    compiler = ROOT / "node_modules" / ".bin" / "tsc"
    project = ["--project", "tsconfig.library.json", "--outDir", str(package / "types")]
    try:
        subprocess.run([compiler, *project], cwd=ROOT, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise SiteError(
            f"types: Expected the TypeScript compiler at {compiler}, found none."
            " Run `make lib`, which installs it."
        ) from None
    except subprocess.CalledProcessError as error:
        raise SiteError(f"types: {error.stdout.strip() or error.stderr.strip()}") from error


def _manifest(modules: dict[str, str]) -> str:
    element = _ENTRIES["./cutout"]
    content = {
        "name": "gossamer",
        "version": metadata.version("gossamer"),
        "description": "Background removal in the browser, privately",
        "license": "Apache-2.0",
        "type": "module",
        "exports": {
            **{
                name: {"types": f"./{module}.d.ts", "default": f"./{module}.js"}
                for name, (module, _, _) in _ENTRIES.items()
            },
            "./package.json": "./package.json",
        },
        # For bundlers: whose import does something, which is to define the element.
        "sideEffects": [f"./{element[0]}.js", f"./{modules[element[1]]}"],
    }
    return to_json(content, indent=2) + "\n"
