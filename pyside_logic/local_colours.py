"""Local linear models of a matte over a photo's colours.

In a small window the matte is nearly a linear function of the colour, alpha = a . colour + b. That
assumption carries both the guided filter and closed-form matting; here is the regression that they
share: K. He, J. Sun, X. Tang, "Guided Image Filtering", PAMI 2013, equations 14 and 15.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean

__all__ = ["LocalColours"]

Float64 = npt.NDArray[np.float64]

#: The six different entries of a symmetric 3 x 3 matrix.
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))

#: Of a matte in a window: with less there is nothing to explain.
_LEAST_VARIANCE = 1e-4


class LocalColours:
    """Windows of `radius_px` around every pixel of `guide_hwc`, float (h, w, 3) in [0, 1].

    `epsilon` (in squared units of the guide) holds `a` small: texture below its square root is not
    followed. Means and covariances are float64, so that 1e-7 still works.
    """

    def __init__(self, guide_hwc: npt.NDArray[Any], radius_px: int, epsilon: float) -> None:
        self._guide_chw = np.ascontiguousarray(np.moveaxis(guide_hwc, -1, 0), np.float64)
        self._radius_px = radius_px
        self._mean = box_mean(self._guide_chw, radius_px)
        products = np.stack([self._guide_chw[i] * self._guide_chw[j] for i, j in _PAIRS])
        covariance = box_mean(products, radius_px)
        for entry, (i, j) in zip(covariance, _PAIRS, strict=True):
            entry -= self._mean[i] * self._mean[j]
        self._inverse = _inverse(covariance, epsilon)

    def fit(self, matte_hw: npt.NDArray[Any]) -> Float64:
        """(a, b) of the window around each pixel, (4, h, w): three of `a`, then `b`."""
        covariance, mean = self._with_matte(matte_hw)
        return self._model(covariance, mean)

    def fit_and_share(self, matte_hw: npt.NDArray[Any]) -> tuple[Float64, Float64, Float64]:
        """`fit`, how much of the matte's variance in each window it explains, (h, w) in [0, 1], and
        that variance, (h, w). Where the matte hardly varies, 0 of it is explained."""
        covariance, mean = self._with_matte(matte_hw)
        model = self._model(covariance, mean)
        squares = np.square(matte_hw, dtype=np.float64)
        variance = box_mean(squares, self._radius_px) - mean * mean
        share = _dot(model, covariance) / np.maximum(variance, _LEAST_VARIANCE)
        share[variance < _LEAST_VARIANCE] = 0.0
        return model, np.clip(share, 0.0, 1.0), variance

    def mean_over_windows(self, values: Float64) -> Float64:
        """The mean over all windows that a pixel lies in, of values (..., h, w) that each has."""
        return box_mean(values, self._radius_px)

    def _with_matte(self, matte_hw: npt.NDArray[Any]) -> tuple[Float64, Float64]:
        """The covariance of colours and matte, (3, h, w), and the matte's mean, (h, w)."""
        weighted = np.concatenate([self._guide_chw * matte_hw, matte_hw[None]])
        means = box_mean(weighted.astype(np.float64, copy=False), self._radius_px)
        return means[:3] - self._mean * means[3], means[3]

    def _model(self, covariance: Float64, mean: Float64) -> Float64:
        x, y, z = covariance
        xx, xy, xz, yy, yz, zz = self._inverse
        slopes = np.stack(
            [xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z]
        )
        return np.concatenate([slopes, (mean - _dot(slopes, self._mean))[None]])

    def smooth(self, matte_hw: npt.NDArray[Any]) -> Float64:
        """(4, h, w): the means of (a, b) over all windows that a pixel lies in."""
        return self.mean_over_windows(self.fit(matte_hw))

    def filtered(self, matte_hw: npt.NDArray[Any]) -> Float64:
        """`matte_hw` as its smoothed models explain it, (h, w): the guided filter itself."""
        coefficients = self.smooth(matte_hw)
        explained: Float64 = _dot(coefficients, self._guide_chw) + coefficients[3]
        return explained


def _dot(coefficients: Float64, colours: Float64) -> Float64:
    product: Float64 = coefficients[0] * colours[0]
    product += coefficients[1] * colours[1]
    product += coefficients[2] * colours[2]
    return product


def _inverse(covariance: Float64, epsilon: float) -> Float64:
    """Inverses of the symmetric matrices plus epsilon times identity, as their six entries."""
    xx, xy, xz, yy, yz, zz = covariance
    xx, yy, zz = xx + epsilon, yy + epsilon, zz + epsilon
    adjugate = np.stack(
        [
            yy * zz - yz * yz,
            xz * yz - xy * zz,
            xy * yz - xz * yy,
            xx * zz - xz * xz,
            xy * xz - xx * yz,
            xx * yy - xy * xy,
        ]
    )
    adjugate /= xx * adjugate[0] + xy * adjugate[1] + xz * adjugate[2]
    return adjugate
