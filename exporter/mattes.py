"""Mattes of a graph, and how far two of them are from each other."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnxruntime

from exporter.catalog import Network
from exporter.native import postprocess

__all__ = ["Feeds", "FloatArray", "difference", "matte_of"]

FloatArray = npt.NDArray[np.float32]
Feeds = Mapping[str, FloatArray]


def matte_of(session: onnxruntime.InferenceSession, feeds: Feeds, network: Network) -> FloatArray:
    """(height, width) in [0, 1], normalised as the network's users see it."""
    return postprocess(session.run([network.output.name], dict(feeds))[0], network.output)


def difference(matte: FloatArray, expected: FloatArray) -> float:
    """The mean of absolute differences."""
    return float(np.abs(matte - expected).mean(dtype=np.float64))
