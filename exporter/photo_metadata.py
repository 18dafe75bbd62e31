"""What a photo's file says beside its pixels, as browsers read it: EXIF, density, which way up."""

from PIL import ExifTags, Image, TiffImagePlugin

__all__ = ["density_of", "exif_of", "turn_of", "upright_size"]

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
#: Those of a picture that lies on its side.
_QUARTER_TURNS = tuple(_TURNS[orientation] for orientation in (5, 6, 7, 8))


def turn_of(picture: Image.Image) -> Image.Transpose | None:
    """What turns it upright, by the file's own EXIF: Pillow's `getexif` looks into XMP as well,
    which browsers do not. In a WebP Chromium obeys neither, and a TIFF was turned by Pillow."""
    if picture.format in ("WEBP", "TIFF"):
        return None
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif") or b"")
        return _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    # Damaged EXIF makes Pillow raise many things, and browsers show the photo as it lies.
    except Exception:  # noqa: BLE001
        return None


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """(width, height), of the header alone."""
    width, height = picture.size
    return (height, width) if turn_of(picture) in _QUARTER_TURNS else (width, height)


def exif_of(picture: Image.Image) -> bytes | None:
    """The TIFF structure of a loaded picture's EXIF."""
    exif: bytes | None = picture.info.get("exif")
    if not exif and isinstance(picture, TiffImagePlugin.TiffImageFile):
        # The file is such a structure itself.
        try:
            exif = picture.getexif().tobytes()
        # Whatever is wrong with it, the photo can be seen.
        except Exception:  # noqa: BLE001
            return None
    return exif.removeprefix(b"Exif\0\0") if exif else None


def density_of(picture: Image.Image, upright: Image.Image) -> tuple[int, int] | None:
    """(vertical, horizontal) pixels per metre of `upright`, which is the loaded `picture` turned;
    None where the file does not say. That in a JPEG's EXIF is not looked for."""
    stored_size = picture.size
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        tags = picture.tag_v2
        if not {TiffImagePlugin.X_RESOLUTION, TiffImagePlugin.Y_RESOLUTION} <= set(tags):
            return None  # Pillow makes one up, and for a JPEG with EXIF too
        stored_size = tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH]
    if picture.format in ("JPEG", "MPO") and not picture.info.get("jfif_unit"):
        return None
    try:
        horizontal, vertical = (round(float(value) / 0.0254) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    if not (0 < horizontal < 2**31 and 0 < vertical < 2**31):
        return None
    lies = stored_size != upright.size
    return (horizontal, vertical) if lies else (vertical, horizontal)
