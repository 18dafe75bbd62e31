"""The built site as files: names, hashes, and what happens when a build fails."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from exporter.catalog import find_network
from exporter.errors import SiteError
from exporter.js_modules import hash_modules, short_hash, slimmed
from exporter.ort_web import RUNTIME_FILES
from exporter.site import WEB, build_site
from exporter.site_headers import CONTENT_SECURITY_POLICY, HEADERS
from tests.conftest import QUICK
from tests.unit.exporter.built_site import build_constant, constant, contents, sha256

# ---- modules -------------------------------------------------------------------------------------


def test_every_way_to_name_a_module_is_rewritten() -> None:
    app = (
        "import { a } from './a.js'\n"
        'export * from "./a.js"\n'
        "import './deep/b.js'\n"
        "const later = () => import('./deep/b.js')\n"
        "new Worker(new URL('./deep/b.js', import.meta.url), { type: 'module' })\n"
        "new Worker(assetUrl('js/deep/b.js'), { type: 'module' })\n"
    )
    modules = hash_modules({"js/app.js": app, "js/a.js": "1", "js/deep/b.js": "import '../a.js'"})
    a = f"a.{short_hash(b'1')}.js"
    deep = f"import '../{a}'"
    b = f"deep/b.{short_hash(deep.encode())}.js"
    assert modules["js/deep/b.js"] == (f"js/{b}", deep)
    path, text = modules["js/app.js"]
    assert text == (
        f"import {{ a }} from './{a}'\n"
        f'export * from "./{a}"\n'
        f"import './{b}'\n"
        f"const later = () => import('./{b}')\n"
        f"new Worker(new URL('./{b}', import.meta.url), {{ type: 'module' }})\n"
        f"new Worker(assetUrl('js/{b}'), {{ type: 'module' }})\n"
    )
    assert path == f"js/app.{short_hash(text.encode())}.js"


@pytest.mark.parametrize(
    "text",
    [
        "/** @typedef {import('./not-there.js').X} X */",
        "// import './not-there.js'",
        "const s = \"import './not-there.js'\"",
        "const s = `import './not-there.js'`",
        "const s = 'it\\'s from'; const t = './not-there.js'",
        "const accept = 'image/*'; const u = new URL('./not-there', location.href) // */",
        "const m = await import(url('./not-there.js'))",
        "const u = new URL(`../${path}`, import.meta.url)",
        "register(assetUrl('sw.js'))",
    ],
)
def test_what_only_looks_like_an_import_stays(text: str) -> None:
    assert hash_modules({"js/app.js": text})["js/app.js"][1] == text


def test_what_no_entry_needs_is_left_out() -> None:
    sources = {"js/a.js": "import './b.js'", "js/b.js": "1", "js/app.js": "import './a.js'"}
    assert sorted(hash_modules(sources, ["js/a.js"])) == ["js/a.js", "js/b.js"]


def test_a_change_in_a_leaf_renames_everything_above_it() -> None:
    sources = {"app.js": "import './mid.js'", "mid.js": "import './leaf.js'", "leaf.js": "1"}
    sources["other.js"] = "2"
    before = hash_modules(sources)
    after = hash_modules({**sources, "leaf.js": "3"})
    renamed = {path for path in sources if before[path][0] != after[path][0]}
    assert renamed == {"app.js", "mid.js", "leaf.js"}


def test_a_cycle_names_its_way_round() -> None:
    sources = {"js/a.js": "import './b.js'", "js/b.js": "import './c.js'"}
    with pytest.raises(SiteError, match=r"js/a\.js -> js/b\.js -> js/c\.js -> js/a\.js"):
        hash_modules({**sources, "js/c.js": "import('./a.js')"})


def test_a_dangling_import_names_both_files() -> None:
    with pytest.raises(SiteError, match=r"^js/a\.js: Expected a module at lib/b\.js"):
        hash_modules({"js/a.js": "import '../lib/b.js'"})


def test_a_package_cannot_be_imported() -> None:
    with pytest.raises(SiteError, match=r"^js/a\.js: .*received 'lodash'"):
        hash_modules({"js/a.js": "import { x } from 'lodash'"})


# ---- the whole site ------------------------------------------------------------------------------


def test_hashes_in_names_are_those_of_the_content(site_dir: Path) -> None:
    checked = 0
    for path in site_dir.rglob("*.*.*"):
        if path.is_file() and (found := re.search(r"\.([0-9a-f]{10})\.(js|css|onnx)$", path.name)):
            assert sha256(path).startswith(found[1])
            checked += 1
    assert checked == sum(path.suffix in (".js", ".css", ".onnx") for path in _ours(site_dir))


def _ours(site: Path) -> list[Path]:
    return [path for top in ("js", "css", "models") for path in (site / top).rglob("*.*")]


def test_the_vendored_files_are_exactly_those_that_are_needed(site_dir: Path) -> None:
    build = build_constant(site_dir)
    ort = {path.name for path in (site_dir / build["ort"]["path"]).iterdir()}
    upstream = {*RUNTIME_FILES["wasm"], *RUNTIME_FILES["webgpu"]}
    assert ort == {name.replace(".mjs", ".js") for name in upstream}
    pyodide = {path.name for path in (site_dir / build["pyodide"]["path"]).iterdir()}
    lock = json.loads((site_dir / build["pyodide"]["path"] / "pyodide-lock.json").read_text())
    wheels = {package["file_name"] for package in lock["packages"].values()}
    assert pyodide == wheels | {
        "pyodide.js",
        "pyodide.asm.js",
        "pyodide.asm.wasm",
        "python_stdlib.zip",
        "pyodide-lock.json",
    }
    heif = {path.name for path in (site_dir / build["heif"]["path"]).parent.iterdir()}
    assert heif == {"libheif-bundle.js", "LICENSE"}
    zip_files = [path.name for path in (site_dir / build["zip"]["path"]).parent.iterdir()]
    assert zip_files == ["index.js"]
    assert {path.name for path in (site_dir / "vendor").iterdir()} == {
        *(Path(build[part]["path"]).name for part in ("ort", "pyodide")),
        *(Path(build[part]["path"]).parent.name for part in ("heif", "zip")),
    }


def test_no_host_need_know_modules_by_another_name(site_dir: Path) -> None:
    """nginx, as Debian ships it, has no type for them, and browsers then run none."""
    assert [*site_dir.rglob("*.mjs")] == []


def test_licences_name_every_network(two_network_site_dir: Path) -> None:
    notices = (two_network_site_dir / "licences.txt").read_text()
    for name in ("modnet", "u2netp"):
        part = find_network(name).part
        assert f"{name} {part.version}\nLicence: Apache-2.0\nSource: {part.source}" in notices


def test_the_service_worker_knows_all_but_the_networks_and_itself(site_dir: Path) -> None:
    worker = (site_dir / "sw.js").read_text()
    known = {
        name: digest
        for name, digest in contents(site_dir).items()
        if name != "sw.js" and not name.startswith("models/")
    }
    ort = build_constant(site_dir)["ort"]["path"]
    engines = {name: digest for name, digest in known.items() if name.startswith(ort)}
    by_backend = dict(constant(worker, "ENGINES"))
    assert set(by_backend) == {"wasm", "webgpu"}
    assert dict(file for files in by_backend.values() for file in files) == engines
    later = dict(constant(worker, "LATER"))  # what few people need waits until they do
    names = {re.sub(r"-.*", "", Path(name).name) for name in later}
    assert names == {"libheif", "LICENSE", "pillow"}
    spare = dict(constant(worker, "SPARE"))  # what a visitor does not miss
    assert {name for name in spare if not name.startswith("icon")} == {
        *("licences.txt", "manifest.webmanifest", "sbom.cdx.json"),
    }
    precache = dict(constant(worker, "PRECACHE"))
    assert {**precache, **spare, **later, **engines} == known
    assert len(precache) + len(spare) + len(later) + len(engines) == len(known)
    assert dict(constant(worker, "HEADERS")) == HEADERS


def test_the_page_is_relative_and_carries_the_policy(site_dir: Path) -> None:
    page = (site_dir / "index.html").read_text().replace("&#39;", "'")
    assert f'content="{CONTENT_SECURITY_POLICY}"' in page
    addresses = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert (site_dir / address).is_file(), address
    manifest = json.loads((site_dir / "manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        path = site_dir / icon["src"]
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert icon["sizes"] == f"{picture.width}x{picture.height}"
            assert icon["type"] == "image/png"
        else:
            assert path.is_file()
    assert manifest["start_url"] == manifest["scope"] == "./"


def test_licences_name_every_part(site_dir: Path) -> None:
    notices = (site_dir / "licences.txt").read_text()
    for words in ("onnxruntime-web 1.30.0", "pyodide 0.27.7", "numpy 2.0.2", "pillow 10.2.0",
                  "u2netp", "MPL-2.0",
                  "client-zip 2.5.1", "David Junger", "libheif-js 1.23.2", "GNU LESSER GENERAL",
                  "Apache License", "NumPy Developers", "Python Software Foundation"):  # fmt: skip
        assert words in notices


def test_the_same_sources_give_the_same_bytes(quick_site_dir: Path, tmp_path: Path) -> None:
    again = build_site(["u2netp"], tmp_path / "again", choices=QUICK)
    assert contents(again) == contents(quick_site_dir)


def test_another_style_sheet_is_another_version_with_the_same_vendor_files(
    quick_site_dir: Path, changed_site_dir: Path
) -> None:
    before, after = contents(quick_site_dir), contents(changed_site_dir)
    assert build_constant(quick_site_dir)["version"] != build_constant(changed_site_dir)["version"]
    assert {name for name in before if name.startswith(("vendor/", "models/"))} == {
        name for name in after if name.startswith(("vendor/", "models/"))
    }


# ---- builds that fail ----------------------------------------------------------------------------


@pytest.fixture
def broken_web(tmp_path: Path) -> Path:
    web = shutil.copytree(WEB, tmp_path / "web")
    (web / "js" / "ui" / "app.js").write_text("import './not-there.js'\n")
    return web


def test_a_failed_build_leaves_the_old_site(
    quick_site_dir: Path, broken_web: Path, tmp_path: Path
) -> None:
    out_dir = shutil.copytree(quick_site_dir, tmp_path / "dist")
    with pytest.raises(SiteError, match=r"^js/ui/app\.js"):
        build_site(["u2netp"], out_dir, choices=QUICK, web=broken_web)
    assert contents(out_dir) == contents(quick_site_dir)
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "web"}


def test_a_build_replaces_a_site_and_leaves_nothing_beside_it(
    quick_site_dir: Path, tmp_path: Path
) -> None:
    out_dir = shutil.copytree(quick_site_dir, tmp_path / "dist")
    (out_dir / "left-over.txt").write_text("from an earlier build")
    build_site(["u2netp"], out_dir, choices=QUICK)
    assert contents(out_dir) == contents(quick_site_dir)
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_a_folder_with_other_things_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SiteError, match="would be deleted"):
        build_site(["u2netp"], tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("template", "text", "told"),
    [
        ("index.html", "{{ csp_misspelt }}", r"^templates/index\.html: UndefinedError"),
        ("build.js", "{{ build", r"^templates/build\.js: TemplateSyntaxError"),
    ],
)
def test_a_wrong_template_is_named(tmp_path: Path, template: str, text: str, told: str) -> None:
    web = shutil.copytree(WEB, tmp_path / "web")
    (web / "templates" / template).write_text(text)
    with pytest.raises(SiteError, match=told):
        build_site(["u2netp"], tmp_path / "dist", choices=QUICK, web=web)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize("name", ["app.css", "stage.css"])
def test_a_missing_source_is_named(name: str, tmp_path: Path) -> None:
    web = shutil.copytree(WEB, tmp_path / "web")
    (web / "css" / name).unlink()
    with pytest.raises(SiteError, match=f"^css/{re.escape(name)}"):
        build_site(["u2netp"], tmp_path / "dist", choices=QUICK, web=web)


def test_what_only_people_read_is_left_out() -> None:
    text = (
        "/**\n * About this file.\n */\n\nconst glob = '/*' // stays, and so does the next line\n"
        "  /** @type {string} */ (value)\n  /* one */\n  // two\n  const end = '*/'\n"
    )
    assert slimmed(text) == (
        "const glob = '/*' // stays, and so does the next line\n"
        "/** @type {string} */ (value)\nconst end = '*/'\n"
    )


def test_no_template_literal_goes_over_several_lines() -> None:
    for path in (WEB / "js").rglob("*.js"):
        for line in path.read_text().splitlines():
            assert line.count("`") % 2 == 0, f"{path.name}: {line}"
