"""`icc.py` and `colour_space.py`, against LittleCMS."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from pyside_logic.colour_space import in_space
from pyside_logic.encode import encode
from pyside_logic.icc import icc_profile
from pyside_logic.output_options import OutputOptions
from pyside_logic.source import ColourSpace, Source
from tests.unit.pyside_logic.cut_outs import cut_out_of


def profile(space: ColourSpace) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(space)))


def converted(
    rgb: np.ndarray, source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile
) -> np.ndarray:
    result = ImageCms.profileToProfile(Image.fromarray(rgb), source, target)
    assert result is not None
    return np.asarray(result).astype(int)


COLOURS = np.random.default_rng(3).integers(0, 256, (60, 60, 3), np.uint8)


def test_ours_of_srgb_is_littlecms_own() -> None:
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert np.abs(converted(COLOURS, profile("srgb"), theirs) - COLOURS).max() <= 1


def under_d50(chromaticities: list[tuple[float, float]], white: tuple[float, float]) -> np.ndarray:
    """XYZ of primaries that add up to `white`, adapted to D50 by Bradford's matrix, one a row."""

    def xyz(xy: tuple[float, float]) -> np.ndarray:
        return np.array([xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1]])

    primaries = np.array([xyz(xy) for xy in chromaticities])
    scaled = primaries * np.linalg.solve(primaries.T, xyz(white))[:, None]
    cones = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    gains = (cones @ xyz((0.3457, 0.3585))) / (cones @ xyz(white))
    return scaled @ (np.linalg.inv(cones) @ np.diag(gains) @ cones).T


@pytest.mark.parametrize(
    ("space", "primaries"),
    [
        ("srgb", [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)]),
        ("display-p3", [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)]),
    ],
)
def test_primaries_are_the_published_ones(
    space: ColourSpace, primaries: list[tuple[float, float]]
) -> None:
    parsed = profile(space).profile
    expected = under_d50(primaries, (0.3127, 0.3290))
    colorants = (parsed.red_colorant, parsed.green_colorant, parsed.blue_colorant)
    for found, xyz in zip(colorants, expected, strict=True):
        assert found is not None
        assert found[0] == pytest.approx(tuple(xyz), abs=0.001)


def test_white_is_white() -> None:
    white = np.full((1, 1, 3), 255, np.uint8)
    assert np.abs(converted(white, profile("display-p3"), profile("srgb")) - 255).max() <= 1


def test_colours_that_people_write_look_the_same_in_display_p3() -> None:
    expected = converted(COLOURS, profile("srgb"), profile("display-p3"))
    ours = [in_space(tuple(map(int, colour)), "display-p3") for colour in COLOURS.reshape(-1, 3)]
    assert np.abs(np.array(ours) - expected.reshape(-1, 3)).max() <= 1
    assert in_space((1, 2, 3), "srgb") == (1, 2, 3)


@pytest.mark.parametrize("background", ["#00b140", {"gradient": ["#00b140", "#00b140"]}])
def test_what_lies_behind_a_photo_in_display_p3_is_in_its_colours(background: Any) -> None:
    nothing = np.zeros((8, 9, 4), np.uint8)
    output = OutputOptions.from_dict({"background": background})
    file = encode(cut_out_of(nothing), output, "cutout", Source(colour_space="display-p3"))
    found = np.asarray(Image.open(io.BytesIO(file.data)).convert("RGB")).astype(int)
    assert np.abs(found - in_space((0x00, 0xB1, 0x40), "display-p3")).max() <= 1


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
@pytest.mark.parametrize("space", ["srgb", "display-p3"])
def test_the_profile_is_in_the_file(kind: str, space: ColourSpace) -> None:
    pixels = np.full((8, 9, 4), 200, np.uint8)
    output = OutputOptions(type=kind)
    file = encode(
        cut_out_of(pixels), output, "cutout", Source(has_profile=True, colour_space=space)
    )
    info = Image.open(io.BytesIO(file.data)).info
    assert info["icc_profile"] == icc_profile(space)


def test_no_profile_where_there_was_none_and_none_for_grey() -> None:
    pixels = np.full((8, 9, 4), 200, np.uint8)
    for content, source in (("cutout", Source()), ("alpha", Source(has_profile=True))):
        file = encode(cut_out_of(pixels), OutputOptions(), content, source)
        assert "icc_profile" not in Image.open(io.BytesIO(file.data)).info
