"""What the bench writes, reads and compares. tests/e2e/test_bench.py measures."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from exporter.bench import contestants
from exporter.bench.contestants import serve_peer
from exporter.bench.document import (
    Document,
    Row,
    format_comparison,
    read_document,
    write_document,
)
from exporter.bench.photos import MEGAPIXELS, photo_of
from exporter.bench.report import format_document, write_page
from exporter.cli import main
from exporter.errors import BenchError

OWN = Row(
    "warm",
    "Gossamer",
    "6 MP",
    {"total": [900.0, 1000.0, 2000.0], "infer": [500.0, 600.0, 700.0]},
    {"peak_bytes": 1e8, "longest_task_ms": 12.0, "png_bytes": 5.0, "threads": 2},
    1,
)
PEER = replace(OWN, contestant="peer, small", times_ms={"total": [5000.0]}, is_peer=True)
QUALITY = Row("quality", "Gossamer", "fur", {"total": [9.0]}, {"mae": 0.02, "band_mae": 0.1})


@pytest.fixture
def document() -> Document:
    about = {
        "started": "2026-11-26T00:00:00+00:00",
        "browser": "Chromium 1",
        "machine": {"processor": "<one>", "cores": 2, "system": "Linux"},
        "versions": {"numpy": "2"},
        "artefacts": {"site/models/a.onnx": "0" * 64},
        "rounds": 3,
    }
    values = {**QUALITY.values, "pictures": 1, "s_measure": 0.9}
    return Document(about, [OWN, PEER, replace(QUALITY, values=values)])


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_a_document_is_read_as_it_was_written(document: Document, tmp_path: Path) -> None:
    write_document(document, tmp_path / "new" / "bench.json")
    assert read_document(tmp_path / "new" / "bench.json") == document


@pytest.mark.parametrize("text", ["", "[]", '{"format": 0}', '{"format": 1, "rows": [{}]}'])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=r"bench\.json: Expected"):
        read_document(path)


def test_medians_are_compared_where_both_have_them(document: Document) -> None:
    faster = replace(OWN, times_ms={"total": [500.0]})
    after = Document(document.about, [faster, replace(PEER, case="1 MP")])
    lines = format_comparison(document, after).splitlines()
    assert lines[1].split()[-3:] == ["1000", "500", "2.00"]
    assert len(lines) == 2
    assert format_comparison(document, Document({}, [])) == "Nothing that both have measured."


def test_ratios_to_the_peer_are_told(document: Document) -> None:
    text = format_document(document)
    assert "Gossamer: 5.0 times as fast as peer, small, 6 MP" in text
    assert "infer 600" in text


def test_the_page_loads_nothing_and_escapes(document: Document, tmp_path: Path) -> None:
    write_page(document, tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert "&lt;one&gt;" in page
    assert "5.0 times as fast as peer, small" in page
    assert "src=" not in page
    assert "href=" not in page


def test_photos_have_the_size_and_are_the_same_each_time(picture: Path) -> None:
    first, second = (photo_of(picture, 1) for _ in range(2))
    assert first == second
    assert Image.open(io.BytesIO(first)).size == MEGAPIXELS[1]
    for size, (width, height) in MEGAPIXELS.items():
        assert abs(width * height / 1e6 - size) < 0.01


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("no picture")
    with pytest.raises(BenchError, match=r"photo\.jpg: Expected a picture"):
        photo_of(tmp_path / "photo.jpg", 1)


def test_the_command_compares_two_files_and_asks_for_a_photo(
    document: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bench.json"
    write_document(document, path)
    assert main(["bench", "--compare", str(path), str(path)]) == 0
    assert "1.00" in capsys.readouterr().out
    assert main(["bench"]) == 1
    assert "--picture FILE" in capsys.readouterr().err


# ---- the peer's folder ---------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The installation ends where npm would begin to fetch."""

    def run(command: list[str], folder: Path) -> None:
        raise BenchError(f"stopped at {command[0]}")

    monkeypatch.setattr(contestants, "_run", run)


@pytest.mark.parametrize("names", [["thesis.txt"], ["package-lock.json", "page.js"]])
def test_a_folder_with_something_else_is_not_deleted(
    stopped: None, tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_text('{"packages": {"": {"dependencies": {"left-pad": "1"}}}}')
    with (
        pytest.raises(BenchError, match="holds something else and would be deleted"),
        serve_peer(tmp_path),
    ):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize("is_earlier", [True, False])
def test_an_empty_folder_and_an_earlier_installation_are_replaced(
    stopped: None, tmp_path: Path, is_earlier: bool
) -> None:
    peer = Path(contestants.__file__).parent / "peer"
    if is_earlier:
        lock = (peer / "package-lock.json").read_text().replace("1.4.5", "1.4.4")
        (tmp_path / "package-lock.json").write_text(lock)
        (tmp_path / "page.js").write_text("an older one")
        (tmp_path / "node_modules").mkdir()
    with pytest.raises(BenchError, match="stopped at npm"), serve_peer(tmp_path):
        pass
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in peer.iterdir()}
