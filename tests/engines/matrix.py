"""Runs a network in a page and compares it with native ONNX Runtime: one row of the matrix."""

import base64
import functools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from exporter.catalog import find_network
from exporter.native import NativeNetwork
from exporter.passes import input_size
from exporter.pipeline import with_size
from exporter.source import read_source
from tests.e2e.app import png

from .drivers import Engine

SIDE_PX = 64
NETWORKS = ("u2netp", "modnet")

# Also from a page that is not the app: `module` is the address of the API then.
RUN = """
async ({ module, content, options }) => {
  const gossamer = module ? await import(module) : window.gossamer
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0))
  const file = new File([bytes], 'photo.png')
  await gossamer.preload(options)
  const result = await gossamer.segmentForeground(file, options)
  const { matte, backend, precision, threads, timings } = result
  const url = await new Promise((resolve) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result)
    reader.readAsDataURL(new Blob([matte.data]))
  })
  return { matte: url.slice(url.indexOf(',') + 1), backend, precision, threads,
           infer_ms: timings.infer_ms }
}
"""


@dataclass(frozen=True)
class Row:
    """`threads` is 1 or 2, which stands for more than one; `infer_ms` is of a second run."""

    engine: str
    version: str
    backend: str
    precision: str
    threads: int
    network: str
    max_difference: float
    infer_ms: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@functools.cache
def photo() -> np.ndarray:
    """uint8 (SIDE_PX, SIDE_PX, 3): no engine has to resize it."""
    size = (SIDE_PX, SIDE_PX)
    return np.asarray(Image.fromarray(data.coffee()).resize(size, Image.Resampling.LANCZOS))


@functools.cache
def native_matte(name: str) -> np.ndarray:
    """The network as published, on this machine's CPU."""
    published = find_network(name)
    input_name = published.input.name
    source = read_source(published)
    source = input_size.apply(source, name=input_name, height=SIDE_PX, width=SIDE_PX)
    sized = with_size(published, SIDE_PX, SIDE_PX)
    return NativeNetwork(sized, source, threads=2).matte(photo())


def measure(
    engine: Engine, network: str, backend: str | list[str], *, module: str | None = None
) -> Row:
    given = {
        "module": module,
        "content": base64.b64encode(png(photo())).decode(),
        "options": {"model": network, "backend": backend},
    }
    answer = engine.call(RUN, given)
    matte = np.frombuffer(base64.b64decode(answer["matte"]), "<f4").reshape(SIDE_PX, SIDE_PX)
    expected = native_matte(network)
    assert np.ptp(expected) > 0.1, "one grey would prove nothing"
    return Row(
        engine=engine.name,
        version=engine.version,
        backend=answer["backend"],
        precision=answer["precision"],
        threads=min(answer["threads"], 2),
        network=network,
        max_difference=float(np.abs(matte - expected).max()),
        infer_ms=answer["infer_ms"],
    )
