"""`contours.py`, `bezier.py` and `svg.py`, against shapes whose outlines are known."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy.spatial import KDTree
from skimage import data
from skimage.measure import find_contours

from pyside_logic.bezier import fit_closed
from pyside_logic.contours import trace_contours
from pyside_logic.svg import encode_svg, outline_path


def ring(size: int = 160, outer: float = 60, inner: float = 25) -> np.ndarray:
    """Alpha of a ring about the middle, antialiased, uint8 (size, size)."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    radius = np.hypot(y, x)
    soft = np.clip(outer - radius + 0.5, 0, 1) * np.clip(radius - inner + 0.5, 0, 1)
    return np.round(255 * soft).astype(np.uint8)


def signed_area(points: np.ndarray) -> float:
    y, x = points.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def test_a_ring_has_two_outlines_that_run_opposite_ways() -> None:
    outlines = sorted(trace_contours(ring()), key=len)
    assert len(outlines) == 2
    for points, radius in zip(outlines, (25, 60), strict=True):
        assert np.abs(np.hypot(*(points - 80).T) - radius).max() < 0.1
    hole, whole = (signed_area(points) for points in outlines)
    assert hole * whole < 0


@settings(max_examples=100, deadline=None)
@given(height=st.integers(1, 12), width=st.integers(1, 12), seed=st.integers(0, 9999))
def test_noise_has_the_outlines_that_scikit_image_finds(height: int, width: int, seed: int) -> None:
    alpha = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    theirs = find_contours(np.pad(alpha, 1).astype(float), 127.5)
    points = {tuple(point) for line in theirs for point in np.round(line - 0.5, 6)}
    ours = trace_contours(alpha)
    assert {tuple(point) for line in ours for point in np.round(line, 6)} == points
    assert sum(map(len, ours)) == sum(len(line) - 1 for line in theirs)
    steps = [np.diff(line, axis=0, append=line[:1]) for line in ours]
    assert all(np.abs(step).max() <= 1 for step in steps)


@pytest.mark.parametrize("value", [0, 255])
def test_even_alpha(value: int) -> None:
    alpha = np.full((5, 9), value, np.uint8)
    outlines = trace_contours(alpha)
    assert len(outlines) == (value > 0)
    if outlines:
        assert abs(signed_area(outlines[0])) == pytest.approx(5 * 9 - 4 * 0.125)


def test_corners_that_touch_are_joined_where_the_middle_is_inside() -> None:
    assert len(trace_contours(np.array([[255, 0], [0, 255]], np.uint8))) == 2
    assert len(trace_contours(np.array([[255, 100], [100, 255]], np.uint8))) == 1


def test_curves_pass_every_point_within_the_tolerance_and_join() -> None:
    for points in trace_contours(ring()):
        curves = fit_closed(points, 0.35)
        assert len(curves) <= 12
        t = np.linspace(0, 1, 200)[:, None]
        drawn = np.concatenate(
            [
                (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
                for a, b, c, d in curves
            ]
        )
        nearest = [np.hypot(*(drawn - point).T).min() for point in points]
        assert max(nearest) <= 0.36
        for before, after in zip(curves, [*curves[1:], curves[0]], strict=True):
            assert np.array_equal(before[3], after[0])


@pytest.mark.parametrize("photo", ["coffee", "astronaut", "text"])
def test_no_curve_strays_between_the_points_that_it_passes(photo: str) -> None:
    """Taken for alpha, any photo has outlines with all kinds of turns."""
    t = np.linspace(0, 1, 40)[:, None]
    alpha = getattr(data, photo)()[:200, :200]
    for points in trace_contours(alpha if alpha.ndim == 2 else alpha[..., 1]):
        drawn = np.concatenate(
            [
                (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
                for a, b, c, d in fit_closed(points, 0.35)
            ]
        )
        assert KDTree(points).query(drawn)[0].max() < 1.5


def polygons(path: str) -> list[list[tuple[float, float]]]:
    """The path's outlines as (x, y), each curve in 24 steps."""
    found = []
    for part in path.split("Z")[:-1]:
        numbers = np.array([float(text) for text in re.findall(r"-?[\d.]+", part)]).reshape(-1, 2)
        start, rest = numbers[0], numbers[1:].reshape(-1, 3, 2)
        outline = []
        for b, c, d in rest:
            for t in np.linspace(0, 1, 24, endpoint=False):
                s = 1 - t
                point = s**3 * start + 3 * t * s * s * b + 3 * t * t * s * c + t**3 * d
                outline.append((float(point[0]), float(point[1])))
            start = d
        found.append(outline)
    return found


def test_the_path_filled_by_pillow_is_the_ring() -> None:
    alpha, scale = ring(), 8
    filled = np.zeros((160 * scale, 160 * scale), bool)
    for outline in polygons(outline_path(alpha)):
        canvas = Image.new("1", filled.shape)
        ImageDraw.Draw(canvas).polygon([(x * scale, y * scale) for x, y in outline], fill=1)
        filled ^= np.asarray(canvas)
    expected = ring(160 * scale, 60 * scale, 25 * scale) > 127
    assert (filled & expected).sum() / (filled | expected).sum() >= 0.99


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 24), width=st.integers(1, 24), seed=st.integers(0, 9999))
def test_any_picture_becomes_a_path(height: int, width: int, seed: int) -> None:
    alpha = np.random.default_rng(seed).choice(np.array([0, 255], np.uint8), (height, width))
    path = outline_path(alpha)
    assert "nan" not in path
    assert path.count("M") == path.count("Z")


def test_specks_are_no_outlines_and_what_a_speck_is_grows_with_the_picture() -> None:
    alpha = np.zeros((300, 300), np.uint8)
    alpha[100:200, 100:200] = 255
    alpha[20, 20] = 255
    alpha[40:43, 40:43] = 255
    assert outline_path(alpha).count("M") == 2
    enlarged = np.pad(alpha, ((0, 0), (0, 3700)))
    assert outline_path(enlarged).count("M") == 1


def test_the_photo_in_a_file_is_whole_under_its_clip_and_nothing_elsewhere() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (160, 160, 4), np.uint8)
    rgba[..., 3] = ring()
    svg = ElementTree.fromstring(encode_svg(rgba, embed=True, background=(0, 128, 128)))
    rect, clip, image = svg
    assert rect.attrib == {"width": "160", "height": "160", "fill": "rgb(0, 128, 128)"}
    assert clip[0].attrib["d"] == outline_path(rgba[..., 3])
    png = base64.b64decode(image.attrib["href"].removeprefix("data:image/png;base64,"))
    photo = np.asarray(Image.open(io.BytesIO(png)))
    shows = rgba[..., 3] > 0
    assert np.array_equal(photo[..., 3], np.where(shows, 255, 0))
    assert np.array_equal(photo[shows, :3], rgba[shows, :3])
    assert not photo[~shows].any()


def test_what_is_not_the_subject_is_not_in_the_file() -> None:
    rgba = np.random.default_rng(1).integers(0, 256, (160, 160, 4), np.uint8)
    rgba[..., 3] = ring()
    drawing = encode_svg(rgba, embed=False)
    assert len(drawing) < 3000
    assert [part.attrib["d"] for part in ElementTree.fromstring(drawing)] == [
        outline_path(rgba[..., 3])
    ]
    other = rgba.copy()
    other[rgba[..., 3] == 0, :3] = 77
    assert encode_svg(rgba, embed=True) == encode_svg(other, embed=True)
