"""The networks of a built site: their files, and what our own engine does with them."""

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from exporter import site_models
from exporter.catalog import find_network, load_specification
from exporter.errors import PassError, SiteError
from exporter.exported import exported_file
from exporter.origins import fetch
from exporter.ort_web import RUNTIME_FILES
from exporter.self_test import GRID
from exporter.site import SiteChoices
from exporter.site_models import add_model
from exporter.winograd.plan import plan_of
from tests.unit.exporter.built_site import build_constant, sha256
from tests.unit.exporter.graphs import graph_of, specification
from tests.unit.exporter.sketches import Sketch


def levels(golden: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(golden), np.uint8).reshape(GRID, GRID)


def test_build_names_every_artefact_as_it_lies_there(site_dir: Path) -> None:
    build = build_constant(site_dir)
    (model,) = build["models"]
    assert model["input"]["height"] == model["output"]["height"] == 320
    assert build["defaultModel"] == model["name"] == "u2netp"
    kinds = [(artefact["backend"], artefact["precision"]) for artefact in model["artefacts"]]
    assert kinds == [("webgpu", "fp16"), ("webgpu", "fp32"), ("wasm", "fp32")]
    for artefact in model["artefacts"]:
        path = site_dir / artefact["path"]
        name = rf"u2netp\.{artefact['backend']}\.{artefact['precision']}\.[0-9a-f]{{10}}\.onnx"
        assert re.fullmatch(name, path.name)
        assert (artefact["sha256"], artefact["bytes"]) == (sha256(path), path.stat().st_size)
        assert np.ptp(levels(artefact["golden"])) > 128  # a subject and a background


def test_build_names_every_network(two_network_site_dir: Path) -> None:
    build = build_constant(two_network_site_dir)
    assert build["defaultModel"] == "u2netp"
    assert [model["name"] for model in build["models"]] == ["u2netp", "modnet"]
    assert [model["agreement"] for model in build["models"]] == [None, 0.95]
    u2netp, modnet = build["models"]
    artefacts = [artefact for model in (u2netp, modnet) for artefact in model["artefacts"]]
    assert {artefact["path"] for artefact in artefacts} == {
        path.relative_to(two_network_site_dir).as_posix()
        for path in (two_network_site_dir / "models").iterdir()
    }


def test_a_site_ships_the_chosen_backends_and_size(small_site_dir: Path) -> None:
    for model in build_constant(small_site_dir)["models"]:
        assert {artefact["backend"] for artefact in model["artefacts"]} == set(RUNTIME_FILES)
        assert (model["input"]["height"], model["output"]["width"]) == (64, 64)
        answers = [levels(artefact["golden"]).astype(int) for artefact in model["artefacts"]]
        for other in answers[1:]:  # half precision included
            assert np.abs(answers[0] - other).max() <= 4


@pytest.mark.parametrize("backends", [(), ("webgpu",), ("wasm", "cuda")])
def test_a_choice_without_wasm_or_with_something_unknown_is_refused(
    backends: tuple[str, ...],
) -> None:
    with pytest.raises(SiteError, match="Expected wasm, which every device can fall back to"):
        SiteChoices(backends=backends)


def test_every_network_keeps_its_own_preprocessing(two_network_site_dir: Path) -> None:
    u2netp, modnet = build_constant(two_network_site_dir)["models"]
    assert modnet["input"] == {
        "name": "input",
        "height": 512,
        "width": 512,
        "scale": "unit",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    }
    assert modnet["output"] == {"name": "output", "height": 512, "width": 512, "normalise": "none"}
    assert (u2netp["input"]["height"], u2netp["input"]["scale"]) == (320, "max")
    assert u2netp["output"]["normalise"] == "minmax"


def test_a_network_that_half_precision_does_not_fit_computes_in_float_on_webgpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, spec = tmp_path / "own.onnx", tmp_path / "own.toml"
    model = graph_of(
        """
        net (float[1,3,64,64] x) => (float[1,1,64,64] matte)
        <float[1,3,1,1] w = {9.0, -9.0, 0.0}, float none_in_16_bits = {0.00000001}>
        { low = Conv (x, w)
          small = Mul (low, none_in_16_bits)
          logits = Div (small, none_in_16_bits)
          matte = Sigmoid (logits) }
        """
    )
    onnx.save(model, published)
    spec.write_text(specification(64, 64, "none"))
    network = load_specification(spec, published)
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "cache"))
    fetch(network.part, local=published)
    told: list[str] = []
    entry = add_model(tmp_path, network, SiteChoices(), lambda line, *_: told.append(line))
    kinds = [(artefact["backend"], artefact["precision"]) for artefact in entry["artefacts"]]
    assert kinds == [("webgpu", "fp32"), ("wasm", "fp32")]
    (line,) = [line for line in told if "half_precision: Expected" in line]
    assert line.startswith("own: WebGPU computes in float32 alone.")


# ---- our own engine ------------------------------------------------------------------------------


def test_build_names_our_own_engine_and_what_it_does_with_each_network(
    two_network_site_dir: Path,
) -> None:
    build = build_constant(two_network_site_dir)
    kernels = [two_network_site_dir / path for path in build["winograd"].values()]
    assert [kernel.read_bytes()[:4] for kernel in kernels] == [b"\0asm", b"\0asm"]
    u2netp, modnet = (
        next(one for one in model["artefacts"] if one["backend"] == "wasm")
        for model in build["models"]
    )
    for artefact, precision, side_px in ((u2netp, "fp32", 224), (modnet, "int8", 256)):
        plan = (two_network_site_dir / artefact["plan"]["path"]).read_bytes()
        network = find_network(artefact["path"].split("/")[1].split(".")[0])
        small = exported_file(network, precision=precision, size=(side_px, side_px)).read_bytes()
        assert plan == plan_of((two_network_site_dir / artefact["path"]).read_bytes(), small=small)
        assert np.ptp(levels(artefact["plan"]["golden"])) > 128
    assert (u2netp["plan"]["wider"], modnet["plan"]["wider"]) == (True, False)
    plans = [artefact["plan"]["path"] for artefact in (u2netp, modnet)]
    named = {*build["winograd"].values(), build["lanczos"], *plans}
    assert {path.name for path in (two_network_site_dir / "wasm").iterdir()} == {
        Path(path).name for path in named
    }


def artefact_in(folder: Path, choices: SiteChoices) -> dict[str, Any]:
    """What a site that is built there says of its only file of U2-Net-P."""
    entry = add_model(folder, find_network("u2netp"), choices, lambda *_: None)
    (artefact,) = entry["artefacts"]
    return artefact


def test_a_network_in_int8_has_its_wider_look(tmp_path: Path) -> None:
    artefact = artefact_in(tmp_path, SiteChoices(("wasm",), precision="int8"))
    assert (artefact["precision"], artefact["plan"]["wider"]) == ("int8", True)
    assert artefact["bytes"] < 1_500_000
    assert np.ptp(levels(artefact["plan"]["golden"])) > 128


def test_a_large_picture_of_another_size_is_proven_by_half_of_it(tmp_path: Path) -> None:
    artefact = artefact_in(tmp_path, SiteChoices(("wasm",), size=(128, 192)))
    assert np.ptp(levels(artefact["plan"]["golden"])) > 128
    assert artefact["plan"]["wider"] is False  # nobody has measured one of this size
    numbers = np.frombuffer((tmp_path / artefact["plan"]["path"]).read_bytes(), "<i4")
    small_at = numbers[11] // 4
    assert [numbers[at + 7 : at + 9].tolist() for at in (0, small_at)] == [[128, 192], [64, 96]]


def test_a_size_whose_half_is_rounded_up_is_proven_by_it(tmp_path: Path) -> None:
    """U2-Net-P halves a picture five times: 80 px have halves down to 5 px, and then 3."""
    artefact = artefact_in(tmp_path, SiteChoices(("wasm",), size=(160, 128)))
    assert artefact["plan"]["golden"] != artefact["golden"]
    numbers = np.frombuffer((tmp_path / artefact["plan"]["path"]).read_bytes(), "<i4")
    assert numbers[numbers[11] // 4 + 7 :][:2].tolist() == [80, 64]


def test_a_small_picture_is_proven_as_it_is(quick_site_dir: Path) -> None:
    (artefact,) = build_constant(quick_site_dir)["models"][0]["artefacts"]
    assert artefact["plan"]["golden"] == artefact["golden"]
    assert np.frombuffer((quick_site_dir / artefact["plan"]["path"]).read_bytes(), "<i4")[11] == 0


def plan_on_a_site(
    sketch: Sketch, last: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[bytes | None, bytes]:
    """Of a network of one's own: the plan that a site has of it, and its file there."""
    model = onnx.ModelProto.FromString(sketch.file(last))
    shape = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, (1, 1, *sketch.size))
    model.graph.output[0].type.CopyFrom(shape)
    published, spec = folder / "own.onnx", folder / "own.toml"
    published.write_bytes(model.SerializeToString())
    spec.write_text(specification(*sketch.size, "none"))
    network = load_specification(spec, published)
    monkeypatch.setenv("GOSSAMER_CACHE", str(folder / "cache"))
    monkeypatch.setattr(site_models, "find_network", lambda _: network)
    fetch(network.part, local=published)
    entry = add_model(folder, network, SiteChoices(("wasm",)), lambda *_: None)
    (artefact,) = entry["artefacts"]
    plan = artefact["plan"]
    return plan and (folder / plan["path"]).read_bytes(), (folder / artefact["path"]).read_bytes()


def test_a_network_that_answers_in_one_size_only_has_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its half, which nobody has asked for, answers in another size than it should."""
    sketch = Sketch(128, 128)
    half = sketch.node("Relu", sketch.conv("picture", 3, 8, strides=[2, 2]))
    last = sketch.resize(sketch.conv(half, 8, 1), 1, 128, 128)
    plan, file = plan_on_a_site(sketch, last, tmp_path, monkeypatch)
    assert plan is not None
    assert plan == plan_of(file)


def test_a_plan_that_is_right_is_not_lost_with_that_for_a_smaller_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketch = Sketch(128, 128)
    last = sketch.conv(sketch.node("Relu", sketch.conv("picture", 3, 8)), 8, 1)
    proven: list[bool] = []

    def check(plan: bytes, *given: object, small: bytes | None = None) -> None:
        proven.append(small is None)
        if small is not None:
            raise PassError("winograd: wrong for a smaller picture")

    monkeypatch.setattr(site_models, "check_plan_once", check)
    plan, file = plan_on_a_site(sketch, last, tmp_path, monkeypatch)
    assert plan == plan_of(file)
    assert proven == [True, False, True]
