"""A trimap from a matte: what is surely background, surely foreground, and to be found out.

The band follows two things, as a retoucher's brush does: it is wide where the matte itself is
unsure (hair, fur, blur) and narrow at a crisp edge, and it grows with the subject. After the
adaptive trimaps of O. Wang et al., "Automatic natural video matting with depth", 2007, with the
network's own doubt in the place of depth.
"""

import numpy as np
import numpy.typing as npt

from pyside_logic.boxes import box_mean

__all__ = ["BACKGROUND", "FOREGROUND", "UNKNOWN", "automatic_trimap"]

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255

#: Of the side of a square as large as the subject: how far doubt reaches.
_REACH = 0.02
#: Mean doubt in a window, of at most 1, from which its centre is unknown.
_DOUBT = 0.05
#: Values further than this from 0 and 1 are unknown in any case.
_CERTAIN = 0.05


def automatic_trimap(matte_hw: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """BACKGROUND, UNKNOWN or FOREGROUND for each pixel of `matte_hw`, (h, w) in [0, 1]."""
    subject_px = float(np.sqrt(matte_hw.sum(dtype=np.float64)))
    doubt = box_mean(4 * matte_hw * (1 - matte_hw), max(1, round(_REACH * subject_px)))
    certain = (matte_hw <= _CERTAIN) | (matte_hw >= 1 - _CERTAIN)
    known = np.where(matte_hw < 0.5, np.uint8(BACKGROUND), np.uint8(FOREGROUND))
    trimap: npt.NDArray[np.uint8] = np.where(certain & (doubt < _DOUBT), known, np.uint8(UNKNOWN))
    return trimap
