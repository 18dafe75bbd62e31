"""For scripts: `cut("photo.jpg").save("cutout.png")` does what `gossamer cut` does."""

import errno
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from exporter.cut import FORMATS
from exporter.errors import ExporterError, PictureError
from exporter.finder import Finder, FindSettings, Found
from exporter.native import (
    Cutout,
    Refinement,
    Source,
    encoded,
    image_of,
    key_matte,
    open_backdrop,
    open_image,
    open_source,
    parse_output,
    parse_refinement_options,
    refined,
)
from exporter.pictures import photo_of_array
from exporter.writable import write_whole

__all__ = ["Picture", "Result", "cut"]

#: A file, or pixels: uint8 (height, width), (height, width, 3) or (height, width, 4) with straight
#: alpha, in sRGB.
Picture = str | os.PathLike[str] | Image.Image | npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Result:
    """A photo that was cut out.

    `rgba` is uint8 (height, width, 4) with straight alpha, sRGB or, for a photo of more colours,
    Display P3; `matte` is what was found, float32 (h, w) in [0, 1] of the network's size; `model`
    the network whose edges it has; `confidence` how sure the one that found the subject is of it,
    in [0, 1], None where none did: below 0.9 somebody should look.
    """

    rgba: npt.NDArray[np.uint8]
    matte: npt.NDArray[np.float32]
    model: str
    confidence: float | None
    _cutout: Cutout = field(repr=False)
    _refinement: Refinement = field(repr=False)
    _source: Source = field(repr=False)

    @property
    def alpha(self) -> npt.NDArray[np.uint8]:
        """(height, width), of `rgba`."""
        return self.rgba[..., 3]

    def image(self) -> Image.Image:
        """As a Pillow image of mode RGBA, with its profile where that is Display P3."""
        return image_of(self.rgba, self._source)

    def encode(
        self,
        output: Mapping[str, Any] = MappingProxyType({}),
        *,
        content: Literal["cutout", "alpha"] = "cutout",
        backdrop: str | os.PathLike[str] | None = None,
    ) -> bytes:
        """The file that the browser writes for the same `output`; a PNG byte for byte.

        `output` has the names of OutputOptions in web/js/rpc/messages.js; `backdrop` is the file of
        a picture behind, for a background of 'picture'. Raises ExporterError.
        """
        options = parse_output(output)
        behind = None if backdrop is None else open_backdrop(_path(backdrop), self._source)
        cutout = self._cutout
        if options.depth == 16 and cutout.precise_alpha_hw is None:
            cutout = refined(cutout.original_rgba(), self.matte, self._refinement, precise=True)
        return encoded(cutout, options, content=content, source=self._source, backdrop_hwc=behind)

    def save(
        self, path: str | os.PathLike[str], output: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Writes the file of `encode`, of the type that the name ends in. Raises ExporterError."""
        target = Path(path)
        mime_type = FORMATS.get(target.suffix[1:].lower())
        if mime_type is None:
            endings = ", ".join(f".{name}" for name in FORMATS)
            raise ExporterError(f"{target}: Expected a name that ends in {endings}.")
        data = self.encode({"type": mime_type, **output})
        try:
            if not target.parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))
            write_whole(target, data)
        except OSError as error:
            raise ExporterError(f"{target}: Expected a place to write to: {error}") from error


def cut(
    image: Picture,
    *,
    model: str = "u2netp",
    spec: str | os.PathLike[str] | None = None,
    precision: Literal["fp32", "int8"] = "fp32",
    refine: Mapping[str, Any] | None = MappingProxyType({}),
    wider_look: bool = True,
    second_look: bool = False,
    key: str | None = None,
) -> Result:
    """Cuts the subject out of a picture.

    `model` is a network of models/catalog.toml, fetched at its first use; 'auto' for the first of
    them with the edges of one that knows people better, where they agree; or an ONNX file that
    `spec`, a TOML file, describes. `refine` has the names of RefineOptions in
    pyside_logic/refine_options.py, None enlarges the matte and does no more. `wider_look` runs the
    network once more, on the photo in fewer pixels, for parts of a large subject that it has lost;
    `second_look` on the subject's box, for finer edges. `key`, a colour or 'auto', takes the place
    of a network before a plain backdrop.

    Sessions are kept for the next call, and several threads may call at once. Raises ExporterError,
    of which PictureError is the one for `image`.
    """
    photo_hwc, source = _opened(image)
    refinement = parse_refinement_options(refine, keyed=key is not None)
    if key is not None:
        found = Found(key_matte(photo_hwc, key), "chroma-key", None)
    else:
        described = None if spec is None else _path(spec)
        networks = FindSettings(model, described, precision, wider_look)
        found = _finder(networks)(photo_hwc, second_look=second_look)
    cutout = refined(photo_hwc, found.matte_hw, refinement)
    return Result(cutout.rgba_hwc, *found, cutout, refinement, source)


#: When a file was written and how large it is; None where it is not there.
_Version = tuple[int, int] | None

#: Each with the versions of its files: an ONNX file that was written again is another network.
#: A second look needs no other one, so that these settings are without it.
_finders: dict[FindSettings, tuple[list[_Version], Finder]] = {}
_starting = threading.Lock()


def _finder(settings: FindSettings) -> Finder:
    model, spec = settings.model, settings.spec
    if not isinstance(model, str):
        raise ExporterError(f"Expected the name of a network or its file, received {model!r}.")
    versions = [] if spec is None else [_version(Path(model)), _version(spec)]
    with _starting:
        if settings not in _finders or _finders[settings][0] != versions:
            _finders[settings] = versions, Finder(settings)
        return _finders[settings][1]


def _path(given: object) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise ExporterError(f"Expected the path of a file, received {given!r}.")
    return Path(given)


def _version(file: Path) -> _Version:
    try:
        status = file.stat()
    except OSError:  # the finder explains it
        return None
    return status.st_mtime_ns, status.st_size


def _opened(image: Picture) -> tuple[npt.NDArray[np.uint8], Source]:
    """uint8 (height, width, 4), not shared with `image`, and what is known beside."""
    if isinstance(image, str | os.PathLike):
        return open_source(Path(image))
    if isinstance(image, Image.Image):
        return open_image(image)
    if isinstance(image, np.ndarray):
        return photo_of_array(image), Source()
    raise PictureError(
        f"Expected a path, a Pillow image or a NumPy array, received {type(image).__name__}."
    )
