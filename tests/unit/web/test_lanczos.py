"""`lanczos.js` against Pillow, which is what the networks were trained with."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from exporter.lanczos import compile_lanczos

from .conftest import RunJs

RESIZE = """
const rgba = new Uint8Array(readFileSync(given.source))
const kernel = await WebAssembly.compile(readFileSync(given.kernel))
const size = [given.height, given.width, given.toHeight, given.toWidth]
writeFileSync(given.target, module.resizeLanczos(kernel, rgba, ...size))
"""


RESIZE_PLANES = """
const planes = new Float32Array(Uint8Array.from(readFileSync(given.source)).buffer)
writeFileSync(given.target, module.resizePlanes(planes, given.present, given.wanted))
"""


def resize(
    run_js: RunJs, tmp_path: Path, photo: Image.Image, height: int, width: int
) -> np.ndarray:
    source, target = tmp_path / "source.raw", tmp_path / "target.raw"
    source.write_bytes(photo.convert("RGBA").tobytes())
    kernel = tmp_path / "lanczos.wasm"
    kernel.write_bytes(compile_lanczos())
    run_js(
        "pipeline/lanczos.js",
        RESIZE,
        kernel=str(kernel),
        source=str(source),
        target=str(target),
        height=photo.height,
        width=photo.width,
        toHeight=height,
        toWidth=width,
    )
    return np.frombuffer(target.read_bytes(), np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_small_photos_come_out_as_in_pillow(run_js: RunJs, tmp_path: Path, name: str) -> None:
    photo = Image.fromarray(getattr(data, name)())
    ours = resize(run_js, tmp_path, photo, 320, 320).astype(int)
    theirs = np.asarray(photo.resize((320, 320), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(ours - theirs).mean() < 0.02
    assert np.abs(ours - theirs).max() <= 2


def test_large_photos_are_averaged_first_and_stay_within_a_quarter_level(
    run_js: RunJs, tmp_path: Path
) -> None:
    photo = Image.fromarray(data.astronaut()).resize((2999, 2001), Image.Resampling.BICUBIC)
    ours = resize(run_js, tmp_path, photo, 320, 320).astype(int)
    theirs = np.asarray(photo.resize((320, 320), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(ours - theirs).mean() < 0.3


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 5000), (3001, 9), (320, 320), (33, 77)])
def test_odd_shapes(run_js: RunJs, tmp_path: Path, height: int, width: int) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    smooth = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
    ours = resize(run_js, tmp_path, smooth, 320, 320).astype(int)
    averaged_first = smooth.resize((320, 320), Image.Resampling.LANCZOS, reducing_gap=2.0)
    assert np.abs(ours - np.asarray(averaged_first).astype(int)).mean() < 0.5


@pytest.mark.parametrize(("height", "width"), [(224, 224), (96, 64), (7, 400)])
def test_planes_of_numbers_come_out_as_in_pillow(
    run_js: RunJs, tmp_path: Path, height: int, width: int
) -> None:
    planes = (data.chelsea().transpose(2, 0, 1) / 64 - 2).astype(np.float32)
    source, target = tmp_path / "source.raw", tmp_path / "target.raw"
    source.write_bytes(planes.tobytes())
    run_js(
        "pipeline/lanczos.js",
        RESIZE_PLANES,
        source=str(source),
        target=str(target),
        present={"height": 300, "width": 451},
        wanted={"height": height, "width": width},
    )
    ours = np.frombuffer(target.read_bytes(), np.float32).reshape(3, height, width)
    theirs = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))
        for plane in planes
    ]
    assert np.abs(ours - theirs).max() < 1e-5
