"""From pixels to a file."""

import numpy as np
import numpy.typing as npt

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.png import encode_png

__all__ = ["encode"]

_ENCODERS = {"image/png": encode_png}


def encode(rgba_hwc: npt.NDArray[np.uint8], mime_type: str, content: str) -> bytes:
    """The file of `rgba_hwc` (height, width, 4), straight: content 'cutout' is the picture,
    'alpha' its alpha as a grey one. Raises `invalid_argument` for another type or content."""
    if mime_type not in _ENCODERS:
        raise _refusal("output type", sorted(_ENCODERS), mime_type)
    if content not in ("cutout", "alpha"):
        raise _refusal("content", ["alpha", "cutout"], content)
    pixels = rgba_hwc if content == "cutout" else np.ascontiguousarray(rgba_hwc[..., 3])
    return _ENCODERS[mime_type](pixels)


def _refusal(what: str, expected: list[str], received: str) -> GossamerError:
    return GossamerError(
        ErrorCode.INVALID_ARGUMENT,
        Stage.ENCODE,
        f"Expected {' or '.join(expected)} for {what}, received {received!r}.",
    )
