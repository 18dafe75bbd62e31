"""From the network's matte to alpha at the photo's size. Reads as the algorithm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pyside_logic.compose import write_alpha
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.resample import check_matte, upsample_strips
from pyside_logic.sharpen import unsharp

__all__ = ["Cutout", "OnProgress", "RefineOptions", "refine"]

#: on_progress(rows done, rows in all)
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class RefineOptions:
    """How alpha is made from the matte. The defaults are what helps on measured pictures.

    `sharpen`: how much of the matte's blur is taken back before it is enlarged, 0 (none) to 4.
    """

    sharpen: float = 1.0

    def __post_init__(self) -> None:
        value = self.sharpen
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 4:
            raise _invalid(f"Expected a number from 0 to 4 for sharpen, received {value!r}.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Raises `invalid_argument` for a key that is not an option, or a value out of range."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise _invalid(f"Expected refine options among {sorted(known)}, received {unknown}.")
        return cls(**values)


class Cutout:
    """A photo, its matte, and the alpha that `refine` writes into the photo's own pixels.

    `rgba_hwc` is uint8 (height, width, 4), straight sRGB, and written to; `matte_hw` is float32
    (h, w) in [0, 1] of any size.
    """

    def __init__(self, rgba_hwc: npt.NDArray[np.uint8], matte_hw: npt.NDArray[np.float32]) -> None:
        if rgba_hwc.ndim != 3 or rgba_hwc.shape[2] != 4 or rgba_hwc.size == 0:
            raise _invalid(
                f"Expected pixels of shape (height, width, 4), received {rgba_hwc.shape}."
            )
        self.rgba_hwc = rgba_hwc
        self.matte_hw = matte_hw
        opaque = bool((rgba_hwc[..., 3] == 255).all())
        #: The photo's own alpha, where it has one: `refine` may run many times.
        self.source_alpha_hw = None if opaque else rgba_hwc[..., 3].copy()


def refine(cutout: Cutout, options: RefineOptions, on_progress: OnProgress) -> None:
    """Writes alpha into `cutout.rgba_hwc`, strip by strip, so that its size bounds no memory."""
    height, width = cutout.rgba_hwc.shape[:2]
    matte_hw = unsharp(check_matte(cutout.matte_hw), options.sharpen)
    for rows, alpha_hw in upsample_strips(matte_hw, height, width):
        source_alpha_hw = cutout.source_alpha_hw
        write_alpha(
            cutout.rgba_hwc[rows],
            alpha_hw,
            None if source_alpha_hw is None else source_alpha_hw[rows],
        )
        on_progress(rows.stop, height)


def _invalid(message: str) -> GossamerError:
    return GossamerError(ErrorCode.INVALID_ARGUMENT, Stage.REFINE, message)
