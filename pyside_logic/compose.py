"""Writes alpha into a photo's own pixels."""

import numpy as np
import numpy.typing as npt

from pyside_logic.compiled import loops

__all__ = ["keep_transparency", "write_alpha"]


def write_alpha(
    rgba_hwc: npt.NDArray[np.uint8],
    alpha_hw: npt.NDArray[np.float32],
    source_alpha_hw: npt.NDArray[np.uint8] | None,
) -> None:
    """Replaces the alpha of `rgba_hwc` (rows, width, 4), straight, in place; RGB is not touched.

    `alpha_hw` is (rows, width) in [0, 1]. `source_alpha_hw` is the alpha that the photo came with,
    None for an opaque one: what was transparent stays so.
    """
    if loops and source_alpha_hw is None and rgba_hwc.flags.c_contiguous:
        loops.write_alpha(np.ascontiguousarray(alpha_hw), alpha_hw.size, rgba_hwc)
        return
    scaled = alpha_hw * np.float32(255)
    scaled += 0.5  # the cast cuts off
    rgba_hwc[..., 3] = scaled
    if source_alpha_hw is not None:
        keep_transparency(rgba_hwc, source_alpha_hw)


def keep_transparency(
    rgba_hwc: npt.NDArray[np.uint8], source_alpha_hw: npt.NDArray[np.uint8]
) -> None:
    """Makes the alpha of `rgba_hwc` (rows, width, 4) no more than what the photo came with, (rows,
    width), in place. Their product would make the edges of a cut-out harder that is cut out again.
    """
    np.minimum(rgba_hwc[..., 3], source_alpha_hw, out=rgba_hwc[..., 3])
