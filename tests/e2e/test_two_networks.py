"""A site with two networks runs the one that is asked for, each with its own preprocessing."""

import numpy as np
import onnx
import pytest
from playwright.sync_api import Page
from skimage import data

from exporter.catalog import find_network
from exporter.exported import exported_file
from exporter.native import NativeNetwork
from exporter.source import read_source
from exporter.winograd.weights import in_floats

from .app import ApiError, App, call_api, png


@pytest.fixture
def two_networks(page: Page, two_network_server: str) -> App:
    return App(page, two_network_server).open()


def matte_in_float(name: str, rgb_hwc: np.ndarray) -> np.ndarray:
    """The int8 file in native ONNX Runtime, with nothing rounded between its operators."""
    network = find_network(name)
    exact = in_floats(onnx.load(exported_file(network, precision="int8"))).model
    return NativeNetwork(network, exact, threads=2).matte(rgb_hwc)


def native_matte(name: str, rgb_hwc: np.ndarray) -> np.ndarray:
    """The published file in native ONNX Runtime, with Pillow's resize."""
    network = find_network(name)
    return NativeNetwork(network, read_source(network), threads=2).matte(rgb_hwc)


@pytest.mark.soak
def test_each_network_computes_what_it_does_natively(two_networks: App) -> None:
    photo = data.astronaut()
    for model, used in (("auto", "u2netp"), ("u2netp", "u2netp"), ("modnet", "modnet")):
        options = {"model": model}
        result = call_api(two_networks.page, "segmentForeground", png(photo), options=options)
        assert result.fields["model"] == used
        assert result.matte_hw is not None
        expected = native_matte(used, photo)
        assert result.matte_hw.shape == expected.shape
        assert expected.max() > 0.95
        assert np.abs(result.matte_hw - expected).mean() <= 1 / 255
        assert result.picture.size == (512, 512)


def test_our_own_engine_runs_a_file_in_int8_and_rounds_nothing(two_networks: App) -> None:
    options = {"model": "modnet", "backend": "wasm"}
    photo = data.astronaut()
    result = call_api(two_networks.page, "segmentForeground", png(photo), options=options)
    assert (result.fields["precision"], result.fields["notices"]) == ("int8", [])
    engines = two_networks.page.evaluate("gossamer.inspectEngines({ model: 'modnet' })")["engines"]
    passed = [engine["title"] for engine in engines if engine["state"] == "passed"]
    assert [title.split()[0] for title in passed] == ["WebAssembly"]  # not ONNX Runtime
    assert result.matte_hw is not None
    expected = matte_in_float("modnet", photo)
    assert expected.max() > 0.95
    assert np.abs(result.matte_hw - expected).max() < 0.02
    assert np.abs(result.matte_hw - expected).mean() < 1e-4


def test_a_network_that_the_site_lacks_is_refused(two_networks: App) -> None:
    with pytest.raises(ApiError) as refusal:
        call_api(
            two_networks.page, "removeBackground", png(data.coffee()), options={"model": "isnet"}
        )
    assert refusal.value.fields["code"] == "invalid_argument"
    assert "'u2netp', 'modnet'" in refusal.value.fields["message"]
