"""What a screen shows while a slider moves is what refinement and the encoder will make."""

from typing import Any

import numpy as np
import pytest

from pyside_logic.cutout import Cutout
from pyside_logic.encode import render
from pyside_logic.output_options import OutputOptions
from pyside_logic.preview import Preview
from pyside_logic.refine_options import RefineOptions
from pyside_logic.source import Source
from pyside_logic.touch_up import Stroke, TouchUp
from tests.unit.pyside_logic.discs import alpha, disc, matte_of

KEEP = Stroke(keep=True, radius=20, hardness=1.0, points=((20.0, 20.0), (60.0, 30.0)))
REMOVE = Stroke(keep=False, radius=15, hardness=0.5, points=((150.0, 120.0),))


def test_a_preview_is_the_refined_photo_made_small() -> None:
    rgba = disc(480, 600)
    cutout = Cutout(rgba, matte_of(rgba))
    options = {"feather_px": 6, "contract_px": 9}
    small = Preview(cutout).refined(RefineOptions.from_dict(options), 200)
    assert small.shape == (160, 200, 4)
    full = alpha(cutout, **options).reshape(160, 3, 200, 3).mean(axis=(1, 3))
    assert np.abs(small[..., 3] / 255 - full).mean() < 0.01


@pytest.mark.parametrize("contract_px", [1, 2, 4, -1, -3])
def test_a_preview_moves_edges_by_parts_of_its_pixels(contract_px: int) -> None:
    rgba = disc(960, 1200)
    cutout = Cutout(rgba, matte_of(rgba))
    small = Preview(cutout).refined(RefineOptions(contract_px=contract_px), 200)
    full = alpha(cutout, contract_px=contract_px).mean()
    plain = Preview(cutout).refined(RefineOptions(), 200)[..., 3].mean() / 255
    moved = small[..., 3].mean() / 255 - plain
    assert moved == pytest.approx(full - alpha(cutout).mean(), rel=0.25)


def test_a_preview_touches_nothing_and_starts_from_the_photo_as_it_came() -> None:
    rgba = disc(120, 160)
    cutout = Cutout(rgba.copy(), matte_of(rgba))
    first = Preview(cutout).refined(RefineOptions(), 80).copy()
    alpha(cutout, feather_px=5)
    refined = cutout.rgba_hwc.copy()
    assert not np.array_equal(refined, rgba)
    assert np.array_equal(Preview(cutout).refined(RefineOptions(), 80), first)
    assert np.array_equal(cutout.rgba_hwc, refined)


def test_what_a_preview_keeps_changes_nothing() -> None:
    rgba = disc(240, 300)
    cutout = Cutout(rgba, matte_of(rgba))
    preview = Preview(cutout)
    painted = TouchUp(240, 300)
    steps: list[tuple[dict[str, object], list[Stroke]]] = [
        ({}, []),
        ({"feather_px": 8}, []),
        ({"feather_px": 8}, [KEEP]),
        ({"sharpen": 0, "contract_px": 6}, [KEEP]),
        ({"detail": "guided"}, [KEEP, REMOVE]),
        ({"detail": "guided", "decontaminate": False}, []),
    ]
    for options, strokes in steps:
        cutout.touch_hw = painted.set_strokes(strokes)
        wanted = RefineOptions.from_dict(options)
        kept = preview.refined(wanted, 150).astype(int)
        afresh = Preview(cutout).refined(wanted, 150).astype(int)
        assert np.array_equal(kept[..., 3], afresh[..., 3])
        # Colours may come from the layers of a similar alpha: what is seen of that is little.
        seen = np.abs(kept - afresh)[..., :3].mean(axis=-1) * (kept[..., 3] / 255)
        assert seen.mean() < 1


def test_a_preview_follows_another_matte() -> None:
    rgba = disc(240, 300)
    cutout = Cutout(rgba, matte_of(rgba))
    preview = Preview(cutout)
    preview.refined(RefineOptions(), 150)
    cutout.matte_hw = cutout.matte_hw[::-1, ::-1].copy()
    afresh = Preview(cutout).refined(RefineOptions(), 150)
    assert np.array_equal(preview.refined(RefineOptions(), 150)[..., 3], afresh[..., 3])


FILES: list[dict[str, Any]] = [
    {"background": "#204060"},
    {"background": {"gradient": ["white", "#808080"]}},
    {"background": "blur"},
    {"background": {"blur_px": 30}},
    {"background": "picture"},
    {"shadow": {"kind": "drop", "x_px": 250, "y_px": 90, "blur_px": 12, "opacity": 1}},
    {"shadow": "contact", "background": "white"},
    {"outline": {"width_px": 24, "colour": "#ff0000"}},
    {"crop": {"margin_px": 30}, "background": "white"},
    {"preset": "product"},
    {"preset": "id-photo"},
    {"preset": "sticker"},
]


@pytest.mark.parametrize("output", FILES, ids=lambda output: "-".join(map(str, output.values())))
def test_a_preview_of_the_file_is_the_file_made_small(output: dict[str, Any]) -> None:
    rgba = disc(960, 1200)
    cutout = Cutout(rgba, matte_of(rgba))
    wanted = OutputOptions.from_dict(output)
    backdrop = disc(90, 120) if output.get("background") == "picture" else None
    seen = Preview(cutout).picture(RefineOptions(), wanted, 400, Source(), backdrop)
    small = seen.picture.rows(slice(0, seen.picture.height)).astype(float)
    alpha(cutout)
    file = render(cutout, wanted, "cutout", Source(), backdrop)
    assert max(small.shape[:2]) <= 401
    assert (seen.height, seen.width) == pytest.approx((file.height, file.width), abs=4 * 3)
    whole = file.rows(slice(0, file.height)).astype(float)
    sizes = whole.shape[:2]
    step = file.height / seen.picture.height
    at = [(np.arange(n) + 0.5) * step for n in small.shape[:2]]
    near = [np.clip(one.astype(int), 0, size - 1) for one, size in zip(at, sizes, strict=True)]
    sampled = whole[np.ix_(*near)]
    if small.shape[2] == 4:  # what is not seen has no colour
        assert np.abs(sampled[..., 3] - small[..., 3]).mean() < 8
        sampled, small = (one[..., :3] * (one[..., 3:] / 255) for one in (sampled, small))
    # The photo is noise, of which one pixel is not the mean of nine.
    assert np.abs(sampled - small).mean() < 22
    # A crop is rounded to whole pixels outwards, which are three times as large here.
    moved = 15 if "crop" in output or output.get("preset") == "sticker" else 5
    blocks = np.array_split(sampled.mean(axis=2), 8)
    ours = np.array_split(small.mean(axis=2), 8)
    for block, own in zip(blocks, ours, strict=True):
        assert block.mean() == pytest.approx(own.mean(), abs=moved)


def test_a_preview_blurs_as_far_as_the_file() -> None:
    rgba = disc(480, 600)
    matte = matte_of(rgba)
    rgba[:, :75, :3], rgba[:, 75:150, :3] = 0, 255  # an edge in the background
    cutout = Cutout(rgba, matte)
    wanted = OutputOptions.from_dict({"background": {"blur_px": 24}})
    small = Preview(cutout).picture(RefineOptions(), wanted, 200, Source()).picture
    alpha(cutout)
    file = render(cutout, wanted, "cutout", Source())
    row = file.rows(slice(240, 241))[0, 1:150:3].astype(int)
    assert row[10].max() + 100 < row[35].min()
    assert np.abs(small.rows(slice(80, 81))[0, :50].astype(int) - row).max() < 12


def test_a_preview_of_the_file_follows_edges_and_output() -> None:
    rgba = disc(240, 300)
    cutout = Cutout(rgba, matte_of(rgba))
    preview = Preview(cutout)

    def seen(options: dict[str, Any], output: dict[str, Any]) -> np.ndarray:
        wanted = RefineOptions.from_dict(options), OutputOptions.from_dict(output)
        picture = preview.picture(*wanted, 150, Source()).picture
        return picture.rows(slice(0, picture.height)).copy()

    white = seen({}, {"background": "white"})
    assert np.array_equal(seen({}, {"background": "white"}), white)
    assert not np.array_equal(seen({}, {"background": "black"}), white)
    assert not np.array_equal(seen({"contract_px": 8}, {"background": "white"}), white)
    assert np.array_equal(seen({}, {"background": "white"}), white)
