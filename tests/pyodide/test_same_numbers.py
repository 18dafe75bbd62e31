"""In Pyodide `pyside_logic` computes what it computes on CPython."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from pyside_logic.encode import encode
from pyside_logic.output_options import OutputOptions
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.resample import resize_bilinear
from tests.unit.pyside_logic.png_files import encode_png


def read_back(path: Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())))


def photo_rgba() -> np.ndarray:
    """A cat, opaque above, half transparent in the middle, transparent below."""
    rgb = data.chelsea()
    alpha = np.repeat(np.array([255, 128, 0], np.uint8), 100)[:, None]
    return np.dstack([rgb, np.broadcast_to(alpha, rgb.shape[:2])])


def smooth_matte() -> np.ndarray:
    """A disc with a soft edge, 320 x 320, in [0, 1], at both ends of it too."""
    y, x = np.mgrid[-1:1:320j, -1:1:320j]
    return np.clip(4 * (0.8 - np.hypot(y, x)), 0, 1).astype(np.float32)


def test_it_is_the_pinned_python(python_in_pyodide: Any) -> None:
    versions = python_in_pyodide.run(
        """
        import platform, sys, numpy
        return [sys.platform, platform.python_version()[:5], numpy.__version__]
        """
    )
    assert versions == ["emscripten", "3.12.", "2.0.2"]


def test_it_computes_with_the_compiled_loops(python_in_pyodide: Any) -> None:
    missing, refusal = python_in_pyodide.run(
        """
        from pathlib import Path
        from pyside_logic.compiled import load, loops
        broken = Path('/tmp/broken.wasm')
        broken.write_bytes(b'\\0asm')
        try:
            load(broken)
        except OSError as error:
            return [loops is None, type(error).__name__]
        """
    )
    assert (missing, refusal) == (False, "OSError")


@pytest.mark.parametrize(
    ("matte_size", "size"),
    [((320, 320), (1501, 1999)), ((320, 320), (97, 1)), ((1, 7), (64, 33)), ((33, 1), (5, 90))],
)
def test_resampling(
    python_in_pyodide: Any, matte_size: tuple[int, int], size: tuple[int, int]
) -> None:
    matte = np.random.default_rng(7).random(matte_size, np.float32)
    python_in_pyodide.run(
        """
        import numpy
        from pyside_logic.resample import resize_bilinear
        matte = numpy.load(given['matte'])
        numpy.save('/shared/resized.npy', resize_bilinear(matte, *given['size']))
        return None
        """,
        matte=python_in_pyodide.save("matte.npy", matte),
        size=size,
    )
    theirs = python_in_pyodide.load("resized.npy")
    assert theirs.dtype == np.float32
    pillows = Image.fromarray(matte).resize(size[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_allclose(theirs, np.asarray(pillows), rtol=0, atol=2e-6)
    np.testing.assert_allclose(theirs, resize_bilinear(matte, *size), rtol=0, atol=1e-6)


def test_refining(python_in_pyodide: Any) -> None:
    photo, matte = photo_rgba(), smooth_matte()
    python_in_pyodide.run(
        """
        import numpy
        from pyside_logic.refine import Cutout, RefineOptions, refine
        cutout = Cutout(numpy.load(given['photo']), numpy.load(given['matte']))
        refine(cutout, RefineOptions(), lambda done, total: None)
        numpy.save('/shared/refined.npy', cutout.rgba_hwc)
        return None
        """,
        photo=python_in_pyodide.save("photo.npy", photo),
        matte=python_in_pyodide.save("matte.npy", matte),
    )
    cutout = Cutout(photo.copy(), matte)
    refine(cutout, RefineOptions(), lambda _done, _total: None)
    theirs = python_in_pyodide.load("refined.npy")
    opaque = theirs[..., 3] == 255
    assert np.array_equal(theirs[opaque], photo[opaque])
    # A value that lies on a half may round either way.
    assert np.abs(theirs[..., 3].astype(int) - cutout.rgba_hwc[..., 3]).max() <= 1
    assert (theirs[..., 3] == cutout.rgba_hwc[..., 3]).mean() > 0.9999
    assert {0, 128, 255} <= set(theirs[..., 3].flat)


@pytest.mark.parametrize("layout", ["grey", "rgb", "rgba"])
def test_png_files(python_in_pyodide: Any, layout: str) -> None:
    rgba = photo_rgba()
    pixels = {"grey": rgba[..., 0], "rgb": rgba[..., :3], "rgba": rgba}[layout]
    python_in_pyodide.run(
        """
        import pathlib, numpy
        from pyside_logic.png import Ancillary, write_png
        pixels = numpy.load(given['pixels'])
        height, width, channels = (*pixels.shape, 1)[:3]
        file = write_png([pixels], height, width, channels, 8, Ancillary())
        pathlib.Path('/shared/photo.png').write_bytes(file)
        return None
        """,
        pixels=python_in_pyodide.save("pixels.npy", np.ascontiguousarray(pixels)),
    )
    theirs = read_back(python_in_pyodide.shared / "photo.png")
    ours = np.asarray(Image.open(io.BytesIO(encode_png(pixels))))
    assert np.array_equal(theirs, ours)
    visible = rgba[..., 3] > 0
    assert np.array_equal(theirs[visible], pixels[visible])


def test_the_bridge_makes_the_same_file(python_in_pyodide: Any) -> None:
    """From typed arrays to the file, as the worker calls it."""
    photo, matte = photo_rgba(), smooth_matte()
    photo[..., 3] = 255
    seen = python_in_pyodide.run(
        """
        import js, numpy, pathlib
        from pyodide.ffi import to_js
        from pyside_logic import bridge
        photo, matte = numpy.load(given['photo']), numpy.load(given['matte'])
        handle = bridge.open_photo(to_js(photo.reshape(-1)), *photo.shape[:2]).value
        bridge.set_matte(handle, to_js(matte.reshape(-1)), *matte.shape)
        seen = []
        note = lambda done, total: seen.append([done, total])
        assert not hasattr(bridge.refine(handle, js.Object.new(), note), 'error')
        for content in ('cutout', 'alpha'):
            file = bridge.encode(handle, js.Object.new(), content).value.bytes
            # The worker moves this buffer to the page, so it must hold nothing but the file.
            assert file.constructor.name == 'Uint8Array'
            assert file.byteOffset == 0
            assert file.buffer.byteLength == file.byteLength
            pathlib.Path(f'/shared/{content}.png').write_bytes(file.to_bytes())
        bridge.close_photo(handle)
        return seen
        """,
        photo=python_in_pyodide.save("photo.npy", photo),
        matte=python_in_pyodide.save("matte.npy", matte),
    )
    assert seen[-1] == [600, 600]  # alpha once over the rows, then colours
    assert seen == sorted(seen)
    cutout = Cutout(photo.copy(), matte)
    refine(cutout, RefineOptions(), lambda _done, _total: None)
    for content in ("cutout", "alpha"):
        theirs = read_back(python_in_pyodide.shared / f"{content}.png")
        file = encode(cutout, OutputOptions(), content)
        ours = np.asarray(Image.open(io.BytesIO(file.data)))
        assert theirs.shape == ours.shape
        assert (theirs == ours).mean() > 0.9999
