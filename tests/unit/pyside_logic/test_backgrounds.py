"""What lies behind and around a subject, against other implementations and known shapes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage import data

from pyside_logic.backdrop import backdrop_picture
from pyside_logic.background import mix, over
from pyside_logic.distances import distances
from pyside_logic.encode import render
from pyside_logic.gradient import Gradient, GradientRows
from pyside_logic.output_options import OutputOptions
from tests.unit.pyside_logic.cut_outs import cut_out_of, disc, drawn

# ---- mixing --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999))
def test_one_over_another_is_what_pillow_makes(seed: int) -> None:
    random = np.random.default_rng(seed)
    front, behind = random.integers(0, 256, (2, 9, 11, 4), np.uint8)
    front[0, :, 3], front[1, :, 3], behind[2, :, 3] = 0, 255, 0
    theirs = Image.alpha_composite(Image.fromarray(behind), Image.fromarray(front))
    ours = over(front, behind)
    seen = ours[..., 3] > 0
    assert np.abs(ours.astype(int) - np.asarray(theirs))[seen].max() <= 1
    assert np.array_equal(ours[0][behind[0, :, 3] > 0], behind[0][behind[0, :, 3] > 0])
    assert np.array_equal(ours[1], front[1])
    assert np.array_equal(ours[2][front[2, :, 3] > 0], front[2][front[2, :, 3] > 0])


def test_layers_on_a_colour_are_the_transparent_picture_on_that_colour() -> None:
    values = {"shadow": True, "outline": {"width_px": 7, "colour": "yellow"}}
    clear = drawn(disc(), values)
    expected = mix(np.array([0, 128, 128], np.uint8), clear[..., :3], clear[..., 3:])
    on_teal = drawn(disc(), {**values, "background": "teal"})
    assert np.abs(on_teal.astype(int) - expected).max() <= 2


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    seed=st.integers(0, 99),
    cut=st.integers(1, 69),
    values=st.sampled_from(
        [
            {},
            {"background": "blur"},
            {"background": {"gradient": ["red", "blue", "lime"], "angle": 37}},
            {"background": "picture"},
            {"shadow": True},
            {"shadow": "contact", "background": "white"},
            {"outline": True},
            {"preset": "sticker"},
            {"crop": {"margin_px": 3}, "shadow": {"x_px": -9, "blur_px": 2}},
            {"canvas": {"height_px": 31, "width_px": 44}, "shadow": True, "background": "blur"},
            {"canvas": {"height_px": 31, "width_px": 44, "align": "head"}},
        ]
    ),
)
def test_any_size_works_and_strips_of_any_height_are_the_same(
    height: int, width: int, seed: int, cut: int, values: dict[str, Any]
) -> None:
    random = np.random.default_rng(seed)
    rgba = random.integers(0, 256, (height, width, 4), np.uint8)
    if seed % 3 == 0:
        rgba[..., 3] = 255 * (seed % 2)
    backdrop = random.integers(0, 256, (5, 9, 4), np.uint8)
    picture = render(
        cut_out_of(rgba), OutputOptions.from_dict(values), "cutout", backdrop_hwc=backdrop
    )
    size = (picture.height, picture.width, picture.channels)
    whole = picture.rows(slice(0, picture.height))
    assert whole.shape == size
    middle = min(cut, picture.height)
    parts = [picture.rows(slice(0, middle))]
    if middle < picture.height:
        parts.append(picture.rows(slice(middle, picture.height)))
    joined = np.concatenate(parts)
    if picture.channels == 4:  # nothing has no colour
        joined, whole = (np.where(one[..., 3:] > 0, one, 0) for one in (joined, whole))
    assert np.array_equal(joined, whole)
    assert np.array_equal(drawn(rgba, values, backdrop=backdrop), whole)


# ---- backgrounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("angle", "first", "last"),
    [(180, (0, 30), (99, 30)), (0, (99, 30), (0, 30)), (90, (50, 0), (50, 59))],
)
def test_a_gradient_leads_where_css_says(
    angle: float, first: tuple[int, int], last: tuple[int, int]
) -> None:
    gradient = Gradient(((0, (0, 0, 0)), (1, (200, 100, 50))), angle)
    picture = GradientRows(gradient, 100, 60).rows(slice(0, 100)).astype(int)
    assert np.abs(picture[first]).max() <= 2
    assert np.abs(picture[last] - (200, 100, 50)).max() <= 2
    assert np.abs(picture[50, 30] - (100, 50, 25)).max() <= 2


def test_corners_of_a_slanted_gradient_have_the_outer_colours() -> None:
    rows = GradientRows(Gradient(((0, (0,) * 3), (1, (255,) * 3)), 135), 40, 90)
    picture = rows.rows(slice(0, 40))
    assert picture[0, 0].max() <= 3
    assert picture[-1, -1].min() >= 252


def test_stops_have_their_places() -> None:
    values = {"gradient": ["black", ["white", 0.25], ["white", 0.75], "black"]}
    picture = drawn(np.zeros((100, 8, 4), np.uint8), {"background": values})[:, 0, 0].astype(int)
    assert (picture[26:74] == 255).all()
    assert picture[12] == pytest.approx(127, abs=4)
    assert picture[99] <= 6


@pytest.mark.parametrize("size", [(40, 200), (200, 40), (75, 100), (300, 400)])
def test_a_picture_behind_covers_all_and_shows_its_middle(size: tuple[int, int]) -> None:
    photo = np.dstack([data.coffee(), np.full((400, 600), 255, np.uint8)])
    height, width = size
    behind = backdrop_picture(photo, height, width)
    scale = max(height / 400, width / 600)
    box = (
        300 - width / scale / 2,
        200 - height / scale / 2,
        300 + width / scale / 2,
        200 + height / scale / 2,
    )
    theirs = Image.fromarray(photo[..., :3]).resize(
        (width, height), Image.Resampling.LANCZOS, box=box
    )
    assert behind.shape == (height, width, 3)
    assert np.abs(behind.astype(int) - np.asarray(theirs)).mean() < 3.5


def test_a_picture_behind_shows_where_the_subject_is_not() -> None:
    behind = np.dstack([data.coffee()[:200, :260], np.full((200, 260), 255, np.uint8)])
    rgba = disc()
    picture = drawn(rgba, {"background": "picture"}, backdrop=behind)
    expected = mix(behind[..., :3], rgba[..., :3], rgba[..., 3:])
    assert np.array_equal(picture, expected)


def test_the_blurred_background_has_no_halo_of_the_subject() -> None:
    """Around a red subject in a green photo all is green, up to its very edge."""
    rgba = disc()
    picture = drawn(rgba, {"background": {"blur_px": 12}}).astype(int)
    outside = rgba[..., 3] == 0
    assert np.abs(picture - (20, 120, 30))[outside].max() <= 2
    plain = np.asarray(Image.fromarray(rgba[..., :3]).resize((26, 20)).resize((260, 200)))
    assert np.abs(plain.astype(int) - (20, 120, 30))[outside].max() > 50  # a plain blur has one


def test_the_blurred_background_is_blurred_and_in_its_place() -> None:
    rgba = disc()
    rgba[:, :130, :3] = np.where(rgba[:, :130, 3:] > 0, rgba[:, :130, :3], (200, 200, 0))
    picture = drawn(rgba, {"background": {"blur_px": 10}}).astype(int)
    line = picture[5, :, 0]
    assert line[60] == pytest.approx(200, abs=4)
    assert line[200] == pytest.approx(20, abs=4)
    crossing = np.flatnonzero(line < 110)[0]
    assert crossing == pytest.approx(130, abs=2)
    slope = (line[125] - line[135]) / 10
    assert slope == pytest.approx(180 / (10 * np.sqrt(2 * np.pi)), rel=0.2)  # of that sigma


def test_where_all_is_subject_the_blur_is_hidden_and_finite() -> None:
    rgba = disc()
    rgba[..., 3] = 255
    assert np.array_equal(drawn(rgba, {"background": "blur"}), rgba[..., :3])


def test_what_shines_through_is_the_background_where_none_is_sure() -> None:
    rgba = np.full((300, 400, 4), 255, np.uint8)
    rgba[..., :3] = 200, 30, 20
    rgba[:, :2, 3] = 0  # a strip that is narrower than the rim
    rgba[:, :2, :3] = 20, 120, 30
    strip = drawn(rgba, {"background": "blur"})[:, 0].astype(int)
    assert np.abs(strip - (20, 120, 30)).max() <= 12
    rgba[..., :3] = 20, 120, 30
    rgba[..., 3] = 3  # a haze
    rgba[100:200, 150:250] = 200, 30, 20, 255
    assert (
        np.abs(drawn(rgba, {"background": "blur"})[50, 50].astype(int) - (20, 120, 30)).max() <= 3
    )


def test_a_single_pixel_of_background_is_enough() -> None:
    rgba = np.full((1024, 1024, 4), 255, np.uint8)
    rgba[..., :3] = 200, 30, 20
    rgba[:400, :, :3] = 20, 120, 30
    rgba[10, 10, 3] = 0
    picture = drawn(rgba, {"background": {"blur_px": 4}}).astype(int)
    assert np.abs(picture[10, 10] - (20, 120, 30)).max() <= 2


def test_what_was_transparent_in_the_photo_is_no_background() -> None:
    rgba = disc()
    source_alpha = np.full(rgba.shape[:2], 255, np.uint8)
    source_alpha[:, :60] = 0
    rgba[:, :60] = 0
    picture = drawn(rgba, {"background": "blur"}, source_alpha=source_alpha)
    assert np.abs(picture[:, :50].astype(int) - (20, 120, 30)).max() <= 3


# ---- shadow and rim ------------------------------------------------------------------------------


def test_a_drop_shadow_is_the_subject_moved_blurred_and_faint() -> None:
    shadow = {"x_px": 30, "y_px": 20, "blur_px": 4, "opacity": 0.5, "colour": "navy"}
    picture = drawn(disc(), {"shadow": shadow}).astype(int)
    y, x = np.mgrid[:200, :260] + 0.5
    subject, moved = np.hypot(y - 100, x - 130), np.hypot(y - 120, x - 160)
    beyond = (subject > 61) & (moved < 50)
    assert beyond.sum() > 300
    assert np.abs(picture[beyond] - (0, 0, 128, 128)).max() <= 4
    nothing = (subject > 61) & (moved > 75)
    assert picture[nothing][:, 3].max() <= 1
    edge = picture[..., 3][(subject > 61) & (np.abs(moved - 60) < 0.7)]
    assert edge.mean() == pytest.approx(64, abs=6)
    opaque = disc()[..., 3] == 255
    assert np.array_equal(picture[opaque], disc()[opaque])


def test_a_contact_shadow_lies_at_the_foot() -> None:
    rgba = disc(radius=60)
    picture = drawn(rgba, {"shadow": "contact"})
    shadow = np.where(rgba[..., 3] == 0, picture[..., 3], 0)
    rows = np.flatnonzero(shadow.max(axis=1) > 10)
    assert rows[0] > 140
    assert rows[-1] < 180
    assert shadow[161:164, 120:140].min() > 40
    assert shadow[:, 60:70].max() < 10


def test_a_crop_holds_the_shadow_and_the_rim_whole() -> None:
    values: dict[str, Any] = {"crop": True, "shadow": {"x_px": 100, "y_px": 10, "blur_px": 3}}
    picture = drawn(disc(), values)  # which reaches beyond the photo's own border
    assert picture.shape[1] > 215
    for border in (picture[-1], picture[:, -1]):
        assert border[..., 3].max() <= 6
    rim = drawn(disc(), {"crop": True, "outline": {"width_px": 20}})
    assert rim.shape[0] == pytest.approx(120 + 40, abs=6)
    assert rim.shape[1] == pytest.approx(120 + 40, abs=6)


def test_a_rim_is_as_wide_as_told_and_smooth() -> None:
    rgba = disc()
    picture = drawn(rgba, {"outline": {"width_px": 12, "colour": "#ff0"}}).astype(int)
    y, x = np.mgrid[:200, :260] + 0.5
    away = np.hypot(y - 100, x - 130)
    assert (picture[(away > 62) & (away < 70)] == (255, 255, 0, 255)).all()
    assert (picture[away > 74][:, 3] == 0).all()
    covered = (picture[..., 3] / 255).sum()
    assert np.sqrt(covered / np.pi) == pytest.approx(72, abs=0.7)


def test_distances_are_scipys() -> None:
    inside = np.random.default_rng(4).random((60, 80)) > 0.995
    expected = np.minimum(distance_transform_edt(~inside), 13)
    assert np.abs(distances(inside, 12) - expected).max() < 1e-4


def test_lengths_that_are_longer_than_the_picture_end_too() -> None:
    rgba = disc(30, 40, 9)
    drawn(rgba, {"shadow": {"blur_px": 10_000}, "outline": {"width_px": 300}})
    drawn(rgba, {"background": {"blur_px": 5000}, "shadow": {"x_px": -10_000, "y_px": 10_000}})
    drawn(rgba, {"crop": True, "shadow": {"x_px": 3000, "blur_px": 5}})


def test_crumbs_get_no_rim() -> None:
    rgba = disc()
    rgba[5:9, 5:9, 3] = 255
    picture = drawn(rgba, {"outline": {"width_px": 12}})
    assert (picture[:25, :25, 3] == 0).all()
