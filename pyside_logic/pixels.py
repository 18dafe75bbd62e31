"""Pixels as numbers: as many bytes at once as they have."""

import numpy as np
import numpy.typing as npt

__all__ = ["as_numbers"]


def as_numbers(rgba_hwc: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """The pixels of `rgba_hwc` (h, w, 4) one after another, (h w,), alpha on top: to pick some, or
    to put some, costs a tenth. A contiguous picture is not copied, but shared."""
    return rgba_hwc.reshape(-1).view("<u4")
