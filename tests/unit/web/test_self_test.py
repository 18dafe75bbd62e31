"""The picture of the self-test is the same in both languages; its answer tells right from wrong."""

import base64
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest

from exporter.catalog import OutputSpec, find_network
from exporter.errors import SiteError
from exporter.pipeline import with_size
from exporter.self_test import (
    GRID,
    PICTURES,
    expected_answer,
    golden_input,
    golden_picture,
    grid_means,
)
from tests.unit.exporter.graphs import graph_of, run

from .conftest import RunJs


@pytest.mark.parametrize(("height", "width"), [(64, 64), (320, 320), (97, 41)])
def test_both_draw_the_same_pictures(run_js: RunJs, height: int, width: int) -> None:
    body = """
    return given.numbers.map((one) => [...module.goldenPicture(given.height, given.width, one)])
    """
    numbers = list(PICTURES)
    drawn = run_js("pipeline/self-test.js", body, numbers=numbers, height=height, width=width)
    expected = [golden_picture(height, width, one).ravel().tolist() for one in PICTURES]
    assert drawn == expected
    assert len({tuple(one) for one in expected}) == len(PICTURES)


@pytest.mark.parametrize("name", ["u2netp", "modnet"])
def test_both_feed_the_network_the_same_bits(run_js: RunJs, name: str) -> None:
    spec = with_size(find_network(name), 70, 41).input
    given = {"height": 70, "width": 41, "scale": spec.scale}
    given |= {"mean": list(spec.mean), "std": list(spec.std)}
    body = """
    const input = module.goldenInput(given.input, 1)
    return [...new Uint32Array(input.buffer)]
    """
    assert run_js("pipeline/self-test.js", body, input=given) == (
        golden_input(spec, 1).view(np.uint32).ravel().tolist()
    )


ANSWER = "return module.readAnswer(given.golden)"


def deviation(run_js: RunJs, output: np.ndarray, golden: str) -> Any:
    height, width = output.shape
    body = """
    const output = Float32Array.from(given.values, (value) => value ?? NaN)
    const found = module.deviation(output, given, module.readAnswer(given.golden))
    return [String(found.max), String(found.mean)]
    """
    values = [None if np.isnan(value) else float(value) for value in output.ravel()]
    found = run_js(
        "pipeline/self-test.js", body, values=values, height=height, width=width, golden=golden
    )
    return tuple(map(float, found))


@pytest.mark.parametrize("shape", [(64, 64), (50, 33), (16, 320)])
def test_the_deviation_is_that_of_the_cells(run_js: RunJs, shape: tuple[int, int]) -> None:
    random = np.random.default_rng(5)
    matte = random.uniform(size=shape).astype(np.float32)
    levels = np.round(255 * grid_means(matte)).astype(np.uint8)
    golden = base64.b64encode(levels.tobytes()).decode()
    largest, mean = deviation(run_js, matte, golden)
    assert 0 < mean < largest <= 0.5 / 255 + 1e-6
    wrong = matte.copy()
    wrong[-shape[0] // GRID :, : shape[1] // GRID] += 0.5  # about one cell
    assert deviation(run_js, wrong, golden)[0] > 0.4
    wrong[0, 0] = np.nan
    assert deviation(run_js, wrong, golden) == (np.inf, np.inf)


def test_an_answer_of_another_range_is_compared_in_it(run_js: RunJs) -> None:
    """As of a network that ends in logits, or in 0..255."""
    low, high = -8.0, 13.5
    shares = np.random.default_rng(5).uniform(size=(64, 64)).astype(np.float32)
    levels = np.round(255 * grid_means(shares)).astype(np.uint8)
    golden = base64.b64encode(levels.tobytes() + struct.pack("<Bff", 2, low, high)).decode()
    output = low + (high - low) * shares
    assert 0 < deviation(run_js, output, golden)[0] <= 0.5 / 255 + 1e-5
    assert deviation(run_js, output + 2.15, golden)[1] == pytest.approx(0.1, abs=0.003)
    answer = run_js("pipeline/self-test.js", ANSWER, golden=golden)
    assert (answer["picture"], answer["low"], answer["high"]) == (2, low, high)


def ending_in(end: str, weights: str) -> onnx.ModelProto:
    return graph_of(
        f"""
        net (float[1,3,64,64] input) => (float[1,1,64,64] output)
        <float[1,3,1,1] w = {{{weights}}}, float many = {{255.0}}, float far = {{-12.0}}>
        {{ x = Conv (input, w)  {end} }}
        """
    )


RED, GREEN = "9.0, -9.0, 0.0", "-15.0, 30.0, -15.0"


@pytest.mark.parametrize(
    ("end", "weights", "normalise", "picture"),
    [
        ("output = Sigmoid (x)", RED, "none", 0),
        ("output = Identity (x)", RED, "minmax", 0),
        ("m = Sigmoid (x)  output = Mul (m, many)", RED, "minmax", 0),
        ("low = Add (x, far)  output = Sigmoid (low)", GREEN, "none", 1),
        # Sure that nothing is there, and less so in one place than in another.
        ("low = Add (x, far)  output = Sigmoid (low)", "6.0, 3.0, -3.0", "none", 3),
    ],
)
def test_what_a_network_answers_is_what_a_browser_expects(
    run_js: RunJs, end: str, weights: str, normalise: str, picture: int
) -> None:
    model = ending_in(end, weights)
    network = with_size(find_network("modnet"), 64, 64)
    network = replace(network, output=OutputSpec("output", normalise))
    golden = expected_answer(network, model)
    assert run_js("pipeline/self-test.js", ANSWER, golden=golden)["picture"] == picture
    output = run(model, golden_input(network.input, picture))[0][0, 0]
    assert deviation(run_js, output, golden)[0] <= 0.5 / 255 + 1e-4
    assert deviation(run_js, output[:, ::-1], golden)[0] > 0.1


def test_a_network_that_answers_the_same_to_every_picture_proves_nothing() -> None:
    network = with_size(find_network("modnet"), 64, 64)
    with pytest.raises(
        SiteError, match=r"received values from 0\.5 to 0\.5.* Check the input's scal"
    ):
        expected_answer(network, ending_in("output = Sigmoid (x)", "0.0, 0.0, 0.0"))
