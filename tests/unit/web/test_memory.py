"""What a picture takes, and the largest one that a device takes on."""

import pytest

from .conftest import RunJs


def test_a_picture_takes_twenty_bytes_a_pixel(run_js: RunJs) -> None:
    body = "return module.estimateMemory({ height: 3000, width: 4000 })"
    assert run_js("pipeline/memory.js", body) == 240e6


@pytest.mark.parametrize(("device_gb", "megapixels"), [(0.5, 12), (1, 25), (2, 50), (4, 100)])
def test_half_of_a_small_device_is_for_one_picture(
    run_js: RunJs, device_gb: float, megapixels: int
) -> None:
    most = run_js("pipeline/memory.js", "return module.mostPixels(given.gb)", gb=device_gb)
    assert most // 1e6 == megapixels


def test_a_large_device_or_one_that_does_not_tell_takes_what_the_heap_holds(run_js: RunJs) -> None:
    body = "return [module.mostPixels(32), module.mostPixels()]"
    assert run_js("pipeline/memory.js", body) == [100e6, 100e6]
