"""Ranges of a small network on pictures made here, and the file that keeps them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import parser
from PIL import Image

from exporter.batch import sources
from exporter.calibration import (
    CALIBRATIONS,
    Calibration,
    Rounding,
    Sensitivity,
    Size,
    find_photos,
    measure_ranges,
    read_calibration,
    write_calibration,
)
from exporter.catalog import Int8Budget, Network, find_network
from exporter.cli import main
from exporter.errors import CalibrationError, PictureError
from exporter.native import preprocess
from exporter.pictures import PHOTO_ENDINGS
from exporter.quantize import Storage
from exporter.units import find_units
from exporter.verification.golden import golden_inputs

GRAPH = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,320,320] x) => (float[1,1,320,320] matte)
    <float[1,3,1,1] weight = {0.5, -0.25, 1.0}, float[1,1,1,1] sign = {-2.0}>
    {
        [one] a = Conv (x, weight)
        [one_relu] r = Relu (a)
        [two] b = Conv (r, sign)
        [sum] s = Add (r, b)
        [sigmoid] matte = Sigmoid (s)
    }
"""


@pytest.fixture
def network() -> Network:
    small = find_network("u2netp")
    return replace(small, input=replace(small.input, name="x"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(2)
    for name, brightest in (("b.png", 255), ("a.jpg", 120), ("c.webp", 30)):
        rgb_hwc = random.integers(0, brightest, (90, 120, 3)).astype(np.uint8)
        Image.fromarray(rgb_hwc).save(folder / name)
    (folder / "SOURCES.md").write_text("made here")
    return folder


def calibration_of(network: Network) -> Calibration:
    return Calibration(
        network=network.name,
        source_sha256=network.part.sha256,
        versions={"onnx": "1"},
        photos=3,
        search_photos=2,
        budget=Int8Budget(0.0015, 1_500_000, 0.25),
        difference=0.001,
        difference_all_int8=0.5,
        float_work=0.125,
        float_units=("two",),
        sensitivity=(
            Sensitivity("two", "Conv", 0.25, 0.5),
            Sensitivity("one", "Conv", 0.000012, 0.000123457),
        ),
        roundings=(Rounding("two", 8, 3000, 0.0), Rounding("one", 4, 1000, 0.0003)),
        sizes=(Size(0, 1_504_000, 0.001), Size(1, 1_501_000, 0.001), Size(2, 1_500_000, 0.0012)),
        ranges={"x": (-2.1179, 2.64), "r": (0.0, 3.25)},
    )


def test_photos_are_found_in_one_order(photos: Path) -> None:
    assert [path.name for path in find_photos(photos)] == ["a.jpg", "b.png", "c.webp"]


def test_every_kind_of_photo_is_found_in_every_folder(tmp_path: Path, network: Network) -> None:
    """By `calibrate`, `batch` and `verify`, which read them alike; HEIC, so that it is named."""
    names = [f"photo{ending}" for ending in sorted(PHOTO_ENDINGS - {".heic", ".heif"})]
    for name in [*names, "OTHER.JPG"]:
        kind = "JPEG" if ".pjp" in name else None  # Pillow knows it by what is in it
        Image.new("RGB", (64, 64), "teal").save(tmp_path / name, kind)
    (tmp_path / "notes.txt").write_text("no photo")
    found = ["OTHER.JPG", *names]
    assert [path.name for path in find_photos(tmp_path)] == found
    assert [golden.name for golden in golden_inputs(network.input, tmp_path)] == found
    for one in [*names, "photo.heic"]:  # one folder each: their cut-outs have the same name
        folder = tmp_path / one.replace(".", "-")
        folder.mkdir()
        (folder / one).write_text("opened by nobody")
        (photo,) = sources.find_photos(str(folder), str(tmp_path / "out"), "cutout.png")
        assert photo.source == str(folder / one)
    with pytest.raises(PictureError, match=r"photo\.heic: Expected a picture that Pillow can open"):
        golden_inputs(network.input, tmp_path / "photo-heic")


@pytest.mark.parametrize(("name", "reason"), [("empty", "has none"), ("nowhere", "is no folder")])
def test_a_folder_without_photos_is_explained(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CalibrationError, match=f"Expected a folder with photos.*{reason}"):
        find_photos(tmp_path / name)


def test_the_ranges_are_the_extremes_over_all_photos(photos: Path, network: Network) -> None:
    model = parser.parse_model(GRAPH)
    ranges = measure_ranges(model, network, find_photos(photos))
    assert sorted(ranges) == ["b", "r", "s", "x"]
    assert set(ranges) == {
        name for unit in find_units(model) for name in (*unit.inputs, unit.output)
    }
    inputs = []
    for path in find_photos(photos):
        with Image.open(path) as image:
            inputs.append(preprocess(np.asarray(image.convert("RGB")), network.input))
    signals = [np.einsum("bchw,c->bhw", x, [0.5, -0.25, 1.0]).clip(0) for x in inputs]
    highest = max(signal.max() for signal in signals)
    assert ranges["x"] == pytest.approx(
        (min(x.min() for x in inputs), max(x.max() for x in inputs)), rel=1e-5
    )
    assert ranges["r"] == pytest.approx((0, highest), rel=1e-5)
    assert ranges["b"] == pytest.approx((-2 * highest, 0), rel=1e-5)


def test_a_damaged_photo_is_named(photos: Path, network: Network) -> None:
    (photos / "aa.jpg").write_bytes((photos / "a.jpg").read_bytes()[:600])
    with pytest.raises(PictureError, match=r"aa\.jpg: Expected a whole picture"):
        measure_ranges(parser.parse_model(GRAPH), network, find_photos(photos))


def test_a_network_without_finite_numbers_is_refused(photos: Path, network: Network) -> None:
    broken = parser.parse_model(GRAPH.replace("{-2.0}", "{-3.4e38}"))
    broken.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.full((1, 3, 1, 1), 1e3, np.float32), "weight")
    )
    assert onnxruntime.InferenceSession(broken.SerializeToString())
    with pytest.raises(CalibrationError, match=r"Expected finite numbers.*received others in 'b'"):
        measure_ranges(broken, network, find_photos(photos))


def test_a_network_that_int8_can_do_nothing_for_is_refused(photos: Path, network: Network) -> None:
    model = parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,320,320] x) => (float[1,3,320,320] matte) { [sigmoid] matte = Sigmoid (x) }
    """)
    with pytest.raises(CalibrationError, match="Expected operators that can be run in int8"):
        measure_ranges(model, network, find_photos(photos))


def test_a_place_that_cannot_be_written_to_is_explained(tmp_path: Path, network: Network) -> None:
    (tmp_path / "README.md").write_text("a file")
    with pytest.raises(CalibrationError, match=r"README\.md: .*Choose another one with --out"):
        write_calibration(calibration_of(network), tmp_path / "README.md")


def test_the_place_is_tried_before_anything_is_measured(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.calibrate.calibrate_network", pytest.fail)
    place = photos / "SOURCES.md"
    assert main(["calibrate", "u2netp", "--calibration", str(photos), "--out", str(place)]) == 1
    assert "Expected a folder that can be written to for the ranges" in capsys.readouterr().err


def test_what_is_written_is_read(tmp_path: Path, network: Network) -> None:
    calibration = calibration_of(network)
    path = write_calibration(calibration, tmp_path / "new")
    assert [one.name for one in path.parent.iterdir()] == ["u2netp.json"]
    assert read_calibration(network, tmp_path / "new") == calibration
    assert calibration.storage == Storage(("two",), ("one",))
    # One tensor a line: a change of one range is a change of one line.
    assert '\n    "r": [0.0, 3.25]\n' in path.read_text()


def test_missing_ranges_say_how_to_measure(tmp_path: Path, network: Network) -> None:
    with pytest.raises(CalibrationError, match="Run: gossamer calibrate u2netp --calibration"):
        read_calibration(network, tmp_path)


def test_ranges_of_other_weights_are_refused(tmp_path: Path, network: Network) -> None:
    write_calibration(replace(calibration_of(network), source_sha256="0" * 64), tmp_path)
    with pytest.raises(CalibrationError, match="weights 309c846925, received those of 0000000000"):
        read_calibration(network, tmp_path)


@pytest.mark.parametrize(
    "change", [{"format": 9}, {"ranges": {"x": [1]}}, {"budget": None, "surplus": 1}, {"photos": 1}]
)
def test_a_damaged_file_is_refused(tmp_path: Path, network: Network, change: object) -> None:
    path = write_calibration(calibration_of(network), tmp_path)
    assert isinstance(change, dict)
    values = json.loads(path.read_text())
    if "photos" in change:
        del values["photos"]
    else:
        values.update(change)
    path.write_text(json.dumps(values))
    with pytest.raises(CalibrationError, match="Run: gossamer calibrate u2netp"):
        read_calibration(network, tmp_path)


def test_the_committed_ranges_belong_to_the_catalog() -> None:
    names = [path.stem for path in sorted(CALIBRATIONS.glob("*.json"))]
    assert "u2netp" in names
    for name in names:
        calibration = read_calibration(find_network(name))
        assert calibration.network == name
        assert calibration.difference <= calibration.budget.difference
        assert calibration.float_work <= calibration.budget.most_float_work
        assert calibration.budget == find_network(name).int8
        assert calibration.sizes[-1].bytes <= calibration.budget.most_bytes
        assert {row.operator for row in calibration.sensitivity} >= {"Add", "Concat", "Conv"}
        assert set(calibration.float_units) <= {row.unit for row in calibration.sensitivity}
