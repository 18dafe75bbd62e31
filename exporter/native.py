"""A network on this machine, with the browser's own Python behind it. The only file here that
imports pyside_logic.

    photo ──> preprocess ──> ONNX Runtime ──> postprocess ──> matte ──> cut_out ──> RGBA
                  └──> smaller ──> ONNX Runtime ──> postprocess ──┘ what the first look has lost

Preprocessing is Pillow's, which web/js/pipeline/lanczos.js reproduces in the browser.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from PIL import Image

from exporter.catalog import InputSpec, Network, OutputSpec
from exporter.confidence import confidence_in, peak_of
from exporter.errors import ExporterError
from exporter.normalise import normalise
from exporter.pictures import (
    PhotoFile,
    photo_of_image,
    read_photo,
    read_photo_bytes,
    read_photo_file,
)
from exporter.sessions import open_session
from pyside_logic.agreement import agreed_matte
from pyside_logic.chroma_key import key_photo, parse_key
from pyside_logic.compose import write_alpha
from pyside_logic.encode import encode
from pyside_logic.errors import GossamerError
from pyside_logic.icc import icc_profile
from pyside_logic.output_options import OutputOptions
from pyside_logic.png import without_removed
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.resample import resize_bilinear
from pyside_logic.second_look import fuse_looks, look_box
from pyside_logic.source import ColourSpace, Source
from pyside_logic.wider_look import fuse_wider

__all__ = [
    "Cutout",
    "NativeNetwork",
    "OutputOptions",
    "Refinement",
    "Source",
    "Subject",
    "ask_specialist",
    "check_key",
    "cut_out",
    "encoded",
    "finished_file",
    "image_of",
    "key_matte",
    "look_again",
    "open_backdrop",
    "open_bytes",
    "open_image",
    "open_source",
    "parse_output",
    "parse_refinement",
    "parse_refinement_options",
    "postprocess",
    "preprocess",
    "refined",
]

Float32 = npt.NDArray[np.float32]
Uint8 = npt.NDArray[np.uint8]

#: None stands for no refinement: the matte is enlarged, and that is all.
Refinement = RefineOptions | None

# As in web/js/pipeline/lanczos.js: photos are averaged down first, exactly below this factor.
_REDUCING_GAP = 2.0


@contextmanager
def _told() -> Iterator[None]:
    """What pyside_logic refuses is the toolchain's to tell."""
    try:
        yield
    except GossamerError as error:
        raise ExporterError(error.message) from error


class Subject(NamedTuple):
    """What a network has found: float32 (h, w) in [0, 1] of its size, and how sure it is of that,
    in [0, 1]."""

    matte_hw: Float32
    confidence: float


class NativeNetwork:
    """An ONNX file of `network`, or its source, on the CPU.

    `wider` is a file of the same network for a smaller picture, where a photo is to be looked at
    once more. Raises ExporterError where it cannot be started. `threads`: 0 for as many as there
    are cores.
    """

    def __init__(
        self,
        network: Network,
        model: Path | onnx.ModelProto,
        *,
        wider: Path | None = None,
        threads: int = 0,
    ) -> None:
        self.network = network
        self._label = str(model) if isinstance(model, Path) else network.name
        self._wider = None
        if wider and network.wider:
            height, width = network.wider
            spec = replace(network.input, height=height, width=width)
            self._wider = NativeNetwork(replace(network, input=spec), wider, threads=threads)
        try:
            self._session = open_session(model, threads=threads)
        # ONNX Runtime's errors have no common base of their own.
        except Exception as error:
            raise ExporterError(
                f"{self._label}: Expected an ONNX file of {network.name} that ONNX Runtime can "
                f"run: {error}"
            ) from error

    def matte(self, rgba_hwc: Uint8) -> Float32:
        """float32 (h, w) in [0, 1] at the network's size, for uint8 (height, width, 3 or 4)."""
        return self._matte_of(self._run(preprocess(rgba_hwc, self.network.input)))

    @_told()
    def subject(self, rgba_hwc: Uint8) -> Subject:
        """`matte` with the parts of the subject that it lacks, where there is a wider look."""
        input_nchw = preprocess(rgba_hwc, self.network.input)
        output = self._run(input_nchw)
        matte_hw = self._matte_of(output)
        if wider := self._wider:
            seen = wider._run(_resized(input_nchw, wider.network.input))
            fused_hw = fuse_wider(matte_hw, wider._matte_of(seen))
            matte_hw = matte_hw if fused_hw is None else fused_hw
        return Subject(matte_hw, confidence_in(matte_hw, peak_of(output, self.network.output)))

    def _matte_of(self, output: npt.NDArray[Any]) -> Float32:
        return postprocess(output, self.network.output)

    def _run(self, input_nchw: Float32) -> npt.NDArray[Any]:
        network = self.network
        feeds = {network.input.name: input_nchw}
        try:
            outputs = self._session.run([network.output.name], feeds)
        except Exception as error:
            spec = network.input
            raise ExporterError(
                f"{self._label}: Expected the input {spec.name!r} of (1, 3, {spec.height}, "
                f"{spec.width}) and the output {network.output.name!r} of {network.name}: {error}"
            ) from error
        return np.asarray(outputs[0])


@_told()
def key_matte(rgba_hwc: Uint8, key: str) -> Float32:
    """The matte of a photo before a plain backdrop, without a network: `key` is 'auto' or its
    colour. Raises ExporterError."""
    return key_photo(rgba_hwc, key)


@_told()
def check_key(key: str) -> None:
    """Raises ExporterError for what is no key for any photo."""
    parse_key(key)


@_told()
def ask_specialist(specialist: NativeNetwork, rgba_hwc: Uint8, matte_hw: Float32) -> Float32 | None:
    """`matte_hw`, another network's of `rgba_hwc`, with the specialist's edges; None where the two
    do not agree on the subject. Raises ExporterError."""
    offered_hw = specialist.matte(rgba_hwc)
    agreement = specialist.network.agreement
    return agreed_matte(
        matte_hw, offered_hw, 1 if agreement is None else agreement, *rgba_hwc.shape[:2]
    )


@_told()
def look_again(network: NativeNetwork, rgba_hwc: Uint8, matte_hw: Float32) -> Float32:
    """`matte_hw`, the network's of `rgba_hwc`, with finer edges; the same one where a second look
    would see no more. Raises ExporterError."""
    height, width = rgba_hwc.shape[:2]
    box = look_box(matte_hw, height, width)
    if box is None:
        return matte_hw
    second_hw = network.matte(rgba_hwc[box.rows, box.columns])
    return fuse_looks(matte_hw, second_hw, box, height, width)


def preprocess(rgba_hwc: Uint8, spec: InputSpec) -> Float32:
    """float32 (1, 3, h, w); alpha is ignored and the aspect ratio not kept, as in the browser."""
    rgb = Image.fromarray(np.ascontiguousarray(rgba_hwc[..., :3]))
    resized = rgb.resize(
        (spec.width, spec.height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP
    )
    return normalise(np.asarray(resized), spec)


def _resized(input_nchw: Float32, spec: InputSpec) -> Float32:
    """Of a network's input, that of the same network for another size, as in the browser."""
    size = (spec.width, spec.height)
    planes = [
        Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS) for plane in input_nchw[0]
    ]
    return np.stack([np.asarray(plane) for plane in planes])[None]


def postprocess(output: npt.NDArray[Any], spec: OutputSpec) -> Float32:
    """The matte (h, w) in an output (1, 1, h, w); a constant one is not stretched."""
    matte_hw: Float32 = output.reshape(output.shape[-2:]).astype(np.float32)
    low, high = matte_hw.min(), matte_hw.max()
    if spec.normalise == "minmax" and high > low:
        matte_hw = (matte_hw - low) / (high - low)
    return matte_hw


def parse_refinement(text: str, *, keyed: bool = False) -> Refinement:
    """'default', 'none', or the options as a JSON object, for a matte of `key_matte` where it is
    `keyed`. Raises ExporterError."""
    if text == "none":
        return None
    try:
        values = {} if text == "default" else json.loads(text)
    except json.JSONDecodeError as error:
        raise ExporterError(
            f"Expected default, none or a JSON object for the refinement, received {text!r}: "
            f"{error}."
        ) from error
    if not isinstance(values, dict):
        raise ExporterError(f"Expected a JSON object for the refinement, received {text!r}.")
    return parse_refinement_options(values, keyed=keyed)


@_told()
def parse_refinement_options(
    values: Mapping[str, Any] | None, *, keyed: bool = False
) -> Refinement:
    """From the public API's `refine`; None for none. Raises ExporterError."""
    if values is None:
        return None
    _require_mapping("refine", values)
    return RefineOptions.from_dict(values, keyed=keyed)


@_told()
def parse_output(values: Mapping[str, Any]) -> OutputOptions:
    """From the public API's `output`. Raises ExporterError."""
    _require_mapping("output", values)
    return OutputOptions.from_dict(values)


def _require_mapping(name: str, values: object) -> None:
    if not isinstance(values, Mapping):
        raise ExporterError(f"Expected a mapping of options for {name}, received {values!r}.")


def open_source(path: Path) -> tuple[Uint8, Source]:
    """A photo as the browser decodes it, uint8 (height, width, 4), and what its file says beside.
    Raises PictureError."""
    return _opened(read_photo_file(path, icc_profile("display-p3")))


def image_of(rgba_hwc: Uint8, source: Source) -> Image.Image:
    """Pixels of a cut-out as a Pillow image, which says so where their colours are not sRGB. Under
    alpha 0 it is black: Pillow would write what was cut away."""
    image = Image.fromarray(without_removed(rgba_hwc))
    if source.colour_space != "srgb":
        image.info["icc_profile"] = icc_profile(source.colour_space)
    return image


def open_bytes(name: str, data: bytes) -> tuple[Uint8, Source]:
    """As `open_source`, for the contents of a file that errors call `name`."""
    return _opened(read_photo_bytes(name, data, icc_profile("display-p3")))


def open_image(picture: Image.Image) -> tuple[Uint8, Source]:
    """As `open_source`, for a photo that Pillow has opened."""
    return _opened(photo_of_image(picture, icc_profile("display-p3")))


def _opened(file: PhotoFile) -> tuple[Uint8, Source]:
    space: ColourSpace = "display-p3" if file.is_wide else "srgb"
    return file.rgba_hwc, Source(file.density, file.exif, file.has_profile, space)


def open_backdrop(path: Path, source: Source) -> Uint8:
    """A picture to stand behind the photo of `source`, in its colours. Raises PictureError."""
    wanted = None if source.colour_space == "srgb" else icc_profile(source.colour_space)
    return read_photo(path, wanted)


def cut_out(rgba_hwc: Uint8, matte_hw: Float32, refinement: Refinement) -> Uint8:
    """A copy of `rgba_hwc` (height, width, 4) with the alpha of the matte. Raises ExporterError."""
    return refined(rgba_hwc, matte_hw, refinement).rgba_hwc


def finished_file(
    rgba_hwc: Uint8,
    matte_hw: Float32,
    refinement: Refinement,
    output: OutputOptions,
    *,
    content: str = "cutout",
    source: Source | None = None,
    backdrop_hwc: Uint8 | None = None,
) -> bytes:
    """The file that the browser writes of a photo and its matte; a PNG byte for byte. Raises
    ExporterError."""
    precise = content == "alpha" and output.depth == 16
    cutout = refined(rgba_hwc, matte_hw, refinement, precise=precise)
    return encoded(cutout, output, content=content, source=source, backdrop_hwc=backdrop_hwc)


@_told()
def encoded(
    cutout: Cutout,
    output: OutputOptions,
    *,
    content: str = "cutout",
    source: Source | None = None,
    backdrop_hwc: Uint8 | None = None,
) -> bytes:
    """As `finished_file`, for what `refined` has made; `precise` where 16 bits are wanted."""
    return encode(cutout, output, content, source, backdrop_hwc).data


@_told()
def refined(
    rgba_hwc: Uint8, matte_hw: Float32, refinement: Refinement, *, precise: bool = False
) -> Cutout:
    """A copy of `rgba_hwc` (height, width, 4) with the alpha of the matte, and what an encoder
    needs beside; `precise` keeps alpha in 16 bits too. Raises ExporterError."""
    cutout = Cutout(rgba_hwc.copy(), matte_hw)
    if precise:
        cutout.ask_for_precision()
    if refinement is None:
        alpha_hw = resize_bilinear(matte_hw, *rgba_hwc.shape[:2])
        cutout.keep_precisely(slice(0, len(alpha_hw)), alpha_hw)
        write_alpha(cutout.rgba_hwc, alpha_hw, cutout.source_alpha_hw)
    else:
        refine(cutout, refinement, lambda _done, _total: None)
    return cutout
