"""The ZIP of a site, read back by the standard library."""

import errno
import hashlib
import zipfile
from pathlib import Path

import pytest

from exporter.bundle import write_bundle
from exporter.cli import main
from exporter.errors import SiteError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>")
    (folder / "js" / "app.js").write_text("1\n" * 1000)
    return folder


def test_it_holds_every_file_at_its_place(quick_site_dir: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(write_bundle(quick_site_dir, tmp_path / "new" / "site.zip")) as archive:
        assert archive.testzip() is None
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert "index.html" in packed
    assert packed == {
        path.relative_to(quick_site_dir).as_posix(): path.read_bytes()
        for path in quick_site_dir.rglob("*")
        if path.is_file()
    }


def test_the_same_site_gives_the_same_bytes(site: Path, tmp_path: Path) -> None:
    first = write_bundle(site, tmp_path / "one.zip").read_bytes()
    (site / "index.html").touch()
    second = write_bundle(site, tmp_path / "two.zip").read_bytes()
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    assert len(first) < 1000  # compressed


def test_a_file_that_is_there_is_replaced_and_nothing_is_left_beside_it(
    site: Path, tmp_path: Path
) -> None:
    target = tmp_path / "site.zip"
    target.write_text("an older one")
    write_bundle(site, target)
    assert zipfile.is_zipfile(target)
    assert {path.name for path in tmp_path.iterdir()} == {"dist", "site.zip"}


@pytest.mark.parametrize("target", ["dist", "dist/site.zip", "."])
def test_a_place_that_would_do_harm_is_refused(site: Path, tmp_path: Path, target: str) -> None:
    with pytest.raises(SiteError, match="outside"):
        write_bundle(site, tmp_path / target)
    assert sorted(path.name for path in site.iterdir()) == ["index.html", "js"]


def test_a_place_that_cannot_be_written_to_is_explained(site: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("a file")
    with pytest.raises(SiteError, match=r"README\.md/site\.zip: .*Choose another"):
        write_bundle(site, tmp_path / "README.md" / "site.zip")


def test_a_full_disk_is_explained_and_leaves_nothing(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(SiteError, match=r"No space left on device.*make room"):
        write_bundle(site, tmp_path / "site.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_the_place_is_tried_before_the_site_is_built(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.site.build_site", pytest.fail)
    target = site / "index.html" / "site.zip"
    assert main(["site", "--out", str(site / "js"), "--bundle", str(target)]) == 1
    assert "Expected a place that can be written to" in capsys.readouterr().err


def test_the_command_has_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["site", "--help"])
    assert "--bundle FILE" in capsys.readouterr().out
