"""The bench on the built site. The peer is measured by `make bench` alone: it is large."""

import math
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Playwright
from skimage import data

from exporter.bench.contestants import Contestant
from exporter.bench.disciplines import cold, quality, transfer, warm
from exporter.bench.photos import photo_of
from exporter.evaluate import Pair


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


@pytest.mark.soak
def test_every_discipline_measures_the_site(
    playwright: Playwright, server: str, site_dir: Path, picture: Path, tmp_path: Path
) -> None:
    site = Contestant("Gossamer", server)
    photos = {"1 MP": photo_of(picture, 1)}
    (row,) = warm(playwright, [site], photos, rounds=2)
    assert len(row.times_ms["total"]) == len(row.times_ms["infer"]) == 2
    stages_ms = sum(row.times_ms[stage][0] for stage in ("decode", "preprocess", "infer"))
    assert 0 < stages_ms < row.times_ms["total"][0]
    assert row.values["backend"] == "wasm"
    first, again = cold(playwright, [site], ("1 MP", photos["1 MP"]), rounds=1)
    assert (first.case, again.case) == ("first visit, 1 MP", "second visit, offline, 1 MP")
    assert min(*first.times_ms["total"], *again.times_ms["total"]) > 0
    truth = tmp_path / "truth.png"
    Image.new("L", (512, 512), 255).save(truth)
    pair = Pair("own", "astronaut", picture, truth)
    (scored,) = quality(playwright, [site], [pair])
    assert 0.2 < float(scored.values["mae"] or math.nan) < 0.8  # against all foreground
    parts = {row.case: row.values for row in transfer(site_dir)}
    assert {"the page", "network u2netp", "onnxruntime-web", "pyodide"} <= set(parts)
    assert all(
        0 < int(values["gzip_bytes"] or 0) <= 1.01 * int(values["bytes"] or 0)
        for values in parts.values()
    )
