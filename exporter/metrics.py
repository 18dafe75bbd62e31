"""What a foreground map is measured by, against ground truth.

MAE, MSE     over all pixels
band MAE     over the pixels near an edge, where a cut-out is good or bad to the eye
S-measure    structure of objects and regions: Fan et al., ICCV 2017
weighted F   errors weighted by place and neighbourhood: Margolin et al., CVPR 2014

The last two are those of PySODMetrics, without its stretching of the map to 0..1: alpha is used as
it is. They know foreground and background only, so soft ground truth is cut at a half for them.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.errors import EvaluationError

__all__ = ["Scores", "band_of", "mean_scores", "measure", "require_packages"]

Float32 = npt.NDArray[np.float32]

#: Half of the band's width, in parts of the picture's diagonal, and at least this many pixels.
BAND_RADIUS = 0.01
BAND_RADIUS_PX = 2
#: Ground truth between these is an edge by itself: hair, fur, motion blur.
SOFT_RANGE = (0.05, 0.95)


@dataclass(frozen=True)
class Scores:
    """The first three are errors (0 is perfect), the others agreements (1 is perfect).

    `band_mae` is NaN where the ground truth has no edge.
    """

    mae: float
    mse: float
    band_mae: float
    s_measure: float
    weighted_f: float

    def minus(self, other: "Scores") -> "Scores":
        return Scores(
            *(mine - theirs for mine, theirs in zip(_values(self), _values(other), strict=True))
        )


def measure(alpha_hw: Float32, truth_hw: Float32) -> Scores:
    """Both are float32 (height, width) in [0, 1]. Raises EvaluationError."""
    packages = require_packages()
    distance = np.abs(alpha_hw.astype(np.float64) - truth_hw)
    band_hw = band_of(truth_hw)
    structure, weighted = packages.Smeasure(), packages.WeightedFmeasure()
    # PySODMetrics takes the mean of an empty region where the foreground lies at the very border.
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        for metric in (structure, weighted):
            metric.step(alpha_hw, truth_hw > 0.5, normalize=False)
    scores = Scores(
        mae=float(distance.mean()),
        mse=float((distance**2).mean()),
        band_mae=float(distance[band_hw].mean()) if band_hw.any() else math.nan,
        s_measure=float(structure.get_results()["sm"]),
        weighted_f=float(weighted.get_results()["wfm"]),
    )
    if math.isnan(scores.s_measure):
        raise EvaluationError(
            "Expected foreground with its centre above the last row and left of the last column, "
            "which the S-measure needs, received another one. Leave this picture out."
        )
    return scores


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean over pictures; pictures without an edge do not count for the band."""
    table = np.array([_values(one) for one in scores])
    counted = ~np.isnan(table)
    sums = np.where(counted, table, 0).sum(axis=0)
    counts = counted.sum(axis=0)
    return Scores(
        *(
            float(total / count) if count else math.nan
            for total, count in zip(sums, counts, strict=True)
        )
    )


def band_of(truth_hw: Float32) -> npt.NDArray[np.bool_]:
    """bool (height, width): the pixels within the band's radius of an edge or of soft pixels."""
    from scipy.ndimage import distance_transform_edt

    inside_hw = truth_hw >= 0.5
    edge_hw = (truth_hw > SOFT_RANGE[0]) & (truth_hw < SOFT_RANGE[1])
    for axis in (0, 1):
        first, second = np.moveaxis(inside_hw, axis, 0)[:-1], np.moveaxis(inside_hw, axis, 0)[1:]
        edge = np.moveaxis(edge_hw, axis, 0)  # a view: what is written here is written there
        edge[:-1] |= first != second
        edge[1:] |= first != second
    if not edge_hw.any():
        return edge_hw
    radius_px = max(BAND_RADIUS_PX, round(BAND_RADIUS * math.hypot(*truth_hw.shape)))
    band_hw: npt.NDArray[np.bool_] = distance_transform_edt(~edge_hw) <= radius_px
    return band_hw


def require_packages() -> Any:
    """The module of PySODMetrics. Raises EvaluationError where it is not installed."""
    try:
        import py_sod_metrics
    except ImportError as error:
        raise EvaluationError(
            f"Expected the Python package pysodmetrics, which measures: {error}. "
            "Run this in Gossamer's folder: pip install --editable '.[eval]'"
        ) from error
    return py_sod_metrics


def _values(scores: Scores) -> list[float]:
    return [getattr(scores, field.name) for field in fields(scores)]
