"""Pictures from files, as a browser shows them: upright, in a known colour space, eight bits."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from exporter.errors import PictureError

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
]

#: What is taken for a photo in a folder, in small letters. HEIC is among them so that it fails by
#: name: Pillow does not read it, and a photo that is left out without a word is lost.
PHOTO_ENDINGS = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg"),
        *(".png", ".tif", ".tiff", ".webp"),
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
#: Less red, green or blue than this is not rounding but another colour.
_OUTSIDE = -0.03

#: What turns a picture upright, by EXIF's orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
    return _pixels(_upright(_load(path)), profile)


def read_photo_file(path: Path, wide_profile: bytes) -> PhotoFile:
    """As `read_photo`, but a photo of more colours than sRGB comes in those of `wide_profile`."""
    return _photo_file(_load(path), wide_profile)


def read_photo_bytes(name: str, data: bytes, wide_profile: bytes) -> PhotoFile:
    """As `read_photo_file`, for the contents of a file that errors call `name`."""
    return _photo_file(_load(name, io.BytesIO(data)), wide_profile)


def photo_of_image(picture: Image.Image, wide_profile: bytes) -> PhotoFile:
    """As `read_photo_file`, for a picture that Pillow has opened."""
    return _photo_file(_loaded("The image", picture), wide_profile)


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
    return _pixels(picture, None)


def _photo_file(picture: Image.Image, wide_profile: bytes) -> PhotoFile:
    upright = _upright(picture)
    profile = picture.info.get("icc_profile")
    wide = profile is not None and upright.mode in ("RGB", "RGBA", "P") and is_wide(profile)
    return PhotoFile(
        _pixels(upright, wide_profile if wide else None),
        bool(profile),
        wide,
        _density(picture, lies=picture.size != upright.size),
        picture.info["exif"].removeprefix(b"Exif\0\0") if picture.info.get("exif") else None,
    )


def _upright(picture: Image.Image) -> Image.Image:
    """`picture` itself where it is. Pillow's own function writes the EXIF anew, and cannot where a
    value has not the type of its tag."""
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    # Damaged EXIF makes Pillow raise many things, and browsers show the photo as it lies.
    except Exception:  # noqa: BLE001
        return picture
    return picture if turn is None else picture.transpose(turn)


def _pixels(upright: Image.Image, profile: bytes | None) -> npt.NDArray[np.uint8]:
    rgba_hwc = np.array(_converted(_eight_bits(upright), profile))
    # A canvas keeps no colour under alpha 0, and the network must see here what it sees there.
    rgba_hwc[rgba_hwc[..., 3] == 0] = 0
    return rgba_hwc


def _density(picture: Image.Image, *, lies: bool) -> tuple[int, int] | None:
    try:
        horizontal, vertical = (round(float(value) / 0.0254) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    if not (0 < horizontal < 2**31 and 0 < vertical < 2**31):
        return None
    return (horizontal, vertical) if lies else (vertical, horizontal)


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
    """uint8 (height, width) of a picture with one meaning a pixel. Raises PictureError."""
    return np.array(_eight_bits(_load(path)).convert("L"))


def _load(path: Path | str, file: io.BytesIO | None = None) -> Image.Image:
    try:
        with Image.open(path if file is None else file) as picture:
            return _loaded(path, picture)
    except FileNotFoundError:
        raise PictureError(f"{path}: Expected a picture, received nothing there.") from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{path}: Expected a picture that Pillow can open, received another kind of file. "
            "Save it as JPEG or PNG."
        ) from None
    except (MemoryError, PictureError):
        raise
    # Pillow's readers raise errors of any kind over damaged files.
    except Exception as error:
        raise _damaged(path, error) from error


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


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pillow would cut sixteen bits off at 255. Mode LA where one of the greys is transparent."""
    if not picture.mode.startswith("I"):
        return picture
    sixteen_bits = np.asarray(picture).clip(0, 65535)
    grey = Image.fromarray(np.round(sixteen_bits / 257).astype(np.uint8))
    transparent = picture.info.get("transparency")
    if transparent is not None:
        alpha = Image.fromarray(np.where(sixteen_bits == transparent, 0, 255).astype(np.uint8))
        grey = Image.merge("LA", (grey, alpha))
    if "icc_profile" in picture.info:
        grey.info["icc_profile"] = picture.info["icc_profile"]
    return grey


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
