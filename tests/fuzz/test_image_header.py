"""The decoders' entry: `image-header.js` reads every picture file before anything decodes it.

Real files of every format, damaged where a parser hurts: lengths, counts, ends, and one format's
parts inside another's. Whatever comes, it answers at once, with null or with a header that holds.
"""

import base64
import io
import os

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.unit.web.conftest import RunJs

from .conftest import Tried

FUZZ = """
const sources = given.sources.map((text) => Uint8Array.from(Buffer.from(text, 'base64')))
const formats = ['jpeg', 'png', 'gif', 'webp', 'bmp', 'avif', 'heif']
let state = given.seed >>> 0 || 1
const random = (n) => {
  state ^= state << 13; state >>>= 0
  state ^= state >>> 17
  state ^= state << 5; state >>>= 0
  return state % n
}
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]
const damages = [
  (bytes) => { bytes[random(bytes.length)] = random(256) },
  (bytes) => { bytes[random(bytes.length)] ^= 1 << random(8) },
  (bytes) => {
    const size = [1, 2, 4][random(3)]
    if (bytes.length < size) return
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const at = random(bytes.length - size + 1)
    const value = EDGES[random(EDGES.length)]
    const little = random(2) === 0
    if (size === 1) view.setUint8(at, value)
    else if (size === 2) view.setUint16(at, value, little)
    else view.setUint32(at, value, little)
  },
  (bytes) => {
    const other = sources[random(sources.length)]
    const length = Math.min(random(64) + 1, bytes.length, other.length)
    const from = random(other.length - length + 1)
    bytes.set(other.subarray(from, from + length), random(bytes.length - length + 1))
  },
  (bytes) => {
    const from = random(bytes.length)
    bytes.fill(random(2) * 255, from, from + random(200))
  },
]
const isCount = (value) => Number.isInteger(value) && value >= 0
const holds = (header) =>
  header === null ||
  (formats.includes(header.format) && isCount(header.height) && isCount(header.width) &&
    typeof header.complete === 'boolean' &&
    (header.density === null ||
      (isCount(header.density.vertical) && isCount(header.density.horizontal))))
const seen = {}
let slowest_ms = 0
for (let tried = 0; tried < given.inputs; tried++) {
  const source = sources[random(sources.length)]
  const bytes = source.slice(0, random(4) ? source.length : random(source.length) + 1)
  // Most inputs keep the signature, or nothing behind it would be tried.
  const kept = random(10) ? Math.min(12, bytes.length - 1) : 0
  for (let count = random(8); count > 0; count--) {
    damages[random(damages.length)](bytes.subarray(kept))
  }
  const started_ms = performance.now()
  let header
  try {
    header = module.readImageHeader(bytes)
  } catch (error) {
    return { failed: String(error), input: Buffer.from(bytes).toString('base64') }
  }
  slowest_ms = Math.max(slowest_ms, performance.now() - started_ms)
  if (!holds(header)) return { failed: header, input: Buffer.from(bytes).toString('base64') }
  const name = header?.format ?? 'none'
  seen[name] = (seen[name] ?? 0) + 1
}
return { seen, slowest_ms }
"""


def _file(format_name: str, mode: str = "RGB", **options: object) -> str:
    pixels = np.random.default_rng(1).integers(0, 256, (11, 13, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format_name, **options)
    return base64.b64encode(buffer.getvalue()).decode()


def _files() -> list[str]:
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.new("RGB", (13, 11), colour) for colour in ("red", "green")]
    animated = {"save_all": True, "append_images": frames}
    return [
        _file("JPEG", exif=exif, dpi=(300, 300)),
        _file("JPEG", progressive=True),
        _file("JPEG", "CMYK"),
        _file("PNG", dpi=(72, 72)),
        _file("PNG", "P"),
        _file("PNG", **animated),
        _file("GIF"),
        _file("GIF", **animated),
        _file("WEBP"),
        _file("WEBP", lossless=True),
        _file("WEBP", **animated),
        _file("BMP"),
        _file("AVIF"),
        *_heic_files(),
    ]


def _heic_files() -> list[str]:
    """One as it is written, and one whose last box tells its length in 64 bits."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red")).save(buffer)
    heic = buffer.getvalue()
    at = heic.index(b"mdat") - 4
    longer = (len(heic) - at + 8).to_bytes(8, "big")
    wide = heic[:at] + (1).to_bytes(4, "big") + b"mdat" + longer + heic[at + 8 :]
    return [base64.b64encode(one).decode() for one in (heic, wide)]


@pytest.mark.parametrize(
    ("inputs", "seed"),
    [(60_000, 7), pytest.param(3_000_000, None, marks=pytest.mark.soak)],
)
def test_every_damaged_file_gets_an_answer(
    run_js: RunJs, tried: Tried, inputs: int, seed: int | None
) -> None:
    files = _files()
    for _ in range(0, inputs, 60_000):
        seed_now = seed or int.from_bytes(os.urandom(4)) or 1
        outcome = run_js(
            "pipeline/image-header.js", FUZZ, sources=files, inputs=60_000, seed=seed_now
        )
        assert "failed" not in outcome, (seed_now, outcome)
        # All of them were reached, and not by their signatures alone.
        # A damaged AVIF may be one of HEIF's brands, now and then.
        kinds = ("jpeg", "png", "gif", "webp", "bmp", "avif", "heif", "none")
        assert min(outcome["seen"].get(kind, 0) for kind in kinds) > 300
        tried("image-header.js: files of seven formats, damaged", 60_000)
