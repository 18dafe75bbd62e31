"""The int8 artefacts from the committed ranges, and what the toolchain says where it cannot."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from skimage import data

from exporter.calibrate import Settings, calibrate_network, format_calibration
from exporter.calibration import CALIBRATIONS, read_calibration, write_calibration
from exporter.catalog import Int8Budget, find_network
from exporter.cli import main
from exporter.errors import CalibrationError, ExporterError
from exporter.exported import exported_file
from exporter.native import NativeNetwork
from exporter.pipeline import Artefact, export_network, format_artefact

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True)
class Bound:
    """Bytes of the file, and the mean difference from float32's matte over PHOTOS."""

    bytes: int
    mean: float


BOUNDS = {
    "u2netp": Bound(1_500_000, 0.006),
    "modnet": Bound(7_000_000, 0.006),
    "u2net": Bound(30_000_000, 0.008),
}


#: The network that `make site` ships in int8; the largest one takes a minute, and 176 MB to fetch.
IN_INT8 = ["modnet", *(pytest.param(name, marks=pytest.mark.soak) for name in ("u2netp", "u2net"))]


@pytest.fixture(scope="module", params=IN_INT8)
def int8(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    folder = tmp_path_factory.mktemp("models")
    return export_network(find_network(request.param), precision="int8", out_dir=folder)


def mean_difference(network_name: str, path: Path) -> float:
    """Over all photos, from the float32 artefact."""
    network = find_network(network_name)
    exact = NativeNetwork(network, exported_file(network), threads=2)
    small = NativeNetwork(network, path, threads=2)
    photos = [getattr(data, name)() for name in PHOTOS]
    return float(np.mean([np.abs(exact.matte(one) - small.matte(one)).mean() for one in photos]))


def test_the_file_is_small_and_close_to_float32(int8: Artefact) -> None:
    bound = BOUNDS[int8.network.name]
    assert int8.path.name == f"{int8.network.name}.wasm.int8.{int8.sha256[:10]}.onnx"
    assert int8.bytes <= bound.bytes
    assert 0 < mean_difference(int8.network.name, int8.path) <= bound.mean
    assert "quantize" in format_artefact(int8)


def test_the_engine_runs_it_as_integers(int8: Artefact, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(int8.path, options, providers=["CPUExecutionProvider"])
    operators = Counter(n.op_type for n in onnx.load(tmp_path / "optimised.onnx").graph.node)
    kept = read_calibration(int8.network).float_units
    convolutions = sum(
        node.op_type == "Conv" for node in onnx.load(exported_file(int8.network)).graph.node
    )
    in_float = operators["Conv"] + operators["FusedConv"]
    assert in_float <= len(kept)
    assert operators["QLinearConv"] == convolutions - in_float


@pytest.mark.soak
@pytest.mark.parametrize("int8", ["modnet"], indirect=True)
def test_the_same_ranges_give_the_same_bytes(int8: Artefact, tmp_path: Path) -> None:
    again = export_network(int8.network, precision="int8", out_dir=tmp_path)
    assert again.path.name == int8.path.name
    assert again.path.read_bytes() == int8.path.read_bytes()


def test_u2netp_without_its_float_units_falls_apart(tmp_path: Path) -> None:
    """What the search found is needed: else the choice in the file means nothing."""
    network = find_network("u2netp")
    calibration = read_calibration(network)
    # The fragile one stands out of the sweep, and only few are kept beside it.
    first, second, *_ = calibration.sensitivity
    assert first.mean > 20 * second.mean
    assert first.unit in calibration.float_units
    assert len(calibration.float_units) <= 20
    assert calibration.difference_all_int8 > 10 * calibration.difference


# ---- from photos ---------------------------------------------------------------------------------


@pytest.mark.soak
def test_calibrating_again_finds_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a fifth of the pixels and on few photos, from nothing but the network."""
    import skimage.io

    photos = tmp_path / "photos"
    photos.mkdir()
    for name in PHOTOS:
        skimage.io.imsave(photos / f"{name}.png", getattr(data, name)(), check_contrast=False)
    network = find_network("u2netp")
    small = replace(network.input, height=128, width=128, published=(320, 320))
    network = replace(network, input=small, int8=Int8Budget(0.01))
    settings = Settings(sweep_photos=1, search_photos=2)
    calibration = calibrate_network(network, photos, settings)
    committed = read_calibration(network)
    assert calibration.sensitivity[0].unit == committed.sensitivity[0].unit
    assert calibration.sensitivity[0].unit in calibration.float_units
    assert calibration.photos == len(PHOTOS)
    assert 0 < calibration.float_work < 0.5
    assert "stays in float" in format_calibration(calibration)

    write_calibration(calibration, tmp_path / "calibration")
    monkeypatch.setattr("exporter.calibration.CALIBRATIONS", tmp_path / "calibration")
    artefact = export_network(network, precision="int8", out_dir=tmp_path / "out")
    assert artefact.bytes <= BOUNDS["u2netp"].bytes


# ---- what cannot be done -------------------------------------------------------------------------


def test_int8_without_ranges_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.calibration.CALIBRATIONS", tmp_path)
    with pytest.raises(CalibrationError, match="Run: gossamer calibrate u2netp --calibration"):
        export_network(find_network("u2netp"), precision="int8", out_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(CalibrationError, match="Run: gossamer calibrate u2netp --calibration"):
        exported_file(find_network("u2netp"), precision="int8")


@pytest.mark.parametrize(
    ("backend", "precision"),
    [("webgl", "int8"), ("webgpu", "int8"), ("wasm", "fp16"), ("wasm", "int4")],
)
def test_a_precision_that_the_backend_lacks_is_refused(
    tmp_path: Path, backend: str, precision: str
) -> None:
    with pytest.raises(ExporterError, match=f"received {precision} for {backend}"):
        export_network(
            find_network("u2netp"), backend=backend, precision=precision, out_dir=tmp_path
        )


def test_gossamer_calibrate_explains_an_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", "u2netp", "--calibration", str(tmp_path)]) == 1
    assert "Expected a folder with photos for --calibration" in capsys.readouterr().err


@pytest.mark.soak
def test_gossamer_export_makes_int8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "u2netp", "--precision", "int8", "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("u2netp.wasm.int8.")
    output = capsys.readouterr().out
    assert str(path) in output
    assert f"{path.stat().st_size:,} bytes" in output.splitlines()[-1]


# ---- fp16 ----------------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "most_bytes"),
    [("u2netp", 2_400_000), ("modnet", 13_100_000)],
)
def test_fp16_halves_the_file_and_keeps_the_matte(
    tmp_path: Path, name: str, most_bytes: int
) -> None:
    artefact = export_network(
        find_network(name), backend="webgpu", precision="fp16", out_dir=tmp_path
    )
    model = onnx.load(artefact.path)
    onnx.checker.check_model(model, full_check=True)
    assert artefact.path.name.startswith(f"{name}.webgpu.fp16.")
    assert artefact.bytes <= most_bytes
    for value in [*model.graph.input, *model.graph.output]:
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert 0 < mean_difference(name, artefact.path) <= 0.003


def test_there_are_ranges_for_every_network_that_is_measured_here() -> None:
    assert {path.stem for path in CALIBRATIONS.glob("*.json")} >= set(BOUNDS)
