"""Pictures from files, as a browser shows them: upright, sRGB, eight bits."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from exporter.errors import PictureError

__all__ = ["read_grey", "read_photo"]

# The bounds of the page (web/js/pipeline/decode.js); Pillow's own come before ours otherwise.
MAX_PIXELS = 100_000_000
MIN_SIDE_PX = 8
Image.MAX_IMAGE_PIXELS = None


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """uint8 (height, width, 4), straight sRGB; what is fully transparent is black.

    Raises PictureError.
    """
    picture = _load(path)
    try:
        upright = ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(path, error) from error
    rgba_hwc = np.array(_to_srgb(_eight_bits(upright)))
    # A canvas keeps no colour under alpha 0, and the network must see here what it sees there.
    rgba_hwc[rgba_hwc[..., 3] == 0] = 0
    return rgba_hwc


def read_grey(path: Path) -> npt.NDArray[np.uint8]:
    """uint8 (height, width) of a picture with one meaning a pixel. Raises PictureError."""
    return np.array(_eight_bits(_load(path)).convert("L"))


def _load(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            _check_size(path, picture)
            picture.load()
            return picture
    except FileNotFoundError:
        raise PictureError(f"{path}: Expected a picture, received nothing there.") from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{path}: Expected a picture that Pillow can open, received another kind of file. "
            "Save it as JPEG or PNG."
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(path, error) from error


def _check_size(path: Path, picture: Image.Image) -> None:
    width, height = picture.size
    if min(width, height) < MIN_SIDE_PX or width * height > MAX_PIXELS:
        raise PictureError(
            f"{path}: Expected a picture of at least {MIN_SIDE_PX} x {MIN_SIDE_PX} px and at most "
            f"{MAX_PIXELS // 10**6} megapixels, received {width} x {height} px."
        )


def _damaged(path: Path, error: Exception) -> PictureError:
    return PictureError(
        f"{path}: Expected a whole picture, received a damaged one: {error}. Save it again."
    )


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Pillow would cut sixteen bits off at 255."""
    if not picture.mode.startswith("I"):
        return picture
    sixteen_bits = np.asarray(picture).clip(0, 65535)
    return Image.fromarray(np.round(sixteen_bits / 257).astype(np.uint8))


def _to_srgb(picture: Image.Image) -> Image.Image:
    """RGBA. A colour profile is applied, since the files that are written carry none."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return picture.convert("RGBA")
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    try:
        srgb = ImageCms.profileToProfile(
            picture.convert("RGB") if alpha else picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (OSError, ImageCms.PyCMSError):
        # What browsers do with a profile that is broken or of another kind of picture.
        return picture.convert("RGBA")
    assert srgb is not None  # it is None only for `inPlace`
    rgba = srgb.convert("RGBA")
    if alpha:
        rgba.putalpha(alpha)
    return rgba
