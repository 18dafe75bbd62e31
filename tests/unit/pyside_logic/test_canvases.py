"""Where a subject stands on a canvas of its own, and the presets that people ask for by name."""

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pyside_logic.encode import encode
from pyside_logic.head import head_box
from pyside_logic.output_options import OutputOptions
from pyside_logic.presets import PRESETS
from pyside_logic.source import Source
from tests.unit.pyside_logic.cut_outs import cut_out_of, disc, drawn


def test_a_product_stands_in_the_middle_of_a_white_square() -> None:
    picture = drawn(disc(), {"preset": "product"})
    assert picture.shape == (2000, 2000, 3)
    assert (picture[:100] == 255).all()
    red = (picture[..., 1] < 128).astype(int)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    for at in (rows, columns):
        assert (at[0] + at[-1]) / 2 == pytest.approx(999.5, abs=3)
        assert at[-1] - at[0] == pytest.approx(1700, abs=25)


def test_what_is_given_wins_over_the_preset() -> None:
    values = {"preset": "product", "background": "teal", "canvas": {"height_px": 90}}
    picture = drawn(disc(), {**values, "canvas": {"height_px": 90, "width_px": 120}})
    assert picture.shape == (90, 120, 3)
    assert tuple(picture[0, 0]) == (0, 128, 128)
    for crop in (True, {}, {"margin_px": 0}):
        assert drawn(disc(), {"preset": "product", "crop": crop}).shape == (120, 120, 3)
    assert OutputOptions.from_dict({"preset": "product", "crop": False}).canvas is not None
    assert OutputOptions.from_dict({"preset": "sticker", "canvas": None}).margin_px == 0
    on_canvas = drawn(disc(), {"preset": "sticker", "canvas": {"height_px": 90, "width_px": 90}})
    assert on_canvas.shape == (90, 90, 4)


def test_a_size_in_millimetres_replaces_the_presets_in_px() -> None:
    values = {"preset": "product", "canvas": {"width_mm": 50, "height_mm": 25}}
    file = encode(cut_out_of(disc()), OutputOptions.from_dict(values), "cutout")
    assert (file.height, file.width) == (295, 591)
    red = np.asarray(Image.open(io.BytesIO(file.data)))[..., 1] < 128
    assert red.any(axis=1).sum() == pytest.approx(0.85 * 295, abs=4)
    in_px = {"preset": "id-photo", "canvas": {"width_px": 40, "height_px": 50}}
    file = encode(cut_out_of(disc()), OutputOptions.from_dict(in_px), "cutout")
    assert (file.height, file.width) == (50, 40)


def person(crown: int = 40) -> np.ndarray:
    """Head, neck and shoulders, cut off below, uint8 (400, 300, 4)."""
    y, x = np.mgrid[:400, :300] + 0.5
    head = ((y - crown - 60) / 60) ** 2 + ((x - 150) / 45) ** 2 < 1
    neck = (np.abs(x - 150) < 22) & (y > crown + 100)
    body = ((y - crown - 230) / 95) ** 2 + ((x - 150) / 120) ** 2 < 1
    body |= (y > crown + 230) & (np.abs(x - 150) < 120)
    rgba = np.full((400, 300, 4), 90, np.uint8)
    rgba[..., 3] = 255 * (head | neck | body)
    return rgba


@pytest.mark.parametrize("crown", [10, 40, 120])
def test_the_head_of_a_silhouette(crown: int) -> None:
    rows, columns = head_box(person(crown)[..., 3])
    assert rows.start == pytest.approx(crown, abs=3)
    assert rows.stop == pytest.approx(crown + 120, abs=12)
    assert (columns.start + columns.stop) / 2 == pytest.approx(150, abs=3)


@pytest.mark.parametrize("crown", [10, 40, 120])
def test_a_wisp_above_it_is_not_the_head(crown: int) -> None:
    rgba = person(crown)
    rgba[crown - 8 : crown + 4, 149:152, 3] = 255
    rgba[crown - 10 : crown - 8, 155:160, 3] = 255
    rows, _ = head_box(rgba[..., 3])
    assert rows.start == pytest.approx(crown, abs=6)
    assert rows.stop == pytest.approx(crown + 120, abs=12)


@pytest.mark.parametrize(("speck", "gap"), [(1, 1), (3, 1), (3, 9)])
def test_a_speck_that_stands_off_above_it_is_not_the_head(speck: int, gap: int) -> None:
    alpha = np.zeros((speck + gap + 9, 40), np.uint8)
    alpha[:speck, 20:22] = alpha[speck + gap :] = 255
    assert head_box(alpha) == (slice(speck + gap, len(alpha)), slice(0, 40))


def assert_id_photo_costs_little(rgba: np.ndarray, output: OutputOptions) -> None:
    cutout = cut_out_of(rgba)
    tracemalloc.start()
    file = encode(cutout, output, "cutout")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (file.height, file.width) == (531, 413)
    assert peak < 60e6


def test_a_head_that_is_small_in_a_large_subject_costs_no_memory() -> None:
    """A matte like a sofa with a person's head on it."""
    rgba = np.full((600, 3000, 4), 90, np.uint8)
    rgba[..., 3] = 0
    rgba[300:, :, 3] = 255
    rgba[275:300, 1490:1510, 3] = 255
    output = OutputOptions.from_dict({"preset": "id-photo", "canvas": {"fill": 0.9}})
    assert_id_photo_costs_little(rgba, output)


@pytest.mark.parametrize("layers", [{}, {"shadow": True}, {"shadow": "contact", "outline": True}])
def test_a_flat_subject_costs_no_more_than_its_canvas(layers: dict[str, Any]) -> None:
    """A line of pixels is all head, and 39,300 px wide where that has its size."""
    output = OutputOptions.from_dict({"preset": "id-photo", **layers})
    assert_id_photo_costs_little(np.full((1, 100, 4), 255, np.uint8), output)


@pytest.mark.parametrize("crown", [10, 40, 120])
def test_an_id_photo_has_its_size_and_room_above_the_head(crown: int) -> None:
    file = encode(
        cut_out_of(person(crown)), OutputOptions.from_dict({"preset": "id-photo"}), "cutout"
    )
    opened = Image.open(io.BytesIO(file.data))
    assert opened.size == (413, 531)
    assert opened.info["dpi"] == pytest.approx((300, 300), abs=0.02)
    subject = (np.asarray(opened) < 160).all(axis=-1)
    rows = np.flatnonzero(subject.any(axis=1))
    assert rows[0] == pytest.approx(53, abs=8)  # a tenth of the height
    assert rows[-1] == 530  # the body reaches down to the border
    widest = subject[rows[0] : rows[0] + 200].sum(axis=1).max()
    assert 1.4 * widest == pytest.approx(0.74 * 531, rel=0.04)  # a head's height, in the photo's
    head = np.flatnonzero(subject[rows[0] + 100])
    assert (head[0] + head[-1]) / 2 == pytest.approx(206, abs=5)


def test_an_avatar_has_the_head_within_its_circle_and_shoulders_to_the_border() -> None:
    alpha = drawn(person(), {"preset": "avatar"})[..., 3] >= 128
    assert alpha.shape == (1024, 1024)
    rows = np.flatnonzero(alpha.any(axis=1))
    assert rows[0] == pytest.approx(0.15 * 1024, abs=16)
    assert rows[-1] == 1023
    y, x = np.nonzero(alpha[: rows[0] + 500])  # half of the height is the head
    assert np.hypot(y - 511.5, x - 511.5).max() < 512


@pytest.mark.parametrize("preset", ["id-photo", "avatar"])
def test_what_has_no_head_stands_in_the_middle(preset: str) -> None:
    rgba = np.zeros((300, 500, 4), np.uint8)
    rgba[100:200, 150:400, 3] = 255
    picture = drawn(rgba, {"preset": preset, "background": "transparent"})[..., 3] >= 128
    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    height, width = picture.shape
    assert len(columns) == pytest.approx(0.85 * width, abs=2)
    assert rows[0] + rows[-1] == pytest.approx(height - 1, abs=2)
    assert columns[0] + columns[-1] == pytest.approx(width - 1, abs=2)


def test_a_size_in_millimetres_and_the_density_that_goes_with_it() -> None:
    values = {"canvas": {"height_mm": 25.4, "width_mm": 50.8, "dpi": 100}}
    file = encode(
        cut_out_of(disc()), OutputOptions.from_dict(values), "cutout", Source(density=(3, 4))
    )
    opened = Image.open(io.BytesIO(file.data))
    assert opened.size == (200, 100)
    assert opened.info["dpi"] == pytest.approx((100, 100), abs=0.02)
    in_px = OutputOptions.from_dict({"canvas": {"height_px": 20, "width_px": 30}})
    file = encode(cut_out_of(disc()), in_px, "cutout", Source(density=(3, 4)))
    assert "dpi" not in Image.open(io.BytesIO(file.data)).info


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_of_nothing_and_of_everything(preset: str, value: int) -> None:
    rgba = np.full((30, 40, 4), 50, np.uint8)
    rgba[..., 3] = value
    picture = drawn(rgba, {"preset": preset})
    assert picture.size > 0
