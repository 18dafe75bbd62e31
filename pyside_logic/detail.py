"""Alpha at the photo's size, by the way that is asked for: enlarged along the photo's edges, or
found again in the soft band by matting.

Whatever looks at the photo does so at a working size; the coefficients that it finds there are
enlarged and meet the photo's own pixels, strip by strip.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyside_logic.closed_form import closed_form_alpha
from pyside_logic.guided import adaptive_coefficients, guided_coefficients, guided_strips
from pyside_logic.knn import knn_alpha
from pyside_logic.resample import Resized, resize_bilinear
from pyside_logic.solver import Limits
from pyside_logic.strips import Strip
from pyside_logic.trimap import automatic_trimap
from pyside_logic.trust import share_by_mean, share_by_outline

__all__ = ["alpha_strips"]

Float32 = npt.NDArray[np.float32]
OnProgress = Callable[[int, int], None]

#: The guided filter's windows, as parts of the working size's longer side, and its epsilon.
_NARROW = 0.008
_WIDE = 0.06
_GUIDED_EPSILON = 1e-4

#: How strongly a matting is held to the matte: it has to sharpen it, not to find the subject.
_CLOSED_FORM_TRUST = 0.1
_CLOSED_FORM_EPSILON = 1e-5
_KNN_TRUST = 1.0
_SOLVER_LIMITS = Limits(iterations=60, seconds=6.0, tolerance=1e-3)

#: All three blur what they do not understand; contrast around 0.5 takes that back.
_CONTRASTS = {"guided": 1.45, "closed_form": 1.6, "knn": 1.6}


def alpha_strips(
    rgba_hwc: npt.NDArray[np.uint8],
    guide_hwc: Float32,
    matte_hw: Float32,
    sharp_hw: Float32,
    detail: str,
    on_progress: OnProgress,
) -> Iterator[Strip]:
    """Yields (rows, alpha) from top to bottom, alpha float32 (rows, width) in [0, 1].

    `guide_hwc` is the photo at a working size, float32 (h, w, 3) in [0, 1]. `sharp_hw` is the matte
    without its blur, to start from; `matte_hw` the network's own, to stay near. `detail` is that of
    RefineOptions, but not 'none'. `on_progress` counts a matting's iterations; what it raises ends
    them.
    """
    height, width = rgba_hwc.shape[:2]
    coefficients = _coefficients(guide_hwc, sharp_hw, detail, on_progress)
    held = _held(coefficients, guide_hwc, matte_hw, _CONTRASTS[detail])
    if held.whole:
        yield from guided_strips(_with_contrast(coefficients, held.contrast), rgba_hwc)
        return
    plain = Resized(matte_hw, height, width)
    for rows, alpha_hw in guided_strips(coefficients, rgba_hwc):
        yield rows, held.of(alpha_hw, plain.rows(rows))


@dataclass(frozen=True)
class _Held:
    """Alpha with more contrast, held to the matte: so much of the way from the one to the other
    without contrast, and so much with it."""

    by_outline: float
    by_mean: float
    contrast: float

    @property
    def whole(self) -> bool:
        return self.by_outline == self.by_mean == 1

    def of(self, alpha_hw: Float32, plain_hw: Float32) -> Float32:
        """`alpha_hw` is written to; `plain_hw` is the matte of its size."""
        near_hw = _more_contrast(_between(plain_hw, alpha_hw, self.by_outline), self.contrast)
        return _between(plain_hw, near_hw, self.by_mean)


def _held(
    coefficients_chw: Float32, guide_hwc: Float32, matte_hw: Float32, contrast: float
) -> _Held:
    """What is right at the guide's size is right at the photo's."""
    plain_hw = resize_bilinear(matte_hw, *guide_hwc.shape[:2])
    alpha_hw = np.einsum("chw,hwc->hw", coefficients_chw[:3], guide_hwc)
    alpha_hw = np.clip(alpha_hw + coefficients_chw[3], 0.0, 1.0)
    by_outline = share_by_outline(alpha_hw, plain_hw)
    alpha_hw = _more_contrast(_between(plain_hw, alpha_hw, by_outline), contrast)
    return _Held(by_outline, share_by_mean(alpha_hw, plain_hw), contrast)


def _between(first_hw: Float32, second_hw: Float32, share: float) -> Float32:
    """So much of the way from the first to the second, which is written to."""
    second_hw -= first_hw
    second_hw *= np.float32(share)
    second_hw += first_hw
    return np.clip(second_hw, 0.0, 1.0, out=second_hw)  # rounding


def _coefficients(
    guide_hwc: Float32, matte_hw: Float32, detail: str, on_progress: OnProgress
) -> Float32:
    """guided_coefficients of alpha, as `detail` finds it, at the guide's size."""
    working_hw = resize_bilinear(matte_hw, *guide_hwc.shape[:2])
    if detail == "guided":
        narrow_px, wide_px = (max(1, round(p * max(working_hw.shape))) for p in (_NARROW, _WIDE))
        return adaptive_coefficients(guide_hwc, working_hw, narrow_px, wide_px, _GUIDED_EPSILON)
    solved_hw = _solved(guide_hwc, working_hw, detail, on_progress)
    return guided_coefficients(guide_hwc, solved_hw, 1, _GUIDED_EPSILON)


def _solved(
    guide_hwc: Float32, matte_hw: Float32, detail: str, on_progress: OnProgress
) -> npt.NDArray[np.float64]:
    trimap_hw = automatic_trimap(matte_hw)
    if detail == "knn":
        return knn_alpha(
            guide_hwc, matte_hw, trimap_hw, on_progress, trust=_KNN_TRUST, limits=_SOLVER_LIMITS
        )
    return closed_form_alpha(
        guide_hwc,
        matte_hw,
        trimap_hw,
        on_progress,
        trust=_CLOSED_FORM_TRUST,
        epsilon=_CLOSED_FORM_EPSILON,
        limits=_SOLVER_LIMITS,
    )


def _with_contrast(coefficients_chw: Float32, contrast: float) -> Float32:
    """Coefficients of an alpha with more contrast: that costs a pixel nothing."""
    steeper = coefficients_chw * np.float32(contrast)
    steeper[3] += np.float32((1 - contrast) / 2)
    return steeper


def _more_contrast(alpha_hw: Float32, contrast: float) -> Float32:
    stretched = (alpha_hw - np.float32(0.5)) * np.float32(contrast) + np.float32(0.5)
    return np.clip(stretched, 0.0, 1.0, out=stretched)
