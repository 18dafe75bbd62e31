"""Alpha at the photo's size, by the way that is asked for: enlarged along the photo's edges, or
found again in the soft band by matting.

Whatever looks at the photo does so at a working size; the coefficients that it finds there are
enlarged and meet the photo's own pixels, strip by strip.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pyside_logic.closed_form import closed_form_alpha
from pyside_logic.guided import Guide, guided_coefficients, guided_strips
from pyside_logic.knn import knn_alpha
from pyside_logic.resample import resize_bilinear
from pyside_logic.solver import Limits
from pyside_logic.strips import Strip
from pyside_logic.trimap import automatic_trimap
from pyside_logic.trust import Held, share_by_mean, share_by_outline

__all__ = ["alpha_strips"]

Float32 = npt.NDArray[np.float32]
OnProgress = Callable[[int, int], None]

#: Of the guided filter that follows a matting.
_GUIDED_EPSILON = 1e-4

#: How strongly a matting is held to the matte: it has to sharpen it, not to find the subject.
_CLOSED_FORM_TRUST = 0.1
_CLOSED_FORM_EPSILON = 1e-5
_KNN_TRUST = 1.0
_SOLVER_LIMITS = Limits(iterations=60, seconds=6.0, tolerance=1e-3)

#: All three blur what they do not understand; contrast around 0.5 takes that back.
_CONTRASTS = {"guided": 1.45, "closed_form": 1.6, "knn": 1.6}

#: From here on a matte is somewhat sure of a pixel, and from there on nothing else is asked.
_SURE = 0.93, 0.985


def alpha_strips(
    rgba_hwc: npt.NDArray[np.uint8],
    guide: Guide,
    matte_hw: Float32,
    sharp_hw: Float32,
    detail: str,
    on_progress: OnProgress,
) -> Iterator[Strip]:
    """Yields (rows, alpha) from top to bottom, alpha float32 (rows, width) in [0, 1].

    `guide` is the photo at a working size. `sharp_hw` is the matte
    without its blur, to start from; `matte_hw` the network's own, to stay near. `detail` is that of
    RefineOptions, but not 'none'. `on_progress` counts a matting's iterations; what it raises ends
    them.
    """
    coefficients = _coefficients(guide, sharp_hw, detail, on_progress)
    plain_hw = resize_bilinear(matte_hw, *guide.guide_hwc.shape[:2])
    if detail == "guided":
        _keep_sure(coefficients, plain_hw)
    held = _held(coefficients, guide.guide_hwc, plain_hw, _CONTRASTS[detail])
    if held.by_outline == 1:
        coefficients = _with_contrast(coefficients, held.contrast)
        held = replace(held, contrast=1.0)
    return guided_strips(coefficients, rgba_hwc, held, plain_hw)


def _held(
    coefficients_chw: Float32, guide_hwc: Float32, plain_hw: Float32, contrast: float
) -> Held:
    """What is right at the guide's size is right at the photo's."""
    alpha_hw = np.einsum("chw,hwc->hw", coefficients_chw[:3], guide_hwc)
    alpha_hw = np.clip(alpha_hw + coefficients_chw[3], 0.0, 1.0)
    by_outline = share_by_outline(alpha_hw, plain_hw)
    alpha_hw = Held(by_outline, contrast, 1.0).of(alpha_hw, plain_hw)
    return Held(by_outline, contrast, share_by_mean(alpha_hw, plain_hw))


def _keep_sure(coefficients_chw: Float32, plain_hw: Float32) -> None:
    """Makes them those of 0 and of 1 where the matte is sure, a pixel around too: windows across an
    edge take a colour of both sides for one of them, and would print it into the other."""
    inside_hw = _sureness(plain_hw)
    outside_hw = _sureness(1 - plain_hw)
    coefficients_chw *= 1 - (inside_hw + outside_hw)
    coefficients_chw[3] += inside_hw


def _sureness(plain_hw: Float32) -> Float32:
    """Of the least of 3 x 3 pixels, in [0, 1]."""
    least_hw = np.pad(plain_hw, 1, mode="edge")
    least_hw = np.minimum(np.minimum(least_hw[:-2], least_hw[1:-1]), least_hw[2:])
    least_hw = np.minimum(np.minimum(least_hw[:, :-2], least_hw[:, 1:-1]), least_hw[:, 2:])
    somewhat, wholly = _SURE
    least_hw -= np.float32(somewhat)
    least_hw *= np.float32(1 / (wholly - somewhat))
    sureness: Float32 = np.clip(least_hw, 0, 1, out=least_hw)
    return sureness


def _coefficients(guide: Guide, matte_hw: Float32, detail: str, on_progress: OnProgress) -> Float32:
    """guided_coefficients of alpha, as `detail` finds it, at the guide's size."""
    guide_hwc = guide.guide_hwc
    working_hw = resize_bilinear(matte_hw, *guide_hwc.shape[:2])
    if detail == "guided":
        return guide.coefficients(working_hw)
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
