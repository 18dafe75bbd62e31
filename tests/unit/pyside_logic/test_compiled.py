"""The compiled loops against the NumPy beside each of them."""

import ctypes
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from pyside_logic import boxes, compiled, compose, foreground, guided, png, resample, shrink
from pyside_logic.boxes import box_mean
from pyside_logic.compose import write_alpha
from pyside_logic.foreground import estimate_layers, foreground_strips
from pyside_logic.guided import guided_strips
from pyside_logic.png import scan_lines
from pyside_logic.preview import Preview
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.resample import resize_bilinear
from pyside_logic.shrink import shrink_photo
from pyside_logic.trust import Held
from tests.unit.pyside_logic.png_files import encode_png

SIDES = st.integers(1, 40)
LONG_SIDES = st.integers(1, 700)
SEEDS = st.integers(0, 1 << 32)
SHARES = st.sampled_from([0.0, 0.3, 1.0])

often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def computing_with(loops: ctypes.CDLL | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (boxes, compose, foreground, guided, png, resample, shrink):
            patch.setattr(module, "loops", loops)
        yield


def both_ways(
    loops: ctypes.CDLL, compute: Callable[[], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """By NumPy, and by `loops`."""
    with computing_with(None):
        by_numpy = compute()
    with computing_with(loops):
        return by_numpy, compute()


def noise(seed: int, *shape: int) -> np.ndarray:
    """uint8, of which the last channel is 0 or 255 as often as anything else."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, shape, np.uint8)
    ends = rng.choice(np.array([0, 255], np.uint8), shape[:-1])
    pixels[..., -1] = np.where(rng.random(shape[:-1]) < 0.5, ends, pixels[..., -1])
    return pixels


def blobs(seed: int, height: int, width: int) -> np.ndarray:
    """A matte, float32 in [0, 1], with even parts."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((-(-height // 8), -(-width // 8)))
    spread = np.kron(coarse, np.ones((8, 8)))[:height, :width] + rng.normal(
        0, 0.05, (height, width)
    )
    return np.clip(3 * spread - 1, 0, 1).astype(np.float32)


def test_cpython_has_none_and_wants_none() -> None:
    assert compiled.loops is None
    assert not compiled.LIBRARY.exists()


def test_where_a_library_cannot_be_loaded_numpy_computes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "loops.wasm"
    broken.write_bytes(b"\0asm")
    with pytest.raises(OSError, match=r"loops\.wasm"):
        compiled.load(broken)
    monkeypatch.setattr(compiled, "LIBRARY", broken)
    assert compiled._found() is None


def test_other_arrays_are_refused(native_loops: ctypes.CDLL) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    for alpha in (np.zeros((4, 4)), np.zeros((4, 8), np.float32)[:, ::2]):
        with pytest.raises(ctypes.ArgumentError):
            native_loops.write_alpha(alpha, 16, pixels)


@often
@given(h=SIDES, w=SIDES, height=LONG_SIDES, width=SIDES, seed=SEEDS)
def test_mattes_are_resized(
    native_loops: ctypes.CDLL, h: int, w: int, height: int, width: int, seed: int
) -> None:
    matte = blobs(seed, h, w)
    np.testing.assert_allclose(
        *both_ways(native_loops, lambda: resize_bilinear(matte, height, width)), atol=1e-6
    )


@often
@given(height=SIDES, width=SIDES, planes=st.integers(1, 3), radius=SIDES, seed=SEEDS)
def test_windows_are_averaged(
    native_loops: ctypes.CDLL, height: int, width: int, planes: int, radius: int, seed: int
) -> None:
    values = np.random.default_rng(seed).random((planes, height, width))
    by_numpy, by_loops = both_ways(native_loops, lambda: box_mean(values, radius))
    np.testing.assert_allclose(by_loops, by_numpy, atol=1e-13)


@often
@given(h=SIDES, w=SIDES, height=LONG_SIDES, width=SIDES, seed=SEEDS, held=st.tuples(*[SHARES] * 3))
def test_alpha_meets_the_photo(
    native_loops: ctypes.CDLL,
    h: int,
    w: int,
    height: int,
    width: int,
    seed: int,
    held: tuple[float, float, float],
) -> None:
    height, width = max(height, h), max(width, w)
    rng = np.random.default_rng(seed)
    matte = blobs(seed, h, w)
    coefficients = rng.normal(0, 0.5, (4, h, w)).astype(np.float32)
    coefficients[:, matte % 1 == 0] = 0  # where colours say nothing
    coefficients[3] += matte
    photo = noise(seed, height, width, 4)
    by_outline, contrast, by_mean = held
    how = Held(by_outline, 1 + contrast, by_mean)

    def alpha() -> np.ndarray:
        strips = guided_strips(coefficients, photo, how, matte)
        return np.concatenate([alpha_hw for _, alpha_hw in strips])

    by_numpy, by_loops = both_ways(native_loops, alpha)
    # What is settled within a thousandth is looked at by neither, but in parts of other sizes.
    np.testing.assert_allclose(by_loops, by_numpy, atol=1.1e-3 if how != Held(1, 1, 1) else 2e-5)


@often
@given(height=SIDES, width=SIDES, seed=SEEDS)
def test_alpha_is_written(native_loops: ctypes.CDLL, height: int, width: int, seed: int) -> None:
    alpha = blobs(seed, height, width)

    def written() -> np.ndarray:
        rgba = noise(seed, height, width, 4)
        write_alpha(rgba, alpha, None)
        return rgba

    np.testing.assert_array_equal(*both_ways(native_loops, written))


@often
@given(
    height=LONG_SIDES,
    width=SIDES,
    longest=SIDES,
    seed=SEEDS,
    channels=st.sampled_from([slice(0, 4), slice(3, 4), slice(0, 3)]),
)
def test_blocks_are_summed(
    native_loops: ctypes.CDLL, height: int, width: int, longest: int, seed: int, channels: slice
) -> None:
    photo = noise(seed, height, width, 4)[..., channels]
    np.testing.assert_array_equal(
        *both_ways(native_loops, lambda: shrink_photo(photo, longest)),
    )


@often
@given(height=SIDES, width=SIDES, seed=SEEDS)
def test_layers_are_estimated(
    native_loops: ctypes.CDLL, height: int, width: int, seed: int
) -> None:
    rgba = noise(seed, height, width, 4)
    picture = np.dstack([rgba[..., :3] / 255, blobs(seed, height, width)]).astype(np.float32)
    by_numpy, by_loops = both_ways(native_loops, lambda: estimate_layers(picture))
    np.testing.assert_allclose(by_loops, by_numpy, atol=1e-5)


@often
@given(height=LONG_SIDES, width=SIDES, h=SIDES, w=SIDES, seed=SEEDS)
def test_soft_pixels_are_coloured(
    native_loops: ctypes.CDLL, height: int, width: int, h: int, w: int, seed: int
) -> None:
    photo = noise(seed, height, width, 4)
    layers = np.random.default_rng(seed).random((6, min(h, height), min(w, width)), np.float32)

    def coloured() -> np.ndarray:
        colours = np.zeros((height * width, 3), np.int16) - 1
        for rows, at, found in foreground_strips(photo, layers):
            colours[rows.start * width + at] = found
        return colours

    by_numpy, by_loops = both_ways(native_loops, coloured)
    np.testing.assert_array_equal(by_loops < 0, by_numpy < 0)
    assert np.abs(by_loops - by_numpy).max() <= 1  # of 255, where a float lies between two


@often
@given(height=SIDES, width=SIDES, seed=SEEDS, step=st.sampled_from([1, 2]))
def test_lines_are_filtered(
    native_loops: ctypes.CDLL, height: int, width: int, seed: int, step: int
) -> None:
    rows = noise(seed, height, width, 4)[:, ::step]
    np.testing.assert_array_equal(*both_ways(native_loops, lambda: scan_lines(rows)))


random = np.random.default_rng(11)

CONTENTS = {
    "nothing": b"",
    "one byte": b"\x07",
    "three bytes": b"\x00\x01\x02",
    "zeros": bytes(70_001),
    "noise": random.integers(0, 256, 1_300_001, np.uint8).tobytes(),
    "one value": b"\xff" * 300_000,
    "runs of all lengths": b"".join(
        bytes(int(length)) + b"\x01\x02\x03" for length in random.integers(0, 1200, 2000)
    ),
    # Codes would be of more bits than are written at once.
    "as uneven as can be": b"".join(
        bytes([value]) * min(2**value, 400_000) for value in range(1, 24)
    ),
    "the ends of the range": random.choice([0, 255], 99_999, p=[0.9, 0.1]).astype("u1").tobytes(),
}


@pytest.mark.parametrize("part", [1 << 22, 100_003])
@pytest.mark.parametrize("name", CONTENTS)
def test_zlib_reads_what_is_compressed(native_loops: ctypes.CDLL, name: str, part: int) -> None:
    """Part by part, and at odd addresses."""
    content = np.frombuffer(b"..." + CONTENTS[name], np.uint8)[3:]
    parts = [content[at : at + part] for at in range(0, content.size, part)]
    with computing_with(native_loops):
        stream = b"".join(png._by_loops(parts))
    assert zlib.decompress(stream) == CONTENTS[name]
    assert len(stream) <= 1.02 * len(CONTENTS[name]) + 400


def soft_cutout() -> np.ndarray:
    rgb = np.asarray(Image.fromarray(data.astronaut()).resize((901, 900)))
    y, x = np.mgrid[:900, :901]
    alpha = np.clip(400 - np.hypot(y - 450, x - 450), 0, 255).astype(np.uint8)
    return np.dstack([rgb, alpha])


@pytest.mark.parametrize("kind", ["cut-out", "opaque", "grey", "deep grey", "one pixel"])
def test_pillow_reads_the_file(native_loops: ctypes.CDLL, kind: str) -> None:
    cutout = soft_cutout()
    cutout[cutout[..., 3] == 0] = 0
    pixels = {
        "cut-out": cutout,
        "opaque": cutout[..., :3],
        "grey": cutout[..., 3],
        "deep grey": cutout[..., 3].astype(np.uint16) * 257,
        "one pixel": cutout[450:451, 450:451],
    }[kind]
    with computing_with(native_loops):
        file = encode_png(pixels)
    Image.open(io.BytesIO(file)).verify()  # checksums
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), pixels)


def test_a_cut_out_is_as_small_as_zlib_makes_it(native_loops: ctypes.CDLL) -> None:
    cutout = soft_cutout()
    with computing_with(None):
        by_zlib = encode_png(cutout)
    with computing_with(native_loops):
        assert len(encode_png(cutout)) < 1.05 * len(by_zlib)


OPTIONS = {
    "none": {},
    "feather": {"feather_px": 6},
    "little feather": {"feather_px": 0.7},
    "contract": {"contract_px": 3},
    "grow": {"contract_px": -2},
    "plain": {"detail": "none", "sharpen": 0},
    "closed form": {"detail": "closed_form"},
    "knn": {"detail": "knn"},
    "specks": {"min_region_px": 40},
    "as it is": {"decontaminate": False},
}


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_every_option_is_refined_alike(
    native_loops: ctypes.CDLL, options: dict[str, Any], transparent: bool
) -> None:
    rgb = data.chelsea()[:280, 180:280]
    opaque = np.full(rgb.shape[:2], 255, np.uint8)
    opaque[:40] = 90 if transparent else 255
    matte = np.kron(blobs(3, 20, 25), np.ones((4, 4), np.float32))

    def refined() -> np.ndarray:
        cutout = Cutout(np.dstack([rgb, opaque]), matte)
        cutout.ask_for_precision()
        refine(cutout, RefineOptions.from_dict(options), lambda *_: None)
        preview = Preview(cutout).refined(RefineOptions.from_dict(options), 150)
        return np.concatenate([cutout.rgba_hwc.reshape(-1), preview.reshape(-1)]).astype(int)

    by_numpy, by_loops = both_ways(native_loops, refined)
    assert np.abs(by_loops - by_numpy)[3::4].max() <= 1
    assert (np.abs(by_loops - by_numpy) > 1).mean() < 2e-3


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_a_photo_is_refined_alike(native_loops: ctypes.CDLL, name: str) -> None:
    rgb = getattr(data, name)()
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    y, x = np.mgrid[-1:1:320j, -1:1:320j]
    matte = np.clip(4 * (0.8 - np.hypot(y, x)), 0, 1).astype(np.float32)

    def refined() -> np.ndarray:
        cutout = Cutout(rgba.copy(), matte)
        refine(cutout, RefineOptions(), lambda *_: None)
        return cutout.rgba_hwc.astype(int)

    by_numpy, by_loops = both_ways(native_loops, refined)
    assert np.abs(by_loops[..., 3] - by_numpy[..., 3]).max() <= 1
    seen = by_numpy[..., 3] > 8  # below that, one level of alpha is many of a colour
    moved = np.abs(by_loops - by_numpy)[seen]
    assert moved.max() <= 16
    assert (moved > 1).mean() < 1e-3
