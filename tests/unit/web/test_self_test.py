"""The picture of the self-test is the same in both languages; its answer tells right from wrong."""

import base64
from typing import Any

import numpy as np
import pytest

from exporter.catalog import find_network
from exporter.pipeline import with_size
from exporter.self_test import GRID, golden_input, golden_picture, grid_means

from .conftest import RunJs


@pytest.mark.parametrize(("height", "width"), [(64, 64), (320, 320), (97, 41)])
def test_both_draw_the_same_picture(run_js: RunJs, height: int, width: int) -> None:
    body = "return [...module.goldenPicture(given.height, given.width)]"
    drawn = run_js("pipeline/self-test.js", body, height=height, width=width)
    assert drawn == golden_picture(height, width).ravel().tolist()


@pytest.mark.parametrize("name", ["u2netp", "modnet"])
def test_both_feed_the_network_the_same_bits(run_js: RunJs, name: str) -> None:
    spec = with_size(find_network(name), 70, 41).input
    given = {"height": 70, "width": 41, "scale": spec.scale}
    given |= {"mean": list(spec.mean), "std": list(spec.std)}
    body = """
    const input = module.goldenInput(given.input)
    return [...new Uint32Array(input.buffer)]
    """
    assert run_js("pipeline/self-test.js", body, input=given) == (
        golden_input(spec).view(np.uint32).ravel().tolist()
    )


def deviation(run_js: RunJs, output: np.ndarray, golden: str) -> Any:
    height, width = output.shape
    body = """
    const output = Float32Array.from(given.values, (value) => value ?? NaN)
    const found = module.deviation(output, given, given.golden)
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
