"""What `encode.py` makes of a cut-out: backgrounds, crops, and refusals by name."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pyside_logic.background import over_colour
from pyside_logic.colours import COLOUR_NAMES, parse_colour
from pyside_logic.crop import visible_box
from pyside_logic.encode import encode, render, strips
from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.output_options import OutputOptions
from tests.unit.pyside_logic.cut_outs import cut_out_of


def picture(content: bytes) -> Image.Image:
    opened = Image.open(io.BytesIO(content))
    opened.load()
    return opened


def pixels_of(rgba: np.ndarray, output: OutputOptions, content: str) -> np.ndarray:
    return np.concatenate([*strips(render(cut_out_of(rgba), output, content))])


def cutout(height: int = 40, width: int = 60) -> np.ndarray:
    """Noise whose alpha is a soft patch in rows 10 to 19 and columns 25 to 49."""
    rgba = np.random.default_rng(5).integers(0, 256, (height, width, 4), np.uint8)
    rgba[..., 3] = 0
    rgba[10:20, 25:50, 3] = np.linspace(20, 255, 25).astype(np.uint8)
    return rgba


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 140),
    width=st.integers(1, 9),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    seed=st.integers(0, 99),
)
def test_every_mixture_is_the_exact_one_rounded(
    height: int, width: int, colour: tuple[int, int, int], seed: int
) -> None:
    rgba = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    alpha = rgba[..., 3:] / 255
    exact = alpha * rgba[..., :3] + (1 - alpha) * np.array(colour)
    assert np.array_equal(over_colour(rgba, colour), np.floor(exact + 0.5 + 1e-9))


def test_every_value_of_alpha_on_black_white_and_itself() -> None:
    values, alphas = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    rgba = np.dstack([values, values, values, alphas])
    for behind in (0, 255):
        exact = (values.astype(int) * alphas + behind * (255 - alphas.astype(int)) + 127) // 255
        assert np.array_equal(over_colour(rgba, (behind,) * 3)[..., 0], exact)


def test_a_background_makes_an_opaque_file() -> None:
    rgba = cutout()
    output = OutputOptions.from_dict({"background": "#f80"})
    written = picture(encode(cut_out_of(rgba), output, "cutout").data)
    assert written.mode == "RGB"
    assert np.array_equal(np.asarray(written), over_colour(rgba, (255, 136, 0)))
    assert written.getpixel((0, 0)) == (255, 136, 0)


def test_pillow_composites_to_the_same() -> None:
    rgba = cutout()
    behind = Image.new("RGBA", (60, 40), (0, 128, 128, 255))
    theirs = np.asarray(Image.alpha_composite(behind, Image.fromarray(rgba)))[..., :3].astype(int)
    assert np.abs(theirs - over_colour(rgba, COLOUR_NAMES["teal"])).max() <= 1


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("white", (255, 255, 255)),
        ("Teal", (0, 128, 128)),
        ("#fff", (255, 255, 255)),
        ("#1a2B3c", (0x1A, 0x2B, 0x3C)),
    ],
)
def test_colours(text: str, colour: tuple[int, int, int]) -> None:
    assert parse_colour(text, "background") == colour


@pytest.mark.parametrize(("margin_px", "box"), [(0, (10, 20, 25, 50)), (12, (0, 32, 13, 60))])
def test_a_crop_keeps_the_subject_and_its_margin(
    margin_px: int, box: tuple[int, int, int, int]
) -> None:
    rgba = cutout()
    top, bottom, left, right = box
    output = OutputOptions.from_dict({"crop": {"margin_px": margin_px}})
    expected = rgba[top:bottom, left:right]
    assert np.array_equal(pixels_of(rgba, output, "cutout"), expected)
    assert np.array_equal(pixels_of(rgba, output, "alpha"), expected[..., 3])
    written = np.asarray(picture(encode(cut_out_of(rgba), output, "cutout").data))
    assert np.array_equal(written[expected[..., 3] > 0], expected[expected[..., 3] > 0])
    assert written.shape == expected.shape
    assert encode(cut_out_of(rgba), output, "cutout")[1:] == expected.shape[:2]


def test_crop_true_is_a_crop_without_a_margin() -> None:
    options = OutputOptions.from_dict({"crop": True})
    assert options == OutputOptions.from_dict({"crop": {"margin_px": 0}})
    assert options == OutputOptions.from_dict({"crop": {}})
    assert OutputOptions.from_dict({"crop": False}) == OutputOptions()


def test_what_nobody_sees_does_not_widen_a_crop() -> None:
    rgba = cutout()
    rgba[0, 0, 3] = rgba[39, 59, 3] = 5
    assert visible_box(rgba[..., 3], 0) == (slice(10, 20), slice(25, 50))


def test_where_nothing_is_found_nothing_is_cropped() -> None:
    assert visible_box(np.zeros((4, 7), np.uint8), 3) == (slice(0, 4), slice(0, 7))


def test_crop_and_background_together() -> None:
    output = OutputOptions.from_dict({"crop": True, "background": "white"})
    pixels = pixels_of(cutout(), output, "cutout")
    assert np.array_equal(pixels, over_colour(cutout(), (255, 255, 255))[10:20, 25:50])


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"type": "image/tiff"}, "image/png"),
        ({"type": None}, "image/png"),
        ({"quality": 1.1}, "quality"),
        ({"quality": "high"}, "quality"),
        ({"quality": True}, "quality"),
        ({"quality": float("nan")}, "quality"),
        ({"crop": 7}, "crop"),
        ({"crop": None}, "crop"),
        ({"crop": {"margin": 3}}, "margin_px"),
        ({"crop": {"margin_px": -1}}, "margin_px"),
        ({"crop": {"margin_px": 1.5}}, "margin_px"),
        ({"crop": {"margin_px": True}}, "margin_px"),
        ({"crop": {"margin_px": None}}, "margin_px"),
        ({"margin_px": 3}, "crop"),
        ({"background": "blurple"}, "white"),
        ({"background": "#12345"}, "#rrggbb"),
        ({"background": "#ffff"}, "#rrggbb"),
        ({"background": "#ggg"}, "background"),
        ({"background": [255, 255, 255]}, "background"),
        ({"embed": 1}, "embed"),
        ({"depth": 12}, "depth"),
        ({"depth": 16.0}, "depth"),
        ({"depth": 16, "type": "image/webp"}, "depth"),
        ({"metadata": "some"}, "metadata"),
        ({"preset": "hat"}, "sticker"),
        ({"background": {"gradient": ["red"]}}, "two or more"),
        ({"background": {"gradient": ["red", "blurple"]}}, "gradient's colour"),
        ({"background": {"gradient": [["red", 0.9], ["blue", 0.1]]}}, "ascending"),
        ({"background": {"gradient": ["red", ["blue", 2]]}}, "place"),
        ({"background": {"gradient": ["red", "blue"], "angle": "up"}}, "angle"),
        ({"background": {"blur_px": 0}}, "blur_px"),
        ({"background": {"sparkle": 1}}, "gradient"),
        ({"shadow": "long"}, "contact"),
        ({"shadow": {"opacity": 2}}, "opacity"),
        ({"shadow": {"depth": 2}}, "shadow options"),
        ({"shadow": 3}, "shadow"),
        ({"outline": {"width_px": -3}}, "width_px"),
        ({"outline": {"colour": "blurple"}}, "colour of outline"),
        ({"canvas": {"height_px": 100}}, "width_px"),
        ({"canvas": {"height_px": 100, "width_mm": 3}}, "both in px or both in mm"),
        ({"canvas": {"height_px": 0, "width_px": 7}}, "height of canvas"),
        ({"canvas": {"height_px": 20000, "width_px": 7}}, "height of canvas"),
        ({"canvas": {"height_mm": 45, "width_mm": 35, "dpi": float("nan")}}, "dpi"),
        ({"canvas": {"height_mm": 45, "width_mm": 35, "dpi": 9}}, "dpi"),
        ({"canvas": {"height_px": 45, "width_px": 35, "dpi": 10_001}}, "dpi"),
        ({"canvas": {"height_mm": 45, "width_mm": 35, "height_px": 9}}, "both in px or both in mm"),
        (
            {"canvas": {"height_px": 9.5, "width_px": 9}},
            "a whole number from 1 to 16384 for height",
        ),
        ({"canvas": {"height_px": 9, "width_px": 9.5}}, "a whole number from 1 to 16384 for width"),
        ({"canvas": 7}, "canvas"),
        ({"canvas": {"height_px": 16000, "width_px": 16000}}, "megapixels"),
        ({"canvas": {"height_px": 9, "width_px": 9}, "crop": True}, "one of the two"),
        ({"type": "image/svg+xml", "background": "blur"}, "background of an SVG"),
        ({"type": "image/svg+xml", "shadow": True}, "shadow of an SVG"),
        ({"type": "image/svg+xml", "outline": {}}, "outline of an SVG"),
        ({"type": "image/webp", "depth": 16}, "depth"),
        ({"sparkle": 1}, "sparkle"),
        ({"sparkle": 1, 2: 3, None: 4}, "sparkle"),
        ({"crop": {2: 3, "left": 4}}, "left"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(values: dict[Any, Any], named: str) -> None:
    with pytest.raises(GossamerError, match=named) as caught:
        OutputOptions.from_dict(values)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
    assert caught.value.stage is Stage.ENCODE


def test_alpha_has_no_background() -> None:
    with pytest.raises(GossamerError, match="no background") as caught:
        encode(cut_out_of(cutout()), OutputOptions(background=(0, 0, 0)), "alpha")
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


def test_a_picture_behind_has_to_be_there() -> None:
    with pytest.raises(GossamerError, match="picture for background") as caught:
        encode(cut_out_of(cutout()), OutputOptions(background="picture"), "cutout")
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"type": "image/svg+xml"},
        *({"type": "image/webp", "quality": quality} for quality in (0, 0.5, 0.9, 1)),
        {"type": "image/webp", "crop": {"margin_px": 7}},
        {"type": "image/webp", "canvas": {"width_px": 90, "height_px": 120}},
        {"type": "image/webp", "shadow": {}, "outline": {}},
        {"shadow": {}, "outline": {}},
    ],
    ids=str,
)
def test_what_was_removed_is_in_no_file(output: dict[str, Any]) -> None:
    """Whatever lay there, the file is the same, byte for byte."""
    one, other = cutout(), cutout()
    removed = one[..., 3] == 0
    other[removed, :3] = 255 - other[removed, :3]
    options = OutputOptions.from_dict(output)
    files = [encode(cut_out_of(pixels), options, "cutout").data for pixels in (one, other)]
    assert files[0] == files[1]
