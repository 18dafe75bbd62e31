"""The pictures that both networks see."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exporter.catalog import InputSpec
from exporter.errors import VerifyError
from exporter.native import preprocess
from exporter.pictures import PHOTO_ENDINGS, read_photo
from exporter.verify import sample_pictures

__all__ = ["Golden", "golden_inputs"]


@dataclass(frozen=True)
class Golden:
    """A picture, uint8 (height, width, 3), and the network's input made from it."""

    name: str
    rgb_hwc: npt.NDArray[np.uint8]
    input_nchw: npt.NDArray[np.float32]


def golden_inputs(spec: InputSpec, folder: Path | None = None) -> list[Golden]:
    """The pictures of a folder, by name, or two of our own. Raises VerifyError, PictureError."""
    if folder is None:
        pictures = [(f"sample {index}", rgb) for index, rgb in enumerate(sample_pictures(), 1)]
    else:
        paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in PHOTO_ENDINGS)
        if not paths:
            kinds = ", ".join(sorted(PHOTO_ENDINGS))
            raise VerifyError(f"{folder}: Expected pictures ({kinds}) in it, found none.")
        pictures = [(path.name, read_photo(path)[..., :3]) for path in paths]
    return [Golden(name, rgb, preprocess(rgb, spec)) for name, rgb in pictures]
