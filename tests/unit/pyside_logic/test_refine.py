"""`refine.py` and `compose.py`: alpha in the photo's own pixels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data

from pyside_logic.errors import ErrorCode, GossamerError
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.resample import resize_bilinear


def opaque_photo(height: int, width: int) -> np.ndarray:
    rgba = np.random.default_rng(5).integers(0, 256, (height, width, 4), np.uint8)
    rgba[..., 3] = 255
    return rgba


def refined(rgba: np.ndarray, matte: np.ndarray, **options: Any) -> np.ndarray:
    cutout = Cutout(rgba, matte)
    refine(cutout, RefineOptions(**options), lambda _done, _total: None)
    return cutout.rgba_hwc


def test_alpha_is_the_upsampled_matte_and_colours_stay() -> None:
    photo = np.dstack([data.chelsea(), np.full((300, 451), 255, np.uint8)])
    matte = np.random.default_rng(1).random((320, 320), np.float32)
    result = refined(photo.copy(), matte, sharpen=0, detail="none", decontaminate=False)
    theirs = np.asarray(Image.fromarray(matte).resize((451, 300), Image.Resampling.BILINEAR))
    assert np.abs(result[..., 3] / 255 - theirs).max() <= 0.51 / 255
    assert np.array_equal(result[..., :3], photo[..., :3])


@pytest.mark.parametrize(
    ("name", "detail", "blur_px"),
    [
        ("astronaut", "guided", 1.5),
        ("chelsea", "guided", 6),
        ("rocket", "guided", 6),
        ("coffee", "closed_form", 3),
    ],
)
def test_no_detail_leaves_the_matte(name: str, detail: str, blur_px: float) -> None:
    """Also where the matte has nothing to do with the photo, and every edge leads astray."""
    rgb = getattr(data, name)()
    photo = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    noise = gaussian_filter(np.random.default_rng(3).normal(size=(320, 320)), 12)
    matte = gaussian_filter((noise > 0).astype(np.float32), blur_px)
    alpha = refined(photo, matte, detail=detail, decontaminate=False)[..., 3] / 255
    plain = resize_bilinear(matte, *rgb.shape[:2])
    assert 0.5 / 255 < np.abs(alpha - plain).mean() <= 4 / 255
    inside, before = alpha >= 0.5, plain >= 0.5
    assert (inside & before).sum() / (inside | before).sum() >= 0.98


def test_only_soft_pixels_get_other_colours() -> None:
    photo = np.dstack([data.astronaut(), np.full((512, 512), 255, np.uint8)])
    y, x = np.mgrid[-1:1:320j, -1:1:320j]
    matte = np.clip(4 * (0.7 - np.hypot(x, y)), 0, 1).astype(np.float32)
    result = refined(photo.copy(), matte)
    changed = (result[..., :3] != photo[..., :3]).any(axis=2)
    soft = (result[..., 3] > 0) & (result[..., 3] < 255)
    assert changed.any()
    assert not changed[~soft].any()


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), value=st.sampled_from([0.0, 1.0]))
def test_all_or_nothing(height: int, width: int, value: float) -> None:
    result = refined(opaque_photo(height, width), np.full((8, 8), value, np.float32))
    assert (result[..., 3] == round(255 * value)).all()


def test_what_was_transparent_stays_so_however_often_it_is_refined() -> None:
    photo = opaque_photo(20, 30)
    photo[:10, :, 3] = 0
    photo[10:, :15, 3] = 100
    cutout = Cutout(photo, np.full((8, 8), 0.5, np.float32))
    for _ in range(3):
        refine(cutout, RefineOptions(), lambda _done, _total: None)
    alpha = cutout.rgba_hwc[..., 3]
    assert (alpha[:10] == 0).all()
    assert (alpha[10:, :15] == 100).all()
    assert (alpha[10:, 15:] == 128).all()


SUBJECT, BEHIND = np.array([120.0, 60, 40]), np.array([230.0, 235, 240])


def round_mix(edge_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Alpha of a soft disc, float32 (300, 300), and what is seen of it before BEHIND."""
    y, x = np.mgrid[:300, :300] + 0.5
    alpha = np.clip((100 - np.hypot(y - 150, x - 150)) / edge_px + 0.5, 0, 1).astype(np.float32)
    mixed = alpha[..., None] * SUBJECT + (1 - alpha[..., None]) * BEHIND
    return alpha, np.round(mixed).astype(np.uint8)


@pytest.mark.parametrize("contract_px", [0, 3, -3])
@pytest.mark.parametrize("feather_px", [0, 2, 8])
@pytest.mark.parametrize("edge_px", [1, 6])
def test_edges_that_move_show_the_subjects_own_colour(
    contract_px: int, feather_px: float, edge_px: float
) -> None:
    """A pixel was mixed with the alpha that was found, whatever alpha it is given then."""
    matte, rgb = round_mix(edge_px)
    photo = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    options = {"contract_px": contract_px, "feather_px": feather_px}
    result = refined(photo, matte, sharpen=0, detail="none", **options)
    seen = np.abs(result[..., :3] - SUBJECT) * result[..., 3:] / 255
    assert seen.max() <= 3


@pytest.mark.parametrize("detail", ["none", "guided"])
def test_a_cut_out_that_is_cut_out_again_stays_as_it_is(detail: str) -> None:
    """Its edges are its own, and so are the colours there: nothing behind has a share of them."""
    alpha, _ = round_mix(6)
    known = np.round(alpha * 255).astype(np.uint8)
    rgb = np.where(known[..., None] > 0, SUBJECT, 0).astype(np.uint8)
    result = refined(np.dstack([rgb, known]), alpha, detail=detail, sharpen=0)
    assert np.abs(result[..., 3].astype(int) - known).max() <= 1
    assert np.array_equal(result[..., :3], rgb)


def test_progress_ends_at_the_last_row() -> None:
    seen: list[tuple[int, int]] = []
    cutout = Cutout(opaque_photo(700, 3), np.ones((8, 8), np.float32))
    options = RefineOptions(decontaminate=False)
    refine(cutout, options, lambda done, total: seen.append((done, total)))
    assert seen == [(256, 700), (512, 700), (700, 700)]
    seen.clear()
    refine(cutout, RefineOptions(), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1400, 1400)
    assert seen == sorted(seen)


@pytest.mark.parametrize("value", [-0.1, 4.1, float("nan"), "much", True, None])
def test_values_out_of_range_are_refused(value: object) -> None:
    with pytest.raises(GossamerError, match="sharpen") as caught:
        RefineOptions.from_dict({"sharpen": value})
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


def test_unknown_options_are_named() -> None:
    with pytest.raises(GossamerError, match="sparkle") as caught:
        RefineOptions.from_dict({"sparkle": 1})
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3), (0, 4, 4)])
def test_pixels_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(GossamerError) as caught:
        Cutout(np.zeros(shape, np.uint8), np.zeros((8, 8), np.float32))
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT


def test_a_colour_of_both_sides_is_not_printed_into_either() -> None:
    """A stripe of the background's colour on the subject, and one of the subject's behind it."""
    y, x = np.mgrid[:400, :400]
    subject = np.hypot(y - 200, x - 200) < 120
    rgb = np.where(subject[..., None], SUBJECT, BEHIND)
    rgb[subject & (np.abs(x - 270) < 5)] = BEHIND
    rgb[~subject & (np.abs(x - 350) < 5)] = SUBJECT
    photo = np.dstack([rgb.astype(np.uint8), np.full((400, 400), 255, np.uint8)])
    matte = gaussian_filter(subject.astype(np.float32), 3)
    alpha = refined(photo, matte)[..., 3]
    assert alpha[matte > 0.999].min() >= 250
    assert alpha[matte < 0.001].max() <= 5


def test_a_feathered_edge_shows_no_squares() -> None:
    """What the subject's colours go on as beyond its edge is as smooth as they are."""
    y, x = np.mgrid[:300, :300]
    subject = np.hypot(y - 150, x - 150) < 90
    rgb = np.where(subject[..., None], np.stack([x, y, 300 - x], axis=-1) * 0.8, BEHIND)
    photo = np.dstack([rgb.astype(np.uint8), np.full((300, 300), 255, np.uint8)])
    result = refined(photo, subject.astype(np.float32), feather_px=24, detail="none").astype(float)
    rim = (result[..., 3] > 25) & ~subject
    for axis in (0, 1):
        steps = np.abs(np.diff(result[..., :3], axis=axis)).max(axis=-1)
        within = np.delete(rim, -1, axis) & np.delete(rim, 0, axis)
        assert np.percentile(steps[within], 99.5) <= 8
