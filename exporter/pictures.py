"""Pictures from files, as a browser shows them: upright, in a known colour space, eight bits."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, UnidentifiedImageError

from exporter.eight_bits import eight_bits, straight
from exporter.errors import PictureError
from exporter.photo_metadata import density_of, exif_of, turn_of, upright_size

__all__ = [
    "PHOTO_ENDINGS",
    "PhotoFile",
    "is_wide",
    "photo_of_array",
    "photo_of_image",
    "read_grey",
    "read_photo",
    "read_photo_bytes",
    "read_photo_file",
    "read_size",
]

#: What is taken for a photo in a folder, in small letters. HEIC is among them so that it fails by
#: name: Pillow does not read it, and a photo that is left out without a word is lost.
PHOTO_ENDINGS = frozenset(
    {
        *(".apng", ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg"),
        *(".jpg", ".pjp", ".pjpeg", ".png", ".tif", ".tiff", ".webp"),
    }
)

# The bounds of the page (web/js/pipeline/decode.js); Pillow's own come before ours otherwise.
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 8
Image.MAX_IMAGE_PIXELS = None

#: From XYZ under D50, in which profiles give their primaries, to linear sRGB (B. Lindbloom).
_XYZ_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)
#: What a lossy file may make of a grey: further apart, its channels are a colour.
_TINT = 8
#: How a picture begins that Pillow could open if it were whole: as JPEG, PNG, GIF, WebP, TIFF or
#: AVIF.
_KNOWN_HEAD = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8|RIFF....WEBP|II\*\0|MM\0\*|....ftypavi[fs]", re.DOTALL
)
_HEAD_BYTES = 16
#: Less red, green or blue than this is not rounding but another colour.
_OUTSIDE = -0.03


@dataclass(frozen=True)
class PhotoFile:
    """A photo and what its file says of it: uint8 (height, width, 4), straight; whether it has a
    colour profile, and one of more colours than sRGB; (vertical, horizontal) pixels per metre of
    the upright picture; the TIFF structure of its EXIF."""

    rgba_hwc: npt.NDArray[np.uint8]
    has_profile: bool
    is_wide: bool
    density: tuple[int, int] | None
    exif: bytes | None


def read_photo(path: Path, profile: bytes | None = None) -> npt.NDArray[np.uint8]:
    """uint8 (height, width, 4), straight, in the colours of `profile`, None for sRGB; what is fully
    transparent is black. Raises PictureError."""
    return _pixels(path, _upright(_load(path)), profile)


def read_photo_file(path: Path, wide_profile: bytes) -> PhotoFile:
    """As `read_photo`, but a photo of more colours than sRGB comes in those of `wide_profile`."""
    return _photo_file(path, _load(path), wide_profile)


def read_photo_bytes(name: str, data: bytes, wide_profile: bytes) -> PhotoFile:
    """As `read_photo_file`, for the contents of a file that errors call `name`."""
    return _photo_file(name, _load(name, io.BytesIO(data)), wide_profile)


def photo_of_image(picture: Image.Image, wide_profile: bytes) -> PhotoFile:
    """As `read_photo_file`, for a picture that Pillow has opened."""
    if getattr(picture, "tile", None) and getattr(picture, "fp", None) is None:
        raise PictureError(
            "The image: Expected one that is loaded, or whose file is open, received one whose "
            "file was closed. Give the file's path, or call load() before it is closed."
        )
    return _photo_file("The image", _loaded("The image", picture), wide_profile)


def photo_of_array(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """As `read_photo`, for uint8 (height, width), (height, width, 3) or (height, width, 4) in sRGB.
    Raises PictureError."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0
    fits = channels in ((1,) if pixels.ndim == 2 else (3, 4))
    if pixels.dtype != np.uint8 or not fits:
        raise PictureError(
            "Expected uint8 pixels of shape (height, width), (height, width, 3) or (height, width, "
            f"4), received {pixels.dtype} {pixels.shape}."
        )
    picture = Image.fromarray(pixels)
    _check_size("The array", picture)
    return _pixels("The array", picture, None)


def _photo_file(name: Path | str, picture: Image.Image, wide_profile: bytes) -> PhotoFile:
    upright = _upright(picture)
    profile = picture.info.get("icc_profile")
    wide = profile is not None and upright.mode in ("RGB", "RGBA", "P") and is_wide(profile)
    return PhotoFile(
        _pixels(name, upright, wide_profile if wide else None),
        bool(profile),
        wide,
        density_of(picture, upright),
        exif_of(picture),
    )


def _upright(picture: Image.Image) -> Image.Image:
    """`picture` itself where it is. Pillow's own function writes the EXIF anew, and cannot where a
    value has not the type of its tag."""
    turn = turn_of(picture)
    return picture if turn is None else picture.transpose(turn)


def _pixels(name: Path | str, upright: Image.Image, profile: bytes | None) -> npt.NDArray[np.uint8]:
    rgba_hwc = np.array(_converted(straight(eight_bits(name, upright)), profile))
    # A canvas keeps no colour under alpha 0, and the network must see here what it sees there.
    rgba_hwc[rgba_hwc[..., 3] == 0] = 0
    return rgba_hwc


def is_wide(profile: bytes) -> bool:
    """Whether a primary lies outside of sRGB, as web/js/pipeline/colour-profile.js tells it."""
    if profile[16:20] != b"RGB ":
        return False
    try:
        parsed = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        colorants = (parsed.red_colorant, parsed.green_colorant, parsed.blue_colorant)
    except OSError:
        return False
    primaries = [colorant[0] for colorant in colorants if colorant is not None]
    if len(primaries) < 3:
        return False
    linear = np.array(primaries) @ _XYZ_TO_SRGB.T
    return bool(linear.min() < _OUTSIDE)


def read_grey(path: Path) -> npt.NDArray[np.uint8]:
    """uint8 (height, width) of an upright picture with one meaning a pixel: its alpha, where it has
    one that says anything, else its grey. Raises PictureError."""
    picture = straight(eight_bits(path, _upright(_load(path))))
    if picture.mode in ("LA", "PA", "RGBA"):
        alpha_hw = np.array(picture.getchannel("A"))
        if alpha_hw.min() < alpha_hw.max():
            return alpha_hw
    if np.ptp(np.asarray(picture.convert("RGB")), axis=-1).max() > _TINT:
        raise PictureError(
            f"{path}: Expected a picture in grey, or a cut-out, whose alpha counts, received one "
            "in colours."
        )
    return np.array(picture.convert("L"))


def read_size(path: Path) -> tuple[int, int]:
    """(height, width) of the upright picture, by the head of its file. Raises PictureError."""
    with _opened(path) as picture:
        _check_size(path, picture)
        width, height = upright_size(picture)
    return height, width


def _load(path: Path | str, file: io.BytesIO | None = None) -> Image.Image:
    with _opened(path, file) as picture:
        return _loaded(path, picture)


@contextmanager
def _opened(path: Path | str, file: io.BytesIO | None = None) -> Iterator[Image.Image]:
    try:
        with Image.open(path if file is None else file) as picture:
            yield picture
    except FileNotFoundError:
        raise PictureError(f"{path}: Expected a picture, received nothing there.") from None
    except IsADirectoryError:
        raise PictureError(
            f"{path}: Expected a picture, received a folder. `gossamer batch` takes folders."
        ) from None
    except UnidentifiedImageError:
        with io.BytesIO(file.getvalue()) if file else Path(path).open("rb") as contents:
            raise _unknown(path, contents.read(_HEAD_BYTES)) from None
    except (MemoryError, PictureError):
        raise
    # Pillow's readers raise errors of any kind over damaged files.
    except Exception as error:
        raise _damaged(path, error) from error


def _unknown(path: Path | str, head: bytes) -> PictureError:
    """Of what Pillow does not know, by the `head` of the file."""
    if not head:
        return PictureError(
            f"{path}: Expected a picture, and the file is empty (0 bytes). Save it again."
        )
    if _KNOWN_HEAD.match(head):
        return PictureError(
            f"{path}: Expected a whole picture of a kind that Pillow can open, received one that "
            "is damaged or of a rare kind. Save it again as JPEG or PNG."
        )
    return PictureError(
        f"{path}: Expected a picture that Pillow can open, received another kind of file. "
        "Save it as JPEG or PNG."
    )


def _loaded(name: Path | str, picture: Image.Image) -> Image.Image:
    _check_size(name, picture)
    try:
        picture.load()
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(name, error) from error
    return picture


def _check_size(path: Path | str, picture: Image.Image) -> None:
    width, height = picture.size
    if min(width, height) < MIN_SIDE_PX or width * height > MAX_PIXELS:
        raise PictureError(
            f"{path}: Expected a picture of at least {MIN_SIDE_PX} x {MIN_SIDE_PX} px and at most "
            f"{MAX_PIXELS // 10**6} megapixels, received {width} x {height} px."
        )


def _damaged(path: Path | str, error: Exception) -> PictureError:
    return PictureError(
        f"{path}: Expected a whole picture, received a damaged one: {error}. Save it again."
    )


def _converted(picture: Image.Image, target: bytes | None) -> Image.Image:
    """RGBA in the colours of the profile `target`, None for sRGB."""
    profile = picture.info.get("icc_profile")
    if not profile and target is not None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgba = picture.convert("RGBA")
    if not profile:
        return rgba
    try:
        wanted = (
            ImageCms.createProfile("sRGB")
            if target is None
            else ImageCms.ImageCmsProfile(io.BytesIO(target))
        )
        converted = ImageCms.profileToProfile(
            _described(picture, rgba),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            wanted,
            outputMode="RGB",
        )
    except (OSError, ImageCms.PyCMSError):
        # What browsers do with a profile that is broken or of another kind of picture.
        return rgba
    assert converted is not None  # it is None only for `inPlace`
    converted.putalpha(rgba.getchannel("A"))
    return converted


def _described(picture: Image.Image, rgba: Image.Image) -> Image.Image:
    """The colours that a profile is about, without alpha; `rgba` is the same picture."""
    if picture.mode == "LA":
        return picture.getchannel("L")
    return picture if picture.mode in ("L", "CMYK") else rgba.convert("RGB")
