"""Networks of one's own: what a specification may leave out, and an error for each mistake."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, parser
from skimage import data

from exporter import catalog
from exporter.catalog import Network, find_network, load_specification
from exporter.cli import main
from exporter.errors import CatalogError, ExporterError, FetchError, SourceError, VerifyError
from exporter.finder import FindSettings, exported_networks
from exporter.native import NativeNetwork
from exporter.pipeline import export_network
from exporter.source import read_source
from exporter.verification.subject import read_model
from tests.unit.exporter.graphs import specification

# Two inputs of a Sigmoid that a half-finished export leaves out, and a side output.
LOGITS = """
    <ir_version: 7, opset_import: ["" : 13]>
    mine (float[1,3,height,width] picture)
        => (float[1,1,height,width] logits, float[1,3,height,width] side)
    <float[1,3,1,1] weight = {1.5, -0.75, 2.0}>
    {
        [head] logits = Conv (picture, weight)
        side = Tanh (logits)
    }
"""

SPECIFICATION = specification(64, 48, "sigmoid")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "cache"))


def save(tmp_path: Path, model: onnx.ModelProto | str = LOGITS) -> Path:
    path = tmp_path / "My Network_2.onnx"
    onnx.save(parser.parse_model(model) if isinstance(model, str) else model, path)
    return path


def specify(tmp_path: Path, weights: Path, text: str = SPECIFICATION) -> Network:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return load_specification(path, weights)


def source_of(tmp_path: Path, model: onnx.ModelProto | str, text: str = SPECIFICATION) -> None:
    weights = save(tmp_path, model)
    read_source(specify(tmp_path, weights, text), local=weights)


# ---- a network of one's own ----------------------------------------------------------------------


def test_the_smallest_specification_is_enough(tmp_path: Path) -> None:
    """No names and no Sigmoid: the artefact has both, and computes what was meant."""
    weights = save(tmp_path)
    network = specify(tmp_path, weights)
    assert (network.name, network.title) == ("my-network-2", "My Network_2")
    artefact = export_network(network, out_dir=tmp_path / "out", local=weights)
    assert re.fullmatch(r"my-network-2\.wasm\.fp32\.[0-9a-f]{10}\.onnx", artefact.path.name)

    model = onnx.load(artefact.path)
    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["input"]
    assert [value.name for value in model.graph.output] == ["matte"]

    picture = np.random.default_rng(3).normal(size=(1, 3, 64, 48)).astype(np.float32)
    published = onnxruntime.InferenceSession(weights, providers=["CPUExecutionProvider"])
    (logits,) = published.run(["logits"], {"picture": picture})
    exported = onnxruntime.InferenceSession(artefact.path, providers=["CPUExecutionProvider"])
    (matte,) = exported.run(["matte"], {"input": picture})
    assert np.abs(matte - 1 / (1 + np.exp(-logits.astype(float)))).max() < 1e-6
    assert np.ptp(matte) > 0.9


def test_names_that_are_given_are_kept(tmp_path: Path) -> None:
    text = SPECIFICATION.replace("[input]", "title = 'Mine'\n[input]\nname = 'picture'")
    weights = save(tmp_path)
    network = specify(tmp_path, weights, text.replace("[output]", "[output]\nname = 'logits'"))
    assert network.title == "Mine"
    artefact = export_network(network, out_dir=tmp_path / "out", local=weights)
    graph = onnx.load(artefact.path).graph
    assert [value.name for value in [*graph.input, *graph.output]] == ["picture", "logits"]
    assert sorted(node.op_type for node in graph.node) == ["Conv", "Sigmoid"]


def test_the_source_and_the_artefact_give_the_same_matte(tmp_path: Path) -> None:
    weights = save(tmp_path)
    network = specify(tmp_path, weights)
    artefact = export_network(network, out_dir=tmp_path / "out", local=weights)
    mattes = [
        NativeNetwork(network, model).matte(data.astronaut())
        for model in (read_source(network, local=weights), artefact.path)
    ]
    assert mattes[0].shape == (64, 48)
    assert np.abs(mattes[0] - mattes[1]).max() < 1e-6


PUBLISHED = "published = { height = 64, width = 48 }\n"


def test_a_network_is_run_at_another_size_than_it_was_published_for(tmp_path: Path) -> None:
    model = parser.parse_model(LOGITS.replace("height,width", "64,48"))
    weights = save(tmp_path, model)
    text = SPECIFICATION.replace(
        "height = 64\nwidth = 48\n", f"height = 32\nwidth = 80\n{PUBLISHED}"
    )
    network = specify(tmp_path, weights, text)
    artefact = export_network(network, out_dir=tmp_path / "out", local=weights)
    for each in (read_source(network, local=weights), onnx.load(artefact.path)):
        shape = each.graph.input[0].type.tensor_type.shape
        assert [one.dim_value for one in shape.dim] == [1, 3, 32, 80]
        assert NativeNetwork(network, each).matte(data.astronaut()).shape == (32, 80)


def test_the_published_size_is_that_of_the_file(tmp_path: Path) -> None:
    wrong = SPECIFICATION.replace("scale =", f"{PUBLISHED.replace('48', '49')}scale =")
    with pytest.raises(SourceError, match="Expected an input of float 1x3x64x49"):
        source_of(tmp_path, LOGITS.replace("height,width", "64,48"), wrong)


def test_functions_of_newer_exporters_are_opened(tmp_path: Path) -> None:
    model = parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[1,3,64,48] x) => (float[1,1,64,48] y) <float[1,3,1,1] w = {1.0, 0.5, 0.25}>
        { y = mine.Head (x, w) }
        <opset_import: ["" : 17], domain: "mine">
        Head (a, b) => (c) { c = Conv (a, b) }
        """
    )
    weights = save(tmp_path, model)
    artefact = export_network(specify(tmp_path, weights), out_dir=tmp_path / "out", local=weights)
    assert [node.op_type for node in onnx.load(artefact.path).graph.node] == ["Conv", "Sigmoid"]


def test_other_weights_do_not_take_a_name_of_the_catalogue(tmp_path: Path) -> None:
    """`gossamer calibrate` would overwrite what is committed of that network."""
    weights = save(tmp_path).rename(tmp_path / "U2NetP.onnx")
    network = specify(tmp_path, weights)
    assert network.name == f"u2netp-{network.part.sha256[:10]}"


def test_the_weights_of_the_catalogue_keep_their_name(tmp_path: Path) -> None:
    published = find_network("u2netp")
    weights = save(tmp_path).rename(tmp_path / "u2netp.onnx")
    own = specify(tmp_path, weights)
    known = {"u2netp": replace(published, part=replace(published.part, sha256=own.part.sha256))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "load_networks", lambda: known)
        assert specify(tmp_path, weights).name == "u2netp"


def test_names_in_other_scripts_differ(tmp_path: Path) -> None:
    names = set()
    for stem in ("日本", "中国"):
        weights = save(tmp_path).rename(tmp_path / f"{stem}.onnx")
        names.add(specify(tmp_path, weights).name)
    assert len(names) == 2
    assert all(re.fullmatch(r"network-[0-9a-f]{10}", name) for name in names)


# ---- one error for each mistake ------------------------------------------------------------------


@pytest.mark.parametrize("contents", [b"", b"<html>Please sign in</html>", b"\x08\x07"])
def test_a_file_that_is_no_network(tmp_path: Path, contents: bytes) -> None:
    weights = tmp_path / "page.onnx"
    weights.write_bytes(contents)
    network = specify(tmp_path, weights)
    with pytest.raises(SourceError, match=r"^page: Expected an ONNX file.*page\.onnx"):
        read_source(network, local=weights)


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    weights = save(tmp_path)
    weights.write_bytes(weights.read_bytes()[:-20])
    with pytest.raises(SourceError, match="Expected an ONNX file with its weights inside"):
        read_source(specify(tmp_path, weights), local=weights)


@pytest.mark.parametrize("number", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_weights_that_do_not_fill_their_shape(tmp_path: Path, number: int) -> None:
    model = parser.parse_model(LOGITS)
    model.graph.initializer[0].ClearField("float_data")
    model.graph.initializer[0].data_type = number
    model.graph.initializer[0].raw_data = b"1234"
    with pytest.raises(SourceError, match="Expected a valid ONNX file, received"):
        source_of(tmp_path, model)


def test_weights_in_another_file(tmp_path: Path) -> None:
    model = parser.parse_model(LOGITS)
    weight = np.ones((1, 3, 1, 1), np.float32)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weight, "weight"))
    weights = tmp_path / "split.onnx"
    onnx.save(model, weights, save_as_external_data=True, location="split.data", size_threshold=0)
    told = r"weights inside, received .*split\.onnx, which has them in split\.data\. Put them into"
    with pytest.raises(SourceError, match=told) as refusal:
        read_source(specify(tmp_path, weights), local=weights)
    with pytest.raises(VerifyError, match=r"has them in split\.data\. Put them into"):
        read_model(weights)
    remedy = re.search(r'python -c "(.*)"', str(refusal.value))
    assert remedy
    subprocess.run([sys.executable, "-c", remedy[1]], check=True)
    inside = tmp_path / "split-inside.onnx"
    (tmp_path / "split.data").unlink()
    read_source(specify(tmp_path, inside), local=inside)


def test_weights_of_a_function_in_another_file(tmp_path: Path) -> None:
    model = parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[1,3,64,48] x) => (float[1,1,64,48] y) { y = mine.Head (x) }
        <opset_import: ["" : 17], domain: "mine">
        Head (a) => (c) { b = Constant <value = float[1,3,1,1] {1, 2, 3}> ()  c = Conv (a, b) }
        """
    )
    weight = model.functions[0].node[0].attribute[0].t
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="split.data")
    weights = save(tmp_path, model)
    with pytest.raises(SourceError, match=r"which has them in split\.data\. Put them into"):
        read_source(specify(tmp_path, weights), local=weights)
    with pytest.raises(VerifyError, match=r"has them in split\.data\. Put them into"):
        read_model(weights)


def test_functions_that_call_each_other(tmp_path: Path) -> None:
    model = """
        <ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
        net (float[1,3,64,48] x) => (float[1,1,64,48] y) { y = mine.F (x) }
        <opset_import: ["mine" : 1], domain: "mine"> F (a) => (b) { b = mine.G (a) }
        <opset_import: ["mine" : 1], domain: "mine"> G (a) => (b) { b = mine.F (a) }
    """
    with pytest.raises(SourceError, match=r"Expected a valid ONNX file, received .* recursive"):
        source_of(tmp_path, model)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("Conv", "Blur", "received Blur of ai.onnx 13 in the node 'head'"),
        ("Tanh (logits)", "vendor.Glow (logits)", "received Glow of vendor  in the node 'side'"),
    ],
)
def test_an_operator_that_onnx_has_not_names_its_node(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    with pytest.raises(SourceError, match=re.escape(told)):
        source_of(tmp_path, LOGITS.replace(written, instead))


def test_a_network_that_is_quantised_already(tmp_path: Path) -> None:
    """Of which nobody can tell whether its codes stand for a Relu."""
    text = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,64,48] x) => (float[1,1,64,48] y)
        <float[1,3,1,1] w = {1.0, 0.5, 0.25}, float step = {0.02}, uint8 zero = {0}>
        { s = Conv (x, w)  [round] q = QuantizeLinear (s, step, zero)
          y = DequantizeLinear (q, step, zero) }
    """
    with pytest.raises(SourceError, match=r"quantised already: QuantizeLinear in .*'round'.*Bring"):
        source_of(tmp_path, text)


# 16896 are the bits of 3 in half precision.
HALVES = """
    <ir_version: 8, opset_import: ["" : 17]>
    net (float[1,3,64,48] x) => (float[1,1,64,48] y) <float[1,3,1,1] small = {1.5, -0.75, 2.0}>
    {
        half = Cast <to = 10> (x)
        low = Conv (half, small)
        three = Constant <value = float16[1] {16896}> ()
        high = Mul (low, three)
        y = Cast <to = 1> (high)
    }
"""


@pytest.mark.parametrize("has_half_outside", [False, True])
def test_a_network_in_half_precision_is_made_wide(tmp_path: Path, has_half_outside: bool) -> None:
    """Its weights have the same values; between operators nothing is rounded to 16 bits."""
    model = parser.parse_model(HALVES)
    graph = model.graph
    weight = numpy_helper.to_array(graph.initializer[0]).astype(np.float16)
    graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "small"))
    if has_half_outside:
        del graph.node[-1], graph.node[0]
        graph.node[0].input[0], graph.node[-1].output[0] = "x", "y"
        for value in (graph.input[0], graph.output[0]):
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    weights = save(tmp_path, model)
    network = specify(tmp_path, weights)
    artefact = export_network(network, out_dir=tmp_path / "out", local=weights)
    stored = onnx.load(artefact.path).graph.initializer
    assert TensorProto.FLOAT16 not in {tensor.data_type for tensor in stored}
    picture = np.random.default_rng(3).normal(size=(1, 3, 64, 48)).astype(np.float32)
    logits = 3 * (picture * weight.astype(float)).sum(axis=1, keepdims=True)
    exported = onnxruntime.InferenceSession(artefact.path, providers=["CPUExecutionProvider"])
    (matte,) = exported.run(["matte"], {"input": picture})
    assert np.abs(matte - 1 / (1 + np.exp(-logits))).max() < 1e-6


def test_an_operator_that_cannot_be_run_names_its_node(tmp_path: Path) -> None:
    """In ONNX, and not in ONNX Runtime for a CPU: a training operator."""
    model = parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,64,48] x) => (float[1,1,64,48] y) <float[1,3,1,1] w = {1.0, 0.5, 0.25}>
        { s = Conv (x, w)  z = Cast <to = 16> (s)  [sum] u = Add (z, z)
          y = Cast <to = 1> (u) }
        """
    )
    weights = save(tmp_path, model)
    with pytest.raises(ExporterError, match="sum"):
        export_network(specify(tmp_path, weights), out_dir=tmp_path / "out", local=weights)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("[input]", "[input]\nname = 'x'", "the one input 'x', as mine.toml says, received 'pict"),
        ("[output]", "[output]\nname = 'y'", "the output 'y', as mine.toml says, received 'logits"),
        ("'sigmoid'", "'none'", "a matte from 0 to 1, received numbers from -"),
        (
            "[output]",
            "[output]\nname = 'side'",
            "of (1, 1, 64, 48), received (1, 3, 64, 48). Export the network again with one channel "
            "at its end, that of the subject, as Softmax and Slice make of several. Or set "
            "output.name in mine.toml to another one: 'logits'.",
        ),
    ],
)
def test_a_wrong_specification(tmp_path: Path, written: str, instead: str, told: str) -> None:
    model = LOGITS.replace("Tanh (logits)", "Tanh (picture)")
    weights = save(tmp_path, model)
    network = specify(tmp_path, weights, SPECIFICATION.replace(written, instead))
    with pytest.raises(SourceError, match=re.escape(told)) as refusal:
        export_network(network, out_dir=tmp_path / "out", local=weights)
    assert "mine.toml" in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("shape", "number", "told"),
    [
        ((1, 3, 320, 320), TensorProto.FLOAT, "float 1x3x320x320. Set input.height and input.wid"),
        ((1, 4, 64, 48), TensorProto.FLOAT, "float 1x4x64x48. .* with an input of three channels"),
        ((1, 64, 48, 3), TensorProto.FLOAT, "float 1x64x48x3. .* its channels before height and"),
        ((4, 3, 64, 48), TensorProto.FLOAT, "float 4x3x64x48. .* for one picture at a time"),
        ((1, 3, 64, 48), TensorProto.INT32, "int32 1x3x64x48. .* with an input of float32"),
        ((3, 64, 48), TensorProto.FLOAT, "float 3x64x48. .* with an input of four axes"),
    ],
)
def test_an_input_of_another_kind(
    tmp_path: Path, shape: tuple[int, ...], number: int, told: str
) -> None:
    picture = helper.make_tensor_value_info("picture", number, shape)
    matte = helper.make_tensor_value_info("matte", number, shape)
    node = helper.make_node("Add", ["picture", "picture"], ["matte"])
    model = helper.make_model(helper.make_graph([node], "net", [picture], [matte]))
    model.ir_version = 8
    told = f"float 1x3x64x48, as mine.toml says, received 'picture' of {told}"
    with pytest.raises(SourceError, match=told):
        source_of(tmp_path, model)


def test_an_output_of_another_kind(tmp_path: Path) -> None:
    model = """
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[1,3,64,48] x) => (matte) <float[1,3,1,1] w = {1.0, 0.5, 0.25}>
        { low = Conv (x, w)  high = Sigmoid (low)  matte = Cast <to = 11> (high) }
    """
    parsed = parser.parse_model(model)
    matte = helper.make_tensor_value_info("matte", TensorProto.DOUBLE, (1, 1, 64, 48))
    parsed.graph.output[0].CopyFrom(matte)
    weights = save(tmp_path, parsed)
    network = specify(tmp_path, weights, SPECIFICATION.replace("'sigmoid'", "'none'"))
    with pytest.raises(SourceError, match="an output 'matte' of float32, received float64"):
        export_network(network, out_dir=tmp_path / "out", local=weights)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            LOGITS.replace("picture)", "picture, float[1] z)", 1),
            "one input, received 'picture', 'z'",
        ),
        (LOGITS.replace("logits", "raw").replace("side", "matte"), "'matte' to be free for 'raw'"),
    ],
)
def test_names_that_cannot_be_found_out(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        source_of(tmp_path, text)


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("height = 64", "", "mine.toml: input.height: Expected a whole number above 0"),
        ("'sigmoid'", "'softmax'", "mine.toml: output.activation: Expected 'sigmoid' or 'none'"),
        ("width = 48", "width = 48\nwidht = 48", "mine.toml: input.widht: Expected only the keys"),
        ("[output]", "[outputs]", "mine.toml: output: Expected a table"),
    ],
)
def test_a_specification_that_cannot_be_read(
    tmp_path: Path, written: str, instead: str, told: str
) -> None:
    with pytest.raises(CatalogError, match=re.escape(told)):
        specify(tmp_path, save(tmp_path), SPECIFICATION.replace(written, instead))


def test_a_network_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"absent\.onnx: Expected the network's ONNX file"):
        specify(tmp_path, tmp_path / "absent.onnx")


def test_isnet_takes_only_the_published_file(tmp_path: Path) -> None:
    network = find_network("isnet")
    spec = network.input
    assert (spec.height, spec.width, spec.scale) == (1024, 1024, "max")
    assert (spec.mean, spec.std, network.output.normalise) == ((0.5,) * 3, (1.0,) * 3, "minmax")
    with pytest.raises(FetchError, match=f"Expected a file with sha256 {network.part.sha256}"):
        read_source(network, local=save(tmp_path))


# ---- the command ---------------------------------------------------------------------------------


def test_gossamer_export_with_a_specification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = save(tmp_path)
    (tmp_path / "mine.toml").write_text(SPECIFICATION)
    out = tmp_path / "out"
    arguments = ["export", str(weights), "--out", str(out)]
    assert main(arguments) == 1
    assert "Expected --spec TOML for" in capsys.readouterr().err
    assert main([*arguments, "--spec", str(tmp_path / "mine.toml")]) == 0
    (written,) = out.iterdir()
    assert capsys.readouterr().out.splitlines()[-1].startswith(str(written))


def test_gossamer_export_takes_a_file_for_one_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in ("--spec", "--weights"):
        assert main(["export", "u2netp", "modnet", option, str(tmp_path / "file")]) == 1
        assert f"Expected one network with {option}, received" in capsys.readouterr().err


def test_a_file_beside_a_specification_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, spec = save(tmp_path), tmp_path / "mine.toml"
    spec.write_text(SPECIFICATION)
    arguments = [str(weights), "--spec", str(spec), "--weights", str(weights)]
    assert main(["export", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert "Expected no --weights with --spec" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_specification_of_several_networks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"Expected no specification for 'auto'.*mine\.toml"):
        exported_networks(FindSettings("auto", tmp_path / "mine.toml"))
