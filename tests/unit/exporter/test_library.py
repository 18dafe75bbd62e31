"""The package for other sites as files: what is in it, and what TypeScript makes of it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from exporter.catalog import ROOT
from exporter.errors import CatalogError, SiteError
from exporter.js_modules import short_hash
from exporter.library import build_library

USER = """
import { removeBackground, configure, openPhoto, GossamerError, type Options } from 'gossamer'
import { GossamerCutout } from 'gossamer/cutout'

configure({ publicPath: '/assets/gossamer/' })
const options: Options = { backend: ['webgpu', 'wasm'], output: { type: 'image/webp' } }

export async function cutOut(file: File, signal: AbortSignal): Promise<Blob> {
  const { blob, width, timings } = await removeBackground(file, { ...options, signal })
  console.log(width.toFixed(), timings.total_ms.toFixed())
  return blob
}

export async function asBefore(file: ArrayBuffer): Promise<string> {
  const progress = (key: string, done: number, total: number) => console.log(key, done / total)
  try {
    const config = { device: 'gpu', progress, output: { format: 'image/png' } } as const
    return (await removeBackground(file, config)).model
  } catch (error) {
    return error instanceof GossamerError ? error.code : 'unknown'
  }
}

export async function later(file: Blob): Promise<ImageBitmap> {
  const photo = await openPhoto(file)
  return photo.preview({ feather_px: 2 }, 800)
}

export async function asDocumented(file: Uint8Array): Promise<void> {
  await removeBackground(file, { output: { type: 'foreground', format: 'image/webp' } })
  await removeBackground(file, { publicPath: new URL('/assets/', location.href) })
  const photo = await openPhoto(file, { device: 'cpu' })
  photo.close()
}

const element = document.createElement('gossamer-cutout')
element.source = new File([], 'photo.jpg')
element.options = { device: 'cpu' }
element.addEventListener('progress', ({ detail }) => console.log(detail.stage, detail.done))
element.addEventListener('error', ({ message }) => console.log(message))
element.addEventListener('click', ({ clientX }) => console.log(clientX))
export const isElement: GossamerCutout = element
// @ts-expect-error no such backend
removeBackground(new Blob(), { backend: 'cuda' })
// @ts-expect-error misspelt
removeBackground(new Blob(), { modle: 'auto' })
// @ts-expect-error no such format
removeBackground(new Blob(), { output: { type: 'image/jpeg' } })
// @ts-expect-error no picture
element.source = 7
"""


def names_in(package: Path) -> set[str]:
    files = (path for path in package.rglob("*") if path.is_file())
    return {path.relative_to(package).as_posix() for path in files}


def test_the_package_exports_what_it_has(quick_library_dir: Path) -> None:
    names = names_in(quick_library_dir)
    manifest = json.loads((quick_library_dir / "package.json").read_text())
    assert manifest.keys() >= {"name", "version", "license", "type"}
    assert "dependencies" not in manifest
    for entry in (".", "./cutout"):
        for path in manifest["exports"][entry].values():
            assert path.removeprefix("./") in names
    assert {"README.md", "migration.md", "LICENSE", "licences.txt", "sbom.cdx.json"} <= names
    effects = {path.removeprefix("./") for path in manifest["sideEffects"]}
    assert effects <= names
    assert all("cutout" in path for path in effects)


def test_nothing_of_the_app_is_in_it(quick_library_dir: Path) -> None:
    names = names_in(quick_library_dir)
    for stranger in ("ui/", "sw.js", "service-worker", "locales", "client-zip", "index.html"):
        assert not [name for name in names if stranger in name]
    assert "client-zip" not in (quick_library_dir / "licences.txt").read_text()


def test_hashes_in_names_are_those_of_the_content(quick_library_dir: Path) -> None:
    modules = list((quick_library_dir / "js").rglob("*.js"))
    assert len(modules) > 30
    for path in modules:
        found = re.search(r"\.([0-9a-f]{10})\.js$", path.name)
        assert found
        assert short_hash(path.read_bytes()) == found[1]


def test_a_strict_typescript_program_compiles(quick_library_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "gossamer").symlink_to(quick_library_dir)
    (tmp_path / "user.ts").write_text(USER)
    compiler = ROOT / "node_modules" / ".bin" / "tsc"
    options = "--strict --noEmit --target es2022 --module esnext --moduleResolution bundler"
    compiled = subprocess.run(
        [compiler, *options.split(), "--lib", "es2024,dom", "--preserveSymlinks", "user.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert compiled.stdout == ""
    assert compiled.returncode == 0


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("of a day")
    with pytest.raises(SiteError, match="Choose another folder"):
        build_library(["u2netp"], tmp_path)
    assert names_in(tmp_path) == {"work.txt"}


def test_a_failed_build_leaves_an_earlier_package(quick_library_dir: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "gossamer"
    earlier.mkdir()
    names = ("package.json", "gossamer.js", "left-over.js")
    for name in names:
        shutil.copyfile(quick_library_dir / "gossamer.js", earlier / name)
    with pytest.raises(CatalogError, match="no-such-network"):
        build_library(["no-such-network"], earlier)
    assert names_in(tmp_path) == {f"gossamer/{name}" for name in names}
