"""Alpha at the photo's size, by the way that is asked for: enlarged as it is, along the photo's
edges, or found again in the soft band by matting.

Whatever looks at the photo does so at a working size; the coefficients that it finds there are
enlarged and meet the photo's own pixels, strip by strip.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from pyside_logic.closed_form import closed_form_alpha
from pyside_logic.guided import guided_coefficients, guided_strips
from pyside_logic.knn import knn_alpha
from pyside_logic.resample import resize_bilinear, upsample_strips
from pyside_logic.shrink import shrink_photo
from pyside_logic.solver import Limits
from pyside_logic.strips import Strip
from pyside_logic.trimap import automatic_trimap

__all__ = ["alpha_strips"]

Float32 = npt.NDArray[np.float32]
OnProgress = Callable[[int, int], None]

#: The longer side of the working size.
_WORKING_PX = 512

#: The guided filter's windows, as a part of the working size's longer side, and its epsilon.
_GUIDED_RADIUS = 0.008
_GUIDED_EPSILON = 1e-4

#: How strongly a matting is held to the matte: it has to sharpen it, not to find the subject.
_CLOSED_FORM_TRUST = 0.1
_CLOSED_FORM_EPSILON = 1e-5
_KNN_TRUST = 1.0
_SOLVER_LIMITS = Limits(iterations=60, seconds=6.0, tolerance=1e-3)

#: All three blur what they do not understand; contrast around 0.5 takes that back.
_CONTRAST = 1.6


def alpha_strips(
    rgba_hwc: npt.NDArray[np.uint8], matte_hw: Float32, detail: str, on_progress: OnProgress
) -> Iterator[Strip]:
    """Yields (rows, alpha) from top to bottom, alpha float32 (rows, width) in [0, 1].

    `detail` is one of refine_options.DETAILS. `on_progress` counts a matting's iterations; what it
    raises ends them.
    """
    height, width = rgba_hwc.shape[:2]
    if detail == "none":
        yield from upsample_strips(matte_hw, height, width)
        return
    guide_hwc = shrink_photo(rgba_hwc, _WORKING_PX)[..., :3]
    working_hw = resize_bilinear(matte_hw, *guide_hwc.shape[:2])
    if detail == "guided":
        radius_px = max(1, round(_GUIDED_RADIUS * max(working_hw.shape)))
        coefficients = guided_coefficients(guide_hwc, working_hw, radius_px, _GUIDED_EPSILON)
    else:
        solved_hw = _solved(guide_hwc, working_hw, detail, on_progress)
        coefficients = guided_coefficients(guide_hwc, solved_hw, 1, _GUIDED_EPSILON)
    for rows, alpha_hw in guided_strips(coefficients, rgba_hwc):
        yield rows, _more_contrast(alpha_hw)


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


def _more_contrast(alpha_hw: Float32) -> Float32:
    stretched = (alpha_hw - np.float32(0.5)) * np.float32(_CONTRAST) + np.float32(0.5)
    return np.clip(stretched, 0.0, 1.0, out=stretched)
