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
    scaled = alpha_hw * np.float32(255) if source_alpha_hw is None else alpha_hw * source_alpha_hw
    scaled += 0.5  # the cast cuts off
    rgba_hwc[..., 3] = scaled


def keep_transparency(
    rgba_hwc: npt.NDArray[np.uint8], source_alpha_hw: npt.NDArray[np.uint8]
) -> None:
    """Multiplies the alpha of `rgba_hwc` (rows, width, 4) by the alpha that the photo came with,
    (rows, width), in place: what was transparent stays so."""
    product = rgba_hwc[..., 3] * source_alpha_hw.astype(np.uint16)
    rgba_hwc[..., 3] = (product + np.uint16(127)) // np.uint16(255)
