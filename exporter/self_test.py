"""What a backend must reproduce on a visitor's device before its mattes are trusted.

Pictures that web/js/pipeline/self-test.js draws in the same whole numbers, so that only the answer
travels: the means of the matte over a grid, a byte each, as native ONNX Runtime computes them from
the very file that the browser loads. A network for another subject than a disc finds more in the
disc of another colour, or in squares: of the pictures one is taken that shows it something.
"""

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from exporter.catalog import InputSpec, Network
from exporter.errors import SiteError
from exporter.normalise import normalise
from exporter.sessions import open_session

__all__ = [
    "GRID",
    "LEAST_SIDE_PX",
    "PICTURES",
    "expected_answer",
    "golden_input",
    "golden_picture",
    "grid_means",
]

#: Cells along each side. A wrong operator shows in many of them, whatever the network's size.
GRID = 16
#: From which on the picture has been a subject to every network tried.
LEAST_SIDE_PX = 64
#: Numbers of `golden_picture`, in the order in which they are tried.
PICTURES = range(4)
_COLOURS = 3
# The first picture with so much of it is taken, else the one with most. It is a share of the
# largest number that the network answers with, or of 1 where that is smaller.
_GOOD_CONTRAST = 0.25
# An answer that is the same grey everywhere would prove nothing; a hundredth of less is what other
# arithmetic changes.
_LEAST_CONTRAST = 0.005
# A rounding error of a Sigmoid.
_TOLERANCE = 1e-3


def golden_picture(height: int, width: int, number: int = 0) -> npt.NDArray[np.uint8]:
    """(height, width, 3). A warm disc before a cool slope, which is a subject to every network of
    the catalogue from LEAST_SIDE_PX on; the same in other colours; squares of many colours."""
    y = np.arange(height)[:, None] * 256 // height
    x = np.arange(width)[None] * 256 // width
    disc = (y - 128) ** 2 + (x - 128) ** 2 < 70 * 70
    square = 8 * (y // 32) + x // 32
    channels = [
        np.where(disc, 200 - y // 8, 90 + x // 8),
        np.where(disc, 60 + x // 8, 120 + y // 8),
        np.where(disc, 40, 150),
    ]
    if number >= _COLOURS:
        channels = [(53 * square * square + factor * square) % 256 for factor in (91, 182, 273)]
    rgb_hwc: npt.NDArray[np.uint8] = np.stack(channels, axis=-1).astype(np.uint8)
    return np.roll(rgb_hwc, number, axis=-1)


def golden_input(spec: InputSpec, number: int = 0) -> npt.NDArray[np.float32]:
    """(1, 3, height, width), to the last bit what preprocess.js makes of the picture."""
    return normalise(golden_picture(spec.height, spec.width, number), spec)


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
    """Base64 of GRID x GRID bytes, row by row, of the output before any stretching. Where these are
    not levels of 0..1, or not of the first picture, its number and what the lowest and the highest
    level stand for come after them: a byte and two of float32.

    Raises SiteError where the network finds nothing in any picture.
    """
    number, means = _shown(network, artefact)
    low, high = 0.0, 1.0
    if _contrast(means) < _GOOD_CONTRAST or np.abs(means - 0.5).max() > 0.5 + _TOLERANCE:
        low, high = (float(np.float32(one)) for one in (means.min(), means.max()))
    is_usual = (number, low, high) == (0, 0.0, 1.0)
    levels = np.round(255 * ((means - low) / (high - low)).clip(0, 1)).astype(np.uint8)
    after = b"" if is_usual else struct.pack("<Bff", number, low, high)
    return base64.b64encode(levels.tobytes() + after).decode()


def _shown(
    network: Network, artefact: Path | onnx.ModelProto
) -> tuple[int, npt.NDArray[np.float64]]:
    """The number of a picture, and the answer to it."""
    session = open_session(artefact)
    answers: list[npt.NDArray[np.float64]] = []
    for number in PICTURES:
        feeds = {network.input.name: golden_input(network.input, number)}
        (output,) = session.run([network.output.name], feeds)
        answers.append(grid_means(np.asarray(output, np.float32).reshape(output.shape[-2:])))
        if _contrast(answers[-1]) >= _GOOD_CONTRAST:
            return number, answers[-1]
    best = max(PICTURES, key=lambda number: _contrast(answers[number]))
    if not _contrast(answers[best]) >= _LEAST_CONTRAST:
        means = answers[best]
        raise SiteError(
            f"{network.name}: Expected an answer with a subject and a background from one of the "
            f"pictures of the self-test, received values from {means.min():.3g} to "
            f"{means.max():.3g}. Nothing could be proved with them in a browser. Check the input's "
            f"scale, mean and std, and the output's name, in {network.written_in}."
        )
    return best, answers[best]


def _contrast(means: npt.NDArray[np.float64]) -> float:
    return float(np.ptp(means) / max(1.0, np.abs(means).max()))


def _pairs(edges: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    return zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
