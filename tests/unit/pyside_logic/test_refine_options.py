"""What `refine_options.py` takes and refuses, and what each option does to a picture."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from pyside_logic.errors import ErrorCode, GossamerError, Stage
from pyside_logic.refine import Cutout, RefineOptions, refine
from pyside_logic.refine_options import DETAILS

EVERYTHING: dict[str, Any] = {
    "min_region_px": 99,
    "detail": "closed_form",
    "contract_px": 1,
    "feather_px": 0.8,
    "decontaminate": True,
}


def silent(_done: int, _total: int) -> None:
    pass


def scene(height: int = 200, width: int = 260) -> tuple[np.ndarray, np.ndarray]:
    """An opaque photo of a textured disc on a textured ground, and its blurred matte."""
    y, x = np.mgrid[:height, :width]
    inside = np.hypot(y - height / 2, x - width / 2) < 0.3 * height
    grain = np.random.default_rng(2).integers(0, 60, (height, width, 3))
    rgb = np.where(inside[..., None], [180, 90, 40], [30, 120, 90]) + grain
    photo = np.dstack([rgb, np.full((height, width), 255)]).astype(np.uint8)
    matte = gaussian_filter(inside.astype(np.float32), 5)[::3, ::3]
    return photo, matte


def refined(cutout: Cutout, **options: Any) -> np.ndarray:
    """Refined with these options alone: colours stay, unless it is one of them."""
    refine(cutout, RefineOptions(**{"decontaminate": False, **options}), silent)
    return cutout.rgba_hwc.copy()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_region_px", -1),
        ("min_region_px", float("inf")),
        ("min_region_px", "large"),
        ("detail", "magic"),
        ("detail", None),
        ("contract_px", 1.5),
        ("contract_px", 65),
        ("contract_px", True),
        ("feather_px", -0.1),
        ("feather_px", float("nan")),
        ("feather_px", [2]),
        ("decontaminate", 1),
        ("decontaminate", "yes"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(GossamerError, match=name) as caught:
        RefineOptions.from_dict({name: value})
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
    assert caught.value.stage is Stage.REFINE


def test_keys_of_any_type_are_refused_by_name() -> None:
    with pytest.raises(
        GossamerError, match=r"refine options among .*received \['glow', 2\]"
    ) as caught:
        RefineOptions.from_dict({"glow": 1, 2: 3})
    assert caught.value.stage is Stage.REFINE


def test_a_keyed_matte_is_sharp_already() -> None:
    assert RefineOptions.from_dict({}, keyed=True) == RefineOptions(sharpen=0)
    assert RefineOptions.from_dict({"sharpen": 2}, keyed=True) == RefineOptions(sharpen=2)


def test_whole_numbers_are_numbers() -> None:
    assert RefineOptions.from_dict({"feather_px": 2, "contract_px": -3}).feather_px == 2


@pytest.mark.parametrize("option", [*EVERYTHING.items(), ("detail", "none"), ("detail", "knn")])
def test_every_option_does_something_and_can_be_taken_back(option: tuple[str, Any]) -> None:
    photo, matte = scene()
    matte[2:4, 2:4] = 1  # a speck of 36 px
    cutout = Cutout(photo.copy(), matte)
    plain = refined(cutout)
    changed = refined(cutout, **dict([option]))
    assert not np.array_equal(changed, plain)
    alpha_stays = option[0] == "decontaminate"
    assert np.array_equal(changed[..., 3], plain[..., 3]) == alpha_stays
    assert np.array_equal(changed[..., :3], plain[..., :3]) != alpha_stays
    assert np.array_equal(refined(cutout), plain)


def test_everything_at_once_twice_is_the_same_twice() -> None:
    photo, matte = scene()
    cutout = Cutout(photo, matte)
    first = refined(cutout, **EVERYTHING)
    assert np.array_equal(refined(cutout, **EVERYTHING), first)


def test_decontamination_changes_soft_pixels_only_and_towards_the_subject() -> None:
    photo, matte = scene()
    before = photo.copy()
    result = refined(Cutout(photo, matte), decontaminate=True)
    soft = (result[..., 3] > 0) & (result[..., 3] < 255)
    assert np.array_equal(result[~soft][:, :3], before[~soft][:, :3])
    red_before, red_after = (picture[soft][:, 0].mean() for picture in (before, result))
    assert red_after > red_before + 20


def test_a_photo_that_was_transparent_stays_so_with_every_option() -> None:
    photo, matte = scene()
    photo[:, :130, 3] = 0
    photo[:, 130:, 3] = 100
    cutout = Cutout(photo, matte)
    for _ in range(2):
        alpha = refined(cutout, **EVERYTHING)[..., 3]
        assert (alpha[:, :130] == 0).all()
        assert alpha[100, 135] == 100
        assert alpha.max() == 100


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("decontaminate", [False, True])
def test_progress_rises_to_its_end(detail: str, decontaminate: bool) -> None:
    photo, matte = scene(300, 100)
    seen: list[tuple[int, int]] = []
    options = RefineOptions(detail=detail, decontaminate=decontaminate)
    refine(Cutout(photo, matte), options, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert len({total for _, total in seen}) == 1


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    h=st.integers(1, 12),
    w=st.integers(1, 12),
    value=st.sampled_from([None, 0.0, 0.4, 1.0]),
    detail=st.sampled_from(DETAILS),
)
def test_any_size_and_matte_with_every_option(
    height: int, width: int, h: int, w: int, value: float | None, detail: str
) -> None:
    rng = np.random.default_rng(height * 31 + width)
    photo = rng.integers(0, 256, (height, width, 4), np.uint8)
    photo[..., 3] = 255
    matte = rng.random((h, w), np.float32) if value is None else np.full((h, w), value, np.float32)
    cutout = Cutout(photo.copy(), matte)
    result = refined(cutout, **{**EVERYTHING, "detail": detail})
    if value in (0.0, 1.0):
        assert (result[..., 3] == 255 * value).all()
        assert np.array_equal(result[..., :3], photo[..., :3])
    cutout.restore_colours()
    assert np.array_equal(cutout.rgba_hwc[..., :3], photo[..., :3])


@pytest.mark.parametrize("options", [{}, EVERYTHING])
def test_a_matte_of_nan_is_refused(options: dict[str, Any]) -> None:
    photo, _ = scene(20, 20)
    with pytest.raises(GossamerError, match="NaN") as caught:
        refined(Cutout(photo, np.full((8, 8), np.nan, np.float32)), **options)
    assert caught.value.code is ErrorCode.INVALID_ARGUMENT
