"""`gossamer verify` with ONNX Runtime Web in real Chromium; small pictures keep it quick."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from exporter.catalog import find_network
from exporter.cli import main
from exporter.errors import BackendError
from exporter.passes import pad_conv_channels
from exporter.pipeline import Artefact, export_network
from exporter.source import read_source
from exporter.verification.browser import BrowserLab, open_lab
from exporter.verification.golden import golden_inputs
from exporter.verification.proof import Proof, prove
from exporter.verification.subject import subject_of
from exporter.winograd import layout

SIDE_PX = 64


@pytest.fixture(scope="module")
def lab() -> Iterator[BrowserLab]:
    with open_lab() as lab:
        yield lab


def exported(name: str, backend: str, folder: Path) -> Artefact:
    return export_network(
        find_network(name), backend=backend, out_dir=folder, size=(SIDE_PX, SIDE_PX)
    )


def proof_of(name: str, contents: onnx.ModelProto, backend: str, lab: BrowserLab) -> Proof:
    network = find_network(name)
    source = read_source(network)
    subject = subject_of(f"{name}.{backend}", contents, source, network=network)
    # One picture: SwiftShader needs seconds for it.
    return prove(subject, golden_inputs(subject.input)[1:], [backend], lab=lab)


# MODNet's file for WASM is proven below; each network on each backend is in the app itself, by
# tests/engines/test_gpu.py.
@pytest.mark.soak
@pytest.mark.parametrize(("name", "backend"), [("u2netp", "wasm"), ("modnet", "webgl")])
def test_an_artefact_is_right_on_its_backend(
    name: str, backend: str, lab: BrowserLab, tmp_path: Path
) -> None:
    artefact = onnx.load(exported(name, backend, tmp_path).path)
    proof = proof_of(name, artefact, backend, lab)
    (measurement,) = proof.measurements
    assert measurement.broken(proof.bounds) == []
    assert measurement.difference.max < 5e-4
    assert np.ptp(measurement.outputs[0]) > 0.1  # a matte, not one grey


@pytest.mark.soak
def test_our_own_engine_is_proven_on_several_threads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--size", str(SIDE_PX), "--backend", "winograd", "--max-difference", "2e-4"]
    for network in ("u2netp", "modnet", "u2net"):
        assert main(["verify", "--network", network, *arguments]) == 0
        assert "\nwinograd " in capsys.readouterr().out
    monkeypatch.setattr(layout, "MOST_BYTES", 1_000_000)
    assert main(["verify", "--network", "u2netp", *arguments]) == 1
    assert "winograd: Expected a network that our own engine runs" in capsys.readouterr().out


def test_one_changed_weight_breaks_the_proof(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artefact = exported("modnet", "wasm", tmp_path)
    right = onnx.load(artefact.path)
    damaged = onnx.ModelProto.FromString(right.SerializeToString())
    last = next(node for node in reversed(damaged.graph.node) if node.op_type == "Conv")
    for tensor in damaged.graph.initializer:
        if tensor.name == last.input[1]:
            weights = onnx.numpy_helper.to_array(tensor).copy()
            weights.flat[np.abs(weights).argmax()] *= 1.5
            tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
    path = tmp_path / "damaged.onnx"
    onnx.save(damaged, path)
    arguments = ["--network", "modnet", "--backend", "native", "wasm", "--report", str(tmp_path)]
    assert main(["verify", str(artefact.path), *arguments]) == 0
    assert main(["verify", str(path), *arguments]) == 1
    table = capsys.readouterr().out
    assert "native: max difference" in table
    assert "wasm: max difference" in table
    assert "not equal" in (tmp_path / "index.html").read_text()


# ---- small graphs --------------------------------------------------------------------------------


def graph(text: str) -> onnx.ModelProto:
    return parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')


def wide_conv(channels: int) -> onnx.ModelProto:
    """From 3 channels to many by a 1x1 Conv, and back by the 3x3 Conv that may be wrong."""
    model = graph(
        """
        net (float[1,3,16,16] x) => (float[1,16,16,16] y)
        { many = Conv (x, spread)
          y = Conv <pads = [1,1,1,1]> (many, gather) }
        """
    )
    random = np.random.default_rng(3)
    for name, shape in {"spread": (channels, 3, 1, 1), "gather": (16, channels, 3, 3)}.items():
        weights = random.normal(size=shape, scale=channels**-0.5).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    return model


@pytest.mark.soak
def test_a_conv_that_webgpu_computes_wrongly_is_caught_and_cured(lab: BrowserLab) -> None:
    model = wide_conv(99)
    proofs = []
    for artefact in (model, pad_conv_channels.apply(model)):
        subject = subject_of("wide", artefact, model)
        proofs.append(prove(subject, golden_inputs(subject.input), ["webgpu"], lab=lab))
    wrong, cured = (proof.measurements[0] for proof in proofs)
    assert wrong.error == ""  # neither shapes nor messages betray it
    assert wrong.difference.max > 0.1
    assert not proofs[0].holds
    assert cured.difference.max < 1e-4
    assert proofs[1].holds


@pytest.mark.soak
def test_two_files_are_timed_in_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    narrow, wide = tmp_path / "narrow.onnx", tmp_path / "wide.onnx"
    onnx.save(wide_conv(8), narrow)
    onnx.save(wide_conv(2048), wide)
    arguments = ["--backend", "wasm", "--report", str(tmp_path)]
    assert main(["verify", str(narrow), "--against", str(wide), *arguments]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "times as fast" in row]
    assert float(line.split()[1]) > 1  # with 256 times the work
    assert "as fast as wide.onnx (" in line
    assert line in (tmp_path / "index.html").read_text()
    (entry,) = json.loads((tmp_path / "verify.json").read_text())["artefacts"]
    assert entry["rival"] == "wide.onnx"
    assert entry["backends"][0]["rival_ms"] > entry["backends"][0]["race_ms"]


def test_what_a_backend_cannot_run_is_a_row_with_its_reason(lab: BrowserLab) -> None:
    subject = subject_of(
        "hard",
        graph(
            "net (float[1,3,8,8] x) => (float[1,3,8,8] y) { y = Mish (x) }".replace(
                "Mish", "HardSwish"
            )
        ),
    )
    proof = prove(subject, golden_inputs(subject.input), ["webgl", "wasm"], lab=lab)
    refused, right = proof.measurements
    assert "HardSwish" in refused.error
    assert right.broken(proof.bounds) == []
    assert not proof.holds


def test_a_backend_that_takes_too_long_is_ended(lab: BrowserLab) -> None:
    model = wide_conv(64)
    picture = np.zeros((1, 3, 16, 16), np.float32)
    with pytest.raises(BackendError, match=r"wasm: .*no result within 0\.001 s"):
        lab.run(
            "wasm",
            model.SerializeToString(),
            [picture],
            input_name="x",
            output_name="y",
            time_limit_s=0.001,
        )
