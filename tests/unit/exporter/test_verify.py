"""`gossamer verify` without a browser: what it compares, what it refuses, what it tells."""

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from skimage import data

from exporter.catalog import find_network
from exporter.cli import main
from exporter.errors import VerifyError
from exporter.verification.golden import golden_inputs
from exporter.verification.proof import EXACT, LOSSY, Bounds, bounds_of, prove
from exporter.verification.report import to_json, write_report
from exporter.verification.subject import is_quantised, read_model, subject_of
from tests.unit.exporter.graphs import graph_of

NETWORK = """
    net (float[1,3,{size}] x) => (float[1,1,{size}] matte)
    <float[1,3,1,1] weight = {{2.0, -1.0, 0.5}}>
    {{
        low = Conv (x, weight)
        matte = Sigmoid (low)
    }}
"""


def network(size: str = "32,48") -> onnx.ModelProto:
    return graph_of(NETWORK.format(size=size), opset=17, ir=8)


def patched(model: onnx.ModelProto, factor: float) -> onnx.ModelProto:
    """A copy with one weight changed."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    weight = onnx.numpy_helper.to_array(copy.graph.initializer[0]).copy()
    weight.flat[1] *= factor
    tensor = onnx.numpy_helper.from_array(weight, copy.graph.initializer[0].name)
    copy.graph.initializer[0].CopyFrom(tensor)
    return copy


@pytest.fixture
def save(tmp_path: Path) -> Callable[[onnx.ModelProto, str], str]:
    def save_as(model: onnx.ModelProto, name: str) -> str:
        path = tmp_path / name
        onnx.save(model, path)
        return str(path)

    return save_as


Save = Callable[[onnx.ModelProto, str], str]


# ---- the command ---------------------------------------------------------------------------------


def test_equal_files_exit_with_0(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    source, artefact = save(network(), "source.onnx"), save(network(), "artefact.onnx")
    assert main(["verify", artefact, "--source", source, "--backend", "native"]) == 0
    table = capsys.readouterr().out
    assert "32x48, against source.onnx, 2 pictures" in table
    assert re.search(r"^native +0\.0e\+00 +0\.0e\+00 +1\.00000", table, re.MULTILINE)
    assert "\nequal within max 0.002" in table


def test_one_changed_weight_exits_with_1(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(network(), "source.onnx")
    artefact = save(patched(network(), 1.05), "artefact.onnx")
    assert main(["verify", artefact, "--source", source, "--backend", "native"]) == 1
    assert re.search(r"native: max difference 0\.0\d+ > 0\.002", capsys.readouterr().out)


def test_bounds_can_be_chosen(save: Save) -> None:
    source = save(network(), "source.onnx")
    artefact = save(patched(network(), 1.05), "artefact.onnx")
    arguments = ["verify", artefact, "--source", source, "--backend", "native"]
    wide = ["--max-difference", "0.1", "--mean-difference", "0.1", "--min-iou", "0.5"]
    assert main([*arguments, *wide]) == 0
    assert main([*arguments, *wide, "--min-iou", "1.1"]) == 1


def test_another_output_size_is_never_equal(save: Save) -> None:
    half = graph_of(
        """
        net (float[1,3,32,48] x) => (float[1,3,16,24] matte)
        { matte = AveragePool <kernel_shape = [2,2], strides = [2,2]> (x) }
        """
    )
    source, artefact = save(network(), "source.onnx"), save(half, "half.onnx")
    arguments = ["verify", artefact, "--source", source, "--backend", "native"]
    assert main([*arguments, "--max-difference", "1", "--min-iou", "0"]) == 1


def test_a_network_of_the_catalog_is_the_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", "--network", "u2netp", "--size", "64", "--backend", "native"]
    assert main([*arguments, "--report", str(tmp_path)]) == 0
    assert "64x64, against u2netp as published" in capsys.readouterr().out
    entry = json.loads((tmp_path / "verify.json").read_text())["artefacts"][0]
    assert entry["equal"] is True
    assert entry["bytes"] < entry["source_bytes"] < 4_700_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Expected a FILE to verify or --network NAME"),
        (["nothing.onnx"], "nothing.onnx: Expected an ONNX file"),
        (["{open}"], r"open.onnx: Expected an input of a fixed size.*'x' float \(1, 3, h, w\)"),
        (["{fixed}", "--size", "64"], r"fixed.onnx: Expected an input that can be 64x64"),
        (["{fixed}", "--photos", "{empty}"], r"empty: Expected pictures \(\.apng"),
        (["{two}"], r"two.onnx: Expected one input of four axes"),
        (["{whole}"], r"whole.onnx: Expected a float32 input, received 'x' uint8"),
    ],
)
def test_what_cannot_be_verified_is_explained(
    save: Save,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    two = "net (float[1,3,8,8] x, float[1,3,8,8] z) => (float[1,3,8,8] y) { y = Add (x, z) }"
    whole = "net (uint8[1,3,8,8] x) => (uint8[1,3,8,8] y) { y = Identity (x) }"
    (tmp_path / "empty").mkdir()
    places = {
        "open": save(network("h,w"), "open.onnx"),
        "fixed": save(network(), "fixed.onnx"),
        "two": save(graph_of(two), "two.onnx"),
        "whole": save(graph_of(whole), "whole.onnx"),
        "empty": str(tmp_path / "empty"),
    }
    given = [argument.format(**places) for argument in arguments]
    assert main(["verify", *given, *(["--backend", "native"] if given else [])]) == 1
    assert re.search(message, capsys.readouterr().err)


# ---- subjects ------------------------------------------------------------------------------------


def test_an_open_size_is_chosen_for_both() -> None:
    subject = subject_of("open", network("h,w"), network("h,w"), size=(24, 40))
    assert (subject.input.height, subject.input.width) == (24, 40)
    proof = prove(subject, golden_inputs(subject.input), ["native"])
    assert proof.holds
    assert proof.source.outputs[0].shape == (1, 1, 24, 40)


def test_a_published_network_is_compared_at_the_size_of_its_artefact() -> None:
    subject = subject_of("small", network("32,32"), network("64,64"))
    assert prove(subject, golden_inputs(subject.input), ["native"]).holds


def test_the_catalog_says_how_pictures_are_prepared() -> None:
    entry = find_network("u2netp")
    subject = subject_of("u2netp", network(), network=entry)
    assert (subject.input.scale, subject.input.mean) == (entry.input.scale, entry.input.mean)
    assert subject.output.normalise == entry.output.normalise
    assert subject.output.name == "matte"


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.onnx"
    path.write_bytes(b"<html>Please sign in</html>")
    with pytest.raises(VerifyError, match=r"page\.onnx: Expected an ONNX file"):
        read_model(path)


def test_bounds_are_wider_for_fewer_bits() -> None:
    quantised = graph_of(
        """
        net (float[1,3,8,8] x) => (float[1,3,8,8] y)
        <float scale = {0.01}, uint8 zero = {128}>
        { q = QuantizeLinear (x, scale, zero)
          y = DequantizeLinear (q, scale, zero) }
        """,
        opset=17,
        ir=8,
    )
    half = graph_of("net (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Relu (x) }")
    half.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1, np.float16), "w"))
    assert (is_quantised(quantised), bounds_of(quantised)) == (True, LOSSY)
    assert (is_quantised(half), bounds_of(half)) == (False, LOSSY)
    assert (is_quantised(network()), bounds_of(network())) == (False, EXACT)


# ---- golden inputs -------------------------------------------------------------------------------


def test_the_pictures_of_a_folder_in_their_order(tmp_path: Path) -> None:
    Image.fromarray(data.coffee()).save(tmp_path / "b.png")
    Image.fromarray(data.chelsea()).save(tmp_path / "a.jpg", quality=95)
    (tmp_path / "notes.txt").write_text("no picture")
    goldens = golden_inputs(find_network("modnet").input, tmp_path)
    assert [golden.name for golden in goldens] == ["a.jpg", "b.png"]
    assert goldens[0].rgb_hwc.shape == data.chelsea().shape
    assert goldens[0].input_nchw.shape == (1, 3, 512, 512)


# ---- reports -------------------------------------------------------------------------------------


def test_the_page_stands_alone(tmp_path: Path) -> None:
    subject = subject_of("<mine>.onnx", patched(network(), 1.2), network())
    proof = prove(subject, golden_inputs(subject.input), ["native"])
    page = write_report([proof], tmp_path / "report").read_text(encoding="utf-8")
    assert "&lt;mine&gt;.onnx" in page
    assert "<mine>" not in page
    assert "differs from its source network" in page
    assert "max difference 0." in page
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    # Photo, source matte, artefact matte and difference, for each of two pictures.
    assert len(sources) == 8
    assert all(source.startswith("data:image/") for source in sources)
    assert "<script" not in page


def test_the_difference_is_amplified_up_to_the_bound(tmp_path: Path) -> None:
    subject = subject_of("mine", patched(network(), 1.2), network())
    light = []
    for most in (1e-6, 0.9):
        bounds = Bounds(max=most, mean=1, iou=0)
        proof = prove(subject, golden_inputs(subject.input), ["native"], bounds=bounds)
        assert proof.holds is (most > 0.5)
        page = write_report([proof], tmp_path).read_text(encoding="utf-8")
        assert f"difference × {1 / most:g}" in page
        coded = re.findall(r'src="data:image/png;base64,([^"]+)" alt="difference', page)
        pictures = [Image.open(io.BytesIO(base64.b64decode(text))) for text in coded]
        assert [picture.size for picture in pictures] == [(48, 32), (48, 32)]
        light.append(np.mean([np.asarray(picture.convert("L")).mean() for picture in pictures]))
    assert light[0] > 230
    assert 1 < light[1] < 60


def test_the_json_has_no_infinity() -> None:
    subject = subject_of("mine", network(), network())
    proof = prove(subject, golden_inputs(subject.input), ["native"])
    broken = subject_of(
        "mine",
        graph_of(
            "net (float[1,3,8,8] x) => (float[1,3,4,8] y) "
            "{ y = MaxPool <kernel_shape = [2,1], strides = [2,1]> (x) }"
        ),
        network("8,8"),
    )
    proofs = [proof, prove(broken, golden_inputs(broken.input), ["native"])]
    document = json.loads(to_json(proofs), parse_constant=pytest.fail)
    assert document["equal"] is False
    first, second = (entry["backends"][0] for entry in document["artefacts"])
    assert (first["max"], first["mean"], first["iou"], first["broken"]) == (0.0, 0.0, 1.0, [])
    assert (second["max"], second["mean"], second["iou"]) == (None, None, 0.0)
    assert second["broken"]
