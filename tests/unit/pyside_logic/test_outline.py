"""How wide a rim is, and what it leaves of the subject."""

from typing import Any

import numpy as np
import pytest

from pyside_logic.encode import render
from pyside_logic.output_options import OutputOptions
from tests.unit.pyside_logic.cut_outs import cut_out_of

LIME = {"colour": "lime"}


def bar(side: int, left: int) -> np.ndarray:
    """A red bar from column `left` on, half as wide as the photo, uint8 (side / 4, side, 4)."""
    rgba = np.zeros((side // 4, side, 4), np.uint8)
    rgba[side // 16 : -side // 16, left : left + side // 2] = 200, 0, 0, 255
    return rgba


def drawn(rgba: np.ndarray, values: dict[str, Any], rows: slice | None = None) -> np.ndarray:
    picture = render(cut_out_of(rgba), OutputOptions.from_dict(values), "cutout")
    return picture.rows(rows or slice(0, picture.height)) / 255


def green_and_red(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel is rim, and how much is subject, in [0, 1]."""
    red = picture[..., 3] * picture[..., 0] * 255 / 200
    return picture[..., 3] - red, red


@pytest.mark.parametrize("side", [1000, 4000, 6000])
@pytest.mark.parametrize("width_px", [1, 2, 4, 16, 50, 150])
def test_a_rim_has_its_width_at_any_size_and_takes_nothing(side: int, width_px: int) -> None:
    """On either side of it, wherever the edge lies among the pixels that the rim is laid at."""
    for left in range(side // 4, side // 4 + 4):
        rgba = bar(side, left)
        middle = slice(side // 8, side // 8 + 1)
        picture = drawn(rgba, {"outline": {"width_px": width_px, **LIME}}, middle)[0]
        green, red = green_and_red(picture)
        assert green.sum() / 2 == pytest.approx(width_px, abs=max(0.35, 0.025 * width_px))
        assert red.sum() == pytest.approx(side // 2, abs=0.02)
        assert red[left : left + side // 2].min() > 0.99


@pytest.mark.parametrize("side", [1000, 3000])
def test_the_thinnest_rim_is_seen_all_around_a_disc(side: int) -> None:
    y, x = np.mgrid[:side, :side] + 0.5
    y, x = y - 0.4993 * side, x - 0.5017 * side
    radius = 0.301 * side
    away = np.hypot(y, x) - radius
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[..., 3] = np.round(255 * np.clip(0.5 - away, 0, 1))
    green, red = green_and_red(drawn(rgba, {"outline": {"width_px": 1, **LIME}}))
    assert np.abs(red - rgba[..., 3] / 255).max() < 0.01
    near = np.abs(away) < 6
    angles = (np.arctan2(y[near], x[near]) / (2 * np.pi) * 180).astype(int) + 90
    widths = np.bincount(angles, green[near])[:180] / (2 * np.pi * radius / 180)
    assert 0.4 < np.median(widths) < 1.3
    assert widths[1:].min() > 0.4


@pytest.mark.parametrize("width_px", [2, 22, 100])
@pytest.mark.parametrize("side", [1000, 3000])
def test_a_crop_does_not_cut_a_rim_flat(side: int, width_px: int) -> None:
    rgba = bar(side, side // 4 + 1)
    outline = {"width_px": width_px, **LIME}
    picture = drawn(rgba, {"outline": outline, "crop": True})
    for border in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert border[:, 3].max() == 0
    green, _ = green_and_red(picture[len(picture) // 2])
    assert green.sum() / 2 == pytest.approx(width_px, abs=max(0.35, 0.025 * width_px))
