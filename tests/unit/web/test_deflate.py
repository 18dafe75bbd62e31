"""`deflate.js` and `png-file.js` against zlib and Pillow, which read what they write."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from pyside_logic.png import Ancillary, png_frame, scan_lines

from .conftest import RunJs

STREAM = """
const bytes = new Uint8Array(readFileSync(given.source)).subarray(given.offset)
const parts = [module.ZLIB_HEADER]
let sum = 1
for (let at = 0; at < bytes.length; at += given.part) {
  const part = bytes.subarray(at, at + given.part)
  parts.push(module.deflate(part))
  sum = module.joinedAdler32(sum, module.adler32(part), part.length)
}
const end = new Uint8Array(4)
new DataView(end.buffer).setUint32(0, sum)
writeFileSync(given.target, Buffer.concat([...parts, module.LAST_BLOCK, end]))
"""


def deflated(run_js: RunJs, tmp_path: Path, content: bytes, part: int) -> bytes:
    """The zlib stream of `content`, which begins at an odd address, compressed part by part."""
    source, target = str(tmp_path / "source"), str(tmp_path / "target")
    Path(source).write_bytes(b"..." + content)
    run_js("pipeline/deflate.js", STREAM, source=source, target=target, offset=3, part=part)
    return Path(target).read_bytes()


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
def test_zlib_reads_it(run_js: RunJs, tmp_path: Path, name: str, part: int) -> None:
    compressed = deflated(run_js, tmp_path, CONTENTS[name], part)
    assert zlib.decompress(compressed) == CONTENTS[name]


def soft_cutout() -> np.ndarray:
    rgb = np.asarray(Image.fromarray(data.astronaut()).resize((901, 900)))
    y, x = np.mgrid[:900, :901]
    alpha = np.clip(400 - np.hypot(y - 450, x - 450), 0, 255).astype(np.uint8)
    return np.dstack([rgb, alpha])


def test_a_cut_out_is_as_small_as_zlib_makes_it(run_js: RunJs, tmp_path: Path) -> None:
    lines = scan_lines(soft_cutout()).tobytes()
    compressed = deflated(run_js, tmp_path, lines, 1 << 22)
    runs = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    expected = len(runs.compress(lines) + runs.flush())
    assert len(compressed) < 1.05 * expected


FILE = """
const lines = new Uint8Array(readFileSync(given.lines))
const middle = lines.length >> 1
const pixels = [lines.subarray(0, middle), lines.subarray(middle)].map(module.pixelChunk)
const file = module.pngFile(readFileSync(given.head), pixels, readFileSync(given.tail))
writeFileSync(given.target, file)
"""


@pytest.mark.parametrize("kind", ["cut-out", "opaque", "grey", "deep grey", "one pixel"])
def test_pillow_reads_the_file(run_js: RunJs, tmp_path: Path, kind: str) -> None:
    cutout = soft_cutout()
    cutout[cutout[..., 3] == 0] = 0
    pixels = {
        "cut-out": cutout,
        "opaque": cutout[..., :3],
        "grey": cutout[..., 3],
        "deep grey": cutout[..., 3].astype(np.uint16) * 257,
        "one pixel": cutout[450:451, 450:451],
    }[kind]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    frame = png_frame(*pixels.shape[:2], channels, 8 * pixels.itemsize, Ancillary())
    paths = {name: str(tmp_path / name) for name in ("lines", "head", "tail", "target")}
    Path(paths["lines"]).write_bytes(scan_lines(pixels).tobytes())
    for name, content in zip(("head", "tail"), frame, strict=True):
        Path(paths[name]).write_bytes(content)
    run_js("pipeline/png-file.js", FILE, **paths)
    opened = Image.open(io.BytesIO(Path(paths["target"]).read_bytes()))
    opened.verify()  # checksums
    opened = Image.open(io.BytesIO(Path(paths["target"]).read_bytes()))
    np.testing.assert_array_equal(np.asarray(opened), pixels)
