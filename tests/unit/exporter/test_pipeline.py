"""Exports for real: U2-Net-P on photographs, and small networks for what can go wrong."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import parser
from PIL import Image
from skimage import data

from exporter.catalog import InputSpec, Network, OutputSpec, Part, find_network
from exporter.cli import main
from exporter.errors import ExporterError, FetchError, PassError, SourceError
from exporter.exported import exported_file
from exporter.origins import fetch
from exporter.passes import simplify
from exporter.pipeline import BACKENDS, Artefact, export_network, format_artefact
from exporter.verify import Difference, compare, sample_inputs

SMALL = """
    <ir_version: 6, opset_import: ["" : 11]>
    net (float[batch,3,height,width] x)
        => (float[batch,1,height,width] matte, float[batch,3,height,width] side)
    <float[1,3,1,1] weight = {0.5, -0.25, 1.0}>
    {
        half = MaxPool <kernel_shape = [2,2], strides = [2,2], ceil_mode = 1> (x)
        low = Conv (half, weight)
        scales = Constant <value = float[4] {1.0, 1.0, 2.0, 2.0}> ()
        empty = Constant <value = float[0] {}> ()
        high = Resize <mode = "linear"> (low, empty, scales)
        matte = Sigmoid (high)
        side = Tanh (x)
    }
"""


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    onnx.save(parser.parse_model(SMALL), path)
    return path


def pinned(path: Path, *, side: int = 64, output: str = "matte") -> Network:
    """A catalog entry for that file."""
    contents = path.read_bytes()
    return Network(
        name="small",
        title="Small",
        part=Part(
            name="small",
            version="1",
            sha256=hashlib.sha256(contents).hexdigest(),
            bytes=len(contents),
            licence="Apache-2.0",
            source="https://example.org",
            origins=(),
        ),
        input=InputSpec("x", side, side, "unit", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        output=OutputSpec(output, "none"),
    )


def matte_of(path: Path, picture: np.ndarray, network: Network) -> np.ndarray:
    """An independent run: Pillow's resize, ONNX Runtime, the first output."""
    spec = network.input
    resized = Image.fromarray(picture).resize((spec.width, spec.height), Image.Resampling.LANCZOS)
    rgb_hwc = np.asarray(resized, np.float32)
    rgb_hwc = (rgb_hwc / rgb_hwc.max() - np.array(spec.mean)) / np.array(spec.std)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    input_nchw = rgb_hwc.transpose(2, 0, 1)[None].astype(np.float32)
    matte: np.ndarray = session.run([network.output.name], {spec.name: input_nchw})[0]
    return matte


# ---- U2-Net-P ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def u2netp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Artefact]:
    yield export_network(find_network("u2netp"), out_dir=tmp_path_factory.mktemp("models"))


def test_the_file_is_named_after_its_contents(u2netp: Artefact) -> None:
    contents = u2netp.path.read_bytes()
    assert hashlib.sha256(contents).hexdigest() == u2netp.sha256
    assert len(contents) == u2netp.bytes
    assert u2netp.path.name == f"u2netp.wasm.fp32.{u2netp.sha256[:10]}.onnx"
    assert [path.name for path in u2netp.path.parent.iterdir()] == [u2netp.path.name]


def test_the_graph_is_what_the_web_runtime_wants(u2netp: Artefact) -> None:
    model = onnx.load(u2netp.path)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [17]
    assert [value.name for value in model.graph.output] == ["1959"]
    for value in [*model.graph.input, *model.graph.output]:
        assert [d.dim_value for d in value.type.tensor_type.shape.dim][2:] == [320, 320]
    left = {node.op_type for node in model.graph.node}
    assert left == {"Add", "Concat", "Constant", "Conv", "MaxPool", "Relu", "Resize", "Sigmoid"}
    for node in model.graph.node:
        assert not any(a.name == "ceil_mode" and a.i == 1 for a in node.attribute)


@pytest.mark.parametrize("photo", ["chelsea", "rocket"])
def test_it_computes_what_the_published_network_does(u2netp: Artefact, photo: str) -> None:
    """Photographs that the pipeline's own check does not use."""
    picture = getattr(data, photo)()
    published = matte_of(fetch(u2netp.network.part), picture, u2netp.network)
    exported = matte_of(u2netp.path, picture, u2netp.network)
    assert published.max() > 0.9
    assert published.min() < 0.01
    assert np.abs(exported - published).max() <= 4e-5


def test_every_pass_was_measured(u2netp: Artefact) -> None:
    source, *passes = u2netp.steps
    assert (source.name, source.nodes, source.opset) == ("source", 1055, 11)
    names = list(BACKENDS["wasm"])
    assert [step.name for step in passes] == names
    assert passes[0].nodes == source.nodes - 6
    assert passes[2].nodes < source.nodes / 2
    assert all(step.difference.max <= 4e-5 for step in passes)
    rows = format_artefact(u2netp).splitlines()
    assert [row.split()[0] for row in rows[1:-1]] == ["source", *names]
    assert u2netp.sha256 in rows[-1]


@pytest.mark.soak
def test_another_process_writes_the_same_bytes(u2netp: Artefact, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.modules['skimage'] = None\n"
        "from exporter.catalog import find_network; from exporter.pipeline import export_network\n"
        "export_network(find_network('u2netp'), out_dir=Path(sys.argv[1]))\n"
    )
    # Another order of sets, and the drawn pictures of machines without photographs.
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        check=True,
        timeout=240,
    )
    assert (tmp_path / u2netp.path.name).read_bytes() == u2netp.path.read_bytes()


# ---- any network ---------------------------------------------------------------------------------


def test_a_dynamic_network_from_a_local_file(
    own_cache: Path, small_file: Path, tmp_path: Path
) -> None:
    network = pinned(small_file)
    artefact = export_network(network, out_dir=tmp_path / "out", local=small_file)
    picture = data.astronaut()
    difference = np.abs(
        matte_of(artefact.path, picture, network) - matte_of(small_file, picture, network)
    )
    assert difference.max() <= 4e-5


def test_a_size_that_does_not_fit_is_explained(
    own_cache: Path, small_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"63, 63\), received \(1, 1, 64, 64\). Choose another"):
        export_network(pinned(small_file, side=63), out_dir=tmp_path / "out", local=small_file)
    assert not (tmp_path / "out").exists()


def test_a_pass_that_changes_the_output_is_caught(
    own_cache: Path, small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = simplify.apply

    def slightly_wrong(model: onnx.ModelProto) -> onnx.ModelProto:
        damaged = right(model)
        weight = onnx.numpy_helper.to_array(damaged.graph.initializer[0])
        name = damaged.graph.initializer[0].name
        changed = onnx.numpy_helper.from_array(np.float32(1.001) * weight, name)
        damaged.graph.initializer[0].CopyFrom(changed)
        return damaged

    monkeypatch.setattr(simplify, "apply", slightly_wrong)
    with pytest.raises(PassError, match=r"simplify: Expected the output .*differences of [\d.e-]+"):
        export_network(pinned(small_file), out_dir=tmp_path / "out", local=small_file)
    assert not (tmp_path / "out").exists()


ROUNDED_UP = """
    <ir_version: 6, opset_import: ["" : 11]>
    net (float[1,3,45,45] x) => (float[1,1,45,45] matte)
    <float[1,3,1,1] weight = {0.5, -0.25, 1.0}, int64[4] sizes = {1, 1, 45, 45}>
    {
        half = MaxPool <kernel_shape = [2,2], strides = [2,2], ceil_mode = 1> (x)
        low = Conv (half, weight)
        empty = Constant <value = float[0] {}> ()
        high = Resize <mode = "linear"> (low, empty, empty, sizes)
        matte = Sigmoid (high)
    }
"""


def test_wasm_rounds_sizes_up_where_the_network_does(own_cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.onnx"
    onnx.save(parser.parse_model(ROUNDED_UP), path)
    network = pinned(path, side=45)
    artefact = export_network(network, out_dir=tmp_path / "out", local=path)
    picture = data.astronaut()
    difference = matte_of(artefact.path, picture, network) - matte_of(path, picture, network)
    assert np.abs(difference).max() <= 4e-5
    with pytest.raises(PassError, match=r"received 45x45.*WASM alone"):
        export_network(network, backend="webgpu", out_dir=tmp_path / "out", local=path)


LARGE = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,64,64] x) => (float[1,1,64,64] matte)
    <float[1,3,1,1] weight = {700.3, -300.1, 900.7}, float factor = {FACTOR}>
    { high = Conv (x, weight)  matte = Div (high, factor) }
"""


def test_what_is_stretched_is_compared_in_its_range(own_cache: Path, tmp_path: Path) -> None:
    """In half precision 700.3 is 700.5."""
    path = tmp_path / "large.onnx"
    onnx.save(parser.parse_model(LARGE.replace("FACTOR", "1.0")), path)
    network = replace(pinned(path), output=OutputSpec("matte", "minmax"))
    given = {"backend": "webgpu", "precision": "fp16", "local": path, "out_dir": tmp_path / "out"}
    assert 0 < export_network(network, **given).steps[-1].difference.mean < 0.001


def test_what_does_not_fit_into_half_precision_is_explained(
    own_cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "larger.onnx"
    onnx.save(parser.parse_model(LARGE.replace("FACTOR", "0.00000001")), path)
    network = replace(pinned(path), output=OutputSpec("matte", "minmax"))
    given = {"backend": "webgpu", "precision": "fp16", "local": path, "out_dir": tmp_path / "out"}
    with pytest.raises(PassError, match=r"a difference of inf.*export it with --precision fp32"):
        export_network(network, **given)


def test_a_failed_write_leaves_nothing(
    own_cache: Path, small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_dir = tmp_path / "out"
    path = export_network(pinned(small_file), out_dir=out_dir, local=small_file).path
    path.unlink()
    # A folder in the place of the file: the rename, the last step of all, must fail.
    (path / "in the way").mkdir(parents=True)
    with pytest.raises(ExporterError, match="Expected a folder that can be written to"):
        export_network(pinned(small_file), out_dir=out_dir, local=small_file)
    assert [one.name for one in out_dir.iterdir()] == [path.name]


def test_a_cache_that_cannot_be_written_to_is_explained(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSSAMER_CACHE", str(small_file / "cache"))
    with pytest.raises(ExporterError, match=r"^small: Expected a cache folder.*GOSSAMER_CACHE"):
        exported_file(pinned(small_file), local=small_file)


def test_shapes_that_contradict_each_other_are_explained(own_cache: Path, tmp_path: Path) -> None:
    """ONNX Runtime only warns of the output's."""
    wrong = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,64,64] x) => (float[1,1,32,32] matte) <float[1,3,1,1] w = {0.2, 0.1, 0.3}>
        { low = Conv (x, w)  matte = Sigmoid (low) }
    """
    path = tmp_path / "wrong.onnx"
    onnx.save(parser.parse_model(wrong), path)
    with pytest.raises(SourceError, match=r"^small: Expected an ONNX file whose shapes fit"):
        export_network(pinned(path), out_dir=tmp_path / "out", local=path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["x.wrong", "wrong"])
def test_the_wrong_output_name_is_explained(
    own_cache: Path, small_file: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ExporterError, match=f"the output '{re.escape(name)}', as models/catalog"):
        export_network(pinned(small_file, output=name), out_dir=tmp_path, local=small_file)


def test_a_file_that_is_no_network_is_named(own_cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.onnx"
    path.write_bytes(b"<html>Please sign in</html>")
    with pytest.raises(ExporterError, match="small: Expected an ONNX file"):
        export_network(pinned(path), out_dir=tmp_path / "out", local=path)


def test_another_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExporterError, match="one of wasm, webgl, webgpu, received webnn"):
        export_network(find_network("u2netp"), backend="webnn", out_dir=tmp_path)


def test_other_weights_are_refused(own_cache: Path, small_file: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="For other weights add an entry"):
        export_network(find_network("u2netp"), out_dir=tmp_path, local=small_file)


# ---- the comparison ------------------------------------------------------------------------------


def test_compare_measures_the_largest_and_the_mean() -> None:
    expected, received = np.zeros((1, 1, 2, 2), np.float32), np.zeros((1, 1, 2, 2), np.float32)
    received[0, 0, 1, 0] = -0.5
    assert compare([expected], [received]) == Difference(max=0.5, mean=0.125)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_compare_never_calls_a_missing_number_equal(value: float) -> None:
    broken = np.full((1, 1, 2, 2), value, np.float32)
    assert compare([broken], [broken]).max == np.inf


def test_compare_never_calls_another_shape_equal() -> None:
    one, other = np.zeros((1, 1, 2, 2), np.float32), np.zeros((1, 1, 1, 1), np.float32)
    assert compare([one], [other]).max == np.inf


def test_the_sample_inputs_have_the_published_range() -> None:
    spec = find_network("u2netp").input
    low = (0 - np.array(spec.mean)) / np.array(spec.std)
    high = (1 - np.array(spec.mean)) / np.array(spec.std)
    for input_nchw in sample_inputs(spec):
        assert input_nchw.shape == (1, 3, 320, 320)
        assert input_nchw.dtype == np.float32
        assert (input_nchw.min((0, 2, 3)) >= low - 1e-5).all()
        assert (input_nchw.max((0, 2, 3)) <= high + 1e-5).all()
        # Red, green and blue of a coloured picture, not one channel three times.
        assert np.abs(input_nchw[0, 0] - input_nchw[0, 2]).mean() > 0.1


# ---- the command ---------------------------------------------------------------------------------


def test_gossamer_export_prints_the_table(
    u2netp: Artefact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = fetch(u2netp.network.part)
    arguments = ["export", "u2netp", "--weights", str(weights), "--out", str(tmp_path)]
    assert main(arguments) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["nodes", "opset", "bytes", "max", "diff", "mean", "diff", "ms"]
    assert table[1].split()[:4] == ["source", "1055", "11", "4,574,861"]
    assert str(tmp_path / u2netp.path.name) in table[-1]


@pytest.mark.soak  # test_backend_passes.py has their passes
def test_gossamer_export_makes_a_file_for_each_backend(tmp_path: Path) -> None:
    backends = ["wasm", "webgl", "webgpu"]
    arguments = ["export", "modnet", "--size", "64", "--out", str(tmp_path), "--backend", *backends]
    assert main(arguments) == 0
    models = {path.name.split(".")[1]: onnx.load(path) for path in tmp_path.iterdir()}
    assert sorted(models) == backends
    left = {name: {node.op_type for node in model.graph.node} for name, model in models.items()}
    assert left["webgl"] & {"BatchNormalization", "Constant", "Expand"} == set()
    assert "AveragePool" in left["webgl"] - left["wasm"]
    assert "ConstantOfShape" in left["webgpu"] - left["wasm"]
    for model in models.values():
        onnx.checker.check_model(model, full_check=True)
        shape = model.graph.input[0].type.tensor_type.shape
        assert [dimension.dim_value for dimension in shape.dim] == [1, 3, 64, 64]


def test_gossamer_export_for_a_height_and_a_width(tmp_path: Path) -> None:
    assert main(["export", "modnet", "--size", "64x96", "--out", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    shape = onnx.load(path).graph.input[0].type.tensor_type.shape
    assert [dimension.dim_value for dimension in shape.dim] == [1, 3, 64, 96]


@pytest.mark.parametrize("size", ["0", "64x", "x64", "64x-1", "wide"])
def test_gossamer_export_refuses_what_is_no_size(
    size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["export", "modnet", "--size", size])
    assert f"--size: Expected N or HEIGHTxWIDTH in whole pixels, received '{size}'" in (
        capsys.readouterr().err
    )


def test_a_size_that_does_not_halve_evenly_is_refused(tmp_path: Path) -> None:
    network = find_network("u2netp")
    with pytest.raises(PassError, match=r"stride of 2 divides evenly.*Choose another input size"):
        export_network(network, backend="webgl", size=(72, 72), out_dir=tmp_path)


def test_gossamer_models_lists_what_is_cached(
    u2netp: Artefact, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["u2netp", "U2-Net-P", "4,574,861", "309c846925", "Apache-2.0", "yes"] in rows


def test_gossamer_explains_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "u2nett"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gossamer: catalog.toml: Expected one of u2netp, ")
