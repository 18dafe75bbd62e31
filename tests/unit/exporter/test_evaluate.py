"""Measures U2-Net-P on scikit-image's photographs, labelled here by rule or by hand."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from exporter.catalog import find_network
from exporter.cli import main
from exporter.errors import EvaluationError, ExporterError
from exporter.evaluate import (
    Candidate,
    Evaluation,
    Pair,
    evaluate,
    format_evaluation,
    read_manifest,
)
from exporter.native import NativeNetwork, parse_refinement
from exporter.origins import fetch

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="PySODMetrics has no release for this Python"
)

HEADER = "set,stem,image,gt\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of one picture. Boxes and ellipses are near enough for these two subjects."""
    folder = tmp_path_factory.mktemp("labelled")
    rocket, coffee = (np.ascontiguousarray(one[::2, ::2]) for one in (data.rocket(), data.coffee()))
    y, x = 2 * np.mgrid[0 : rocket.shape[0], 0 : rocket.shape[1]]
    column = (np.abs(x - 322) <= 12) & (np.abs(y - 267) <= 139)
    y, x = 2 * np.mgrid[0 : coffee.shape[0], 0 : coffee.shape[1]]
    saucer = ((x - 278) / 202) ** 2 + ((y - 228) / 158) ** 2 < 1
    rim = ((x - 291) / 118) ** 2 + ((y - 110) / 94) ** 2 < 1
    rows = []
    for name, stem, picture, truth in (
        ("things", "rocket", rocket, column),
        ("tables", "coffee", coffee, saucer | rim),
    ):
        Image.fromarray(picture).save(folder / f"{stem}.jpg", quality=95)
        Image.fromarray(np.where(truth, 255, 0).astype(np.uint8)).save(folder / f"{stem}.png")
        rows.append([name, stem, f"{stem}.jpg", f"{stem}.png"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER.strip().split(","), *rows])
    return folder


@pytest.fixture(scope="module")
def source() -> NativeNetwork:
    network = find_network("u2netp")
    return NativeNetwork(network, fetch(network.part), threads=2)


@pytest.fixture(scope="module")
def evaluation(folder: Path, source: NativeNetwork) -> Evaluation:
    candidates = [
        Candidate("plain", source, None),
        Candidate("sharpened", source, parse_refinement('{"sharpen": 2}')),
    ]
    return evaluate(read_manifest(folder), candidates)


def test_scores_are_those_of_the_written_alpha(
    evaluation: Evaluation, folder: Path, source: NativeNetwork
) -> None:
    """An independent way from the matte to the numbers: Pillow's resize, eight bits."""
    for pair, (plain, _) in zip(evaluation.pairs, evaluation.scores, strict=True):
        photo = np.asarray(Image.open(pair.image))
        matte = Image.fromarray(source.matte(photo))
        enlarged = matte.resize(photo.shape[1::-1], Image.Resampling.BILINEAR)
        alpha = np.round(255 * np.asarray(enlarged, dtype=float)) / 255
        distance = np.abs(alpha - np.asarray(Image.open(pair.truth)) / 255)
        assert plain.mae == pytest.approx(distance.mean(), abs=2e-5)
        assert plain.mse == pytest.approx((distance**2).mean(), abs=2e-5)
        assert 0.001 < plain.mae < 0.03


def test_refinements_differ(evaluation: Evaluation) -> None:
    for plain, sharpened in evaluation.scores:
        assert abs(plain.band_mae - sharpened.band_mae) > 1e-3


def test_the_table_has_a_difference_for_two(evaluation: Evaluation) -> None:
    lines = format_evaluation(evaluation).splitlines()
    assert lines[0].split() == ["MAE", "MSE", "band", "MAE", "S-measure", "weighted", "F"]
    assert lines[1] == "things (1 pictures)"
    assert [line.split()[0] for line in lines[2:5]] == ["plain", "sharpened", "difference"]
    plain, sharpened, difference = (
        [float(cell) for cell in line.split()[1:]] for line in lines[2:5]
    )
    assert np.allclose(np.subtract(sharpened, plain), difference, atol=1.1e-4)
    assert lines[5] == "tables (1 pictures)"


def test_progress_ends_at_the_end(folder: Path, source: NativeNetwork) -> None:
    seen: list[tuple[str, int, int]] = []
    candidate = Candidate("plain", source, None)
    evaluate(read_manifest(folder), [candidate], report=lambda *step: seen.append(step))
    assert seen == [("Measuring", done, 2) for done in range(3)]


# ---- folders that cannot be measured on ----------------------------------------------------------


def write(tmp_path: Path, manifest: str, *, gt_size: tuple[int, int] = (40, 30)) -> Path:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "a.png")
    Image.new("L", gt_size).save(tmp_path / "gt.png")
    (tmp_path / "manifest.csv").write_text(manifest)
    return tmp_path


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"Expected a folder with a manifest\.csv"):
        read_manifest(tmp_path)
    with pytest.raises(EvaluationError, match="Expected a folder with a manifest"):
        read_manifest(tmp_path / "absent")


@pytest.mark.parametrize("manifest", ["", HEADER])
def test_a_folder_without_pictures(tmp_path: Path, manifest: str) -> None:
    with pytest.raises(EvaluationError, match="Expected a line for every picture, received none"):
        read_manifest(write(tmp_path, manifest))


@pytest.mark.parametrize(
    "manifest",
    [
        "set,stem,image\nx,a,a.png\n",
        HEADER + "x,a,a.png\n",
        HEADER + "x,a,,gt.png\n",
        HEADER + "x,a,a.png,gt.png,more\n",
    ],
)
def test_a_line_that_lacks_something(tmp_path: Path, manifest: str) -> None:
    with pytest.raises(EvaluationError, match=r"manifest\.csv: line 2: Expected the columns set"):
        read_manifest(write(tmp_path, manifest))


@pytest.mark.parametrize(
    "manifest",
    [
        "\ufeff" + HEADER + "x,a,a.png,gt.png\n",  # as Excel writes "CSV UTF-8"
        "set,stem,image,gt,gt_kind\nx,a,a.png,gt.png,soft\n",
        "set,stem,image,gt,gt_kind\nx,a,a.png,gt.png,\n",
    ],
)
def test_what_other_programs_add_does_not_matter(tmp_path: Path, manifest: str) -> None:
    folder = write(tmp_path, manifest)
    assert read_manifest(folder) == [Pair("x", "a", folder / "a.png", folder / "gt.png")]


def test_a_manifest_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"\xff\xfe\x00set")
    with pytest.raises(EvaluationError, match="Expected a CSV file in UTF-8"):
        read_manifest(tmp_path)


def measured(folder: Path, source: NativeNetwork) -> Evaluation:
    return evaluate(read_manifest(folder), [Candidate("plain", source, None)])


@pytest.mark.parametrize("columns", ["absent.png,gt.png", "a.png,absent.png"])
def test_a_missing_picture_is_named(tmp_path: Path, source: NativeNetwork, columns: str) -> None:
    folder = write(tmp_path, f"{HEADER}x,a,{columns}\n")
    with pytest.raises(EvaluationError, match=r"absent\.png: Expected the file that manifest"):
        measured(folder, source)


def test_sizes_that_differ_are_named(tmp_path: Path, source: NativeNetwork) -> None:
    folder = write(tmp_path, f"{HEADER}x,a,a.png,gt.png\n", gt_size=(30, 40))
    with pytest.raises(EvaluationError, match=r"gt\.png: .*a\.png, 40 x 30 px, received 30 x 40"):
        measured(folder, source)


def test_a_damaged_picture_is_named(tmp_path: Path, source: NativeNetwork) -> None:
    folder = write(tmp_path, f"{HEADER}x,a,a.png,gt.png\n")
    whole = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EvaluationError, match=r"a\.png: Expected a whole picture"):
        measured(folder, source)


def test_sizes_are_those_of_the_upright_pictures(tmp_path: Path, source: NativeNetwork) -> None:
    folder = write(tmp_path, f"{HEADER}x,a,a.png,gt.png\n", gt_size=(30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(folder / "a.png", exif=exif)
    assert len(measured(folder, source).scores) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("best", "Expected default, none or a JSON object"),
        ("[1]", "Expected a JSON object"),
        ('{"sharpness": 1}', r"Expected refine options among \["),
        ('{"sharpen": -1}', "Expected a number from 0"),
    ],
)
def test_a_wrong_refinement_is_explained(text: str, told: str) -> None:
    with pytest.raises(ExporterError, match=told):
        parse_refinement(text)


# ---- the command ---------------------------------------------------------------------------------


def test_gossamer_eval_compares_and_writes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = tmp_path / "scores.json"
    arguments = ["eval", str(folder), "--artefact", "source", "--against-refine", "none"]
    assert main([*arguments, "--set", "things", "--json", str(scores)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[1] == "things (1 pictures)"
    document = json.loads(scores.read_text())
    assert list(document["sets"]) == ["things"]
    assert [picture["stem"] for picture in document["pictures"]] == ["rocket"]
    means = document["sets"]["things"]["scores"]
    assert table[2].split()[-5] == f"{means[0]['mae']:.4f}"
    assert table[3].split()[-5] == f"{means[1]['mae']:.4f}"
    assert means[0] == document["pictures"][0]["scores"][0]


def test_gossamer_eval_keeps_what_it_has_measured(
    folder: Path, disc: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cut-out as truth beside a damaged one."""
    shutil.copytree(folder, labelled := tmp_path / "labelled")
    truth = Image.open(labelled / "coffee.png").copy()
    Image.merge("RGBA", (*Image.open(labelled / "coffee.jpg").split(), truth)).save(
        labelled / "coffee.png"
    )
    whole = (labelled / "rocket.png").read_bytes()
    (labelled / "rocket.png").write_bytes(whole[: len(whole) // 2])
    own = ["--model", str(disc[0]), "--spec", str(disc[1])]
    scores = tmp_path / "scores.json"
    assert main(["eval", str(labelled), *own, "--json", str(scores)]) == 1
    captured = capsys.readouterr()
    assert "tables (1 pictures)" in captured.out
    assert f"gossamer: {labelled / 'rocket.png'}: Expected a whole picture" in captured.err
    document = json.loads(scores.read_text())
    assert [picture["stem"] for picture in document["pictures"]] == ["coffee"]
    (failure,) = document["failures"]
    assert "rocket.png" in failure


def test_gossamer_eval_looks_for_a_place_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("precious")
    for path, told in (
        (tmp_path, "Expected a file to write to, received a folder"),
        (tmp_path / "file" / "scores.json", "Expected a place to write to"),
    ):
        assert main(["eval", str(tmp_path / "absent"), "--json", str(path)]) == 1
        assert f"gossamer: {path}: {told}" in capsys.readouterr().err


def test_gossamer_eval_asks_a_specialist(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It knows people, which neither the rocket nor the cup is: nothing changes."""
    scores = tmp_path / "scores.json"
    arguments = ["eval", str(folder), "--against-specialist", "modnet", "--json", str(scores)]
    assert main(arguments) == 0
    assert "u2netp, or modnet" in capsys.readouterr().out
    for picture in json.loads(scores.read_text())["pictures"]:
        assert picture["scores"][0] == picture["scores"][1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            "--second-look --specialist modnet --against-refine none",
            [
                "source, or modnet, second look",
                "source, or modnet, refine none, second look",
            ],
        ),
        ("--no-wider-look --second-look", ["source, no wider look, second look"]),
        (
            "--no-wider-look --against-second-look",
            ["source, no wider look", "source, second look"],
        ),
    ],
)
def test_the_other_candidate_looks_as_the_first_unless_it_is_told_how(
    folder: Path, tmp_path: Path, options: str, expected: list[str]
) -> None:
    scores = tmp_path / "scores.json"
    arguments = ["eval", str(folder), "--artefact", "source", "--set", "tables"]
    assert main([*arguments, *options.split(), "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["candidates"] == expected


def test_a_network_that_is_never_asked_is_no_specialist(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--specialist", "--against-specialist"):
        assert main(["eval", str(folder), "--artefact", "source", option, "u2netp"]) == 1
        assert "u2netp: Expected a specialist" in capsys.readouterr().err


def test_gossamer_eval_explains(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", str(folder), "--set", "people"]) == 1
    assert "Expected sets among tables, things, received people" in capsys.readouterr().err
    page = tmp_path / "page.onnx"
    page.write_text("<html>Please sign in</html>")
    assert main(["eval", str(folder), "--artefact", str(page)]) == 1
    assert "Expected an ONNX file of u2netp" in capsys.readouterr().err
    network = fetch(find_network("modnet").part)
    assert main(["eval", str(folder), "--artefact", str(network)]) == 1
    assert "Expected the input 'input.1' of (1, 3, 320, 320)" in capsys.readouterr().err
