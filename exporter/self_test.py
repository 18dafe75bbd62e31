"""What a backend must reproduce on a visitor's device before its mattes are trusted.

A picture that web/js/pipeline/self-test.js draws in the same whole numbers, so that only the
answer travels: the means of the matte over a grid, a byte each, as native ONNX Runtime computes
them from the very file that the browser loads.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from exporter.catalog import InputSpec, Network
from exporter.errors import SiteError
from exporter.sessions import open_session

__all__ = [
    "GRID",
    "LEAST_SIDE_PX",
    "expected_answer",
    "golden_input",
    "golden_picture",
    "grid_means",
]

#: Cells along each side. A wrong operator shows in many of them, whatever the network's size.
GRID = 16
#: From which on the picture has been a subject to every network tried.
LEAST_SIDE_PX = 64
# An answer that is the same grey everywhere would prove nothing.
_LEAST_RANGE = 0.25


def golden_picture(height: int, width: int) -> npt.NDArray[np.uint8]:
    """A warm disc before a cool slope, (height, width, 3): a subject to every network and at every
    size tried, from LEAST_SIDE_PX on."""
    y = np.arange(height)[:, None] * 256 // height
    x = np.arange(width)[None] * 256 // width
    disc = (y - 128) ** 2 + (x - 128) ** 2 < 70 * 70
    channels = (
        np.where(disc, 200 - y // 8, 90 + x // 8),
        np.where(disc, 60 + x // 8, 120 + y // 8),
        np.where(disc, 40, 150),
    )
    rgb_hwc: npt.NDArray[np.uint8] = np.stack(channels, axis=-1).astype(np.uint8)
    return rgb_hwc


def golden_input(spec: InputSpec) -> npt.NDArray[np.float32]:
    """(1, 3, height, width), to the last bit what preprocess.js makes of the picture."""
    picture = golden_picture(spec.height, spec.width).astype(np.float64)
    picture /= picture.max() if spec.scale == "max" else 255
    picture = (picture - np.array(spec.mean)) / np.array(spec.std)
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32))


def grid_means(matte_hw: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(GRID, GRID); a cell is at least one pixel and ends where the next one begins."""
    height, width = matte_hw.shape
    rows, columns = (np.arange(GRID + 1) * side // GRID for side in (height, width))
    means = [
        [matte_hw[top:bottom, left:right].mean(dtype=np.float64) for left, right in _pairs(columns)]
        for top, bottom in _pairs(rows)
    ]
    return np.array(means)


def expected_answer(network: Network, artefact: Path | onnx.ModelProto) -> str:
    """Base64 of GRID x GRID bytes, row by row, of the output before any stretching.

    Raises SiteError where the network finds nothing in the picture.
    """
    session = open_session(artefact)
    feeds = {network.input.name: golden_input(network.input)}
    (output,) = session.run([network.output.name], feeds)
    means = grid_means(np.asarray(output, np.float32).reshape(output.shape[-2:]))
    if np.ptp(means) < _LEAST_RANGE:
        raise SiteError(
            f"{network.name}: Expected a matte with a subject and a background from the picture "
            f"of the self-test, received values from {means.min():.2f} to {means.max():.2f}. "
            "Nothing could be proved with them in a browser."
        )
    levels = np.round(255 * means.clip(0, 1)).astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode()


def _pairs(edges: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    return zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
