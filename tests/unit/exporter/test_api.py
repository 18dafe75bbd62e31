"""The API for scripts cuts out what `gossamer cut` cuts out, whatever form a picture comes in."""

import errno
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from PIL import Image
from skimage import data

from exporter import api, finder
from exporter.api import cut
from exporter.cli import main
from exporter.errors import ExporterError, PictureError
from exporter.native import NativeNetwork
from pyside_logic.icc import icc_profile
from tests.unit.exporter.graphs import graph_of, specification


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "coffee.png"
    Image.fromarray(data.coffee()).save(path, dpi=(300, 300))
    return path


@pytest.fixture(scope="module")
def own(disc: tuple[Path, Path]) -> dict[str, Any]:
    """For calls that do not look at the network."""
    return {"model": str(disc[0]), "spec": disc[1]}


@pytest.fixture(scope="module")
def own_arguments(own: dict[str, Any]) -> list[str]:
    """The same for the command."""
    return ["--model", own["model"], "--spec", str(own["spec"])]


def test_it_writes_what_the_command_writes(
    coffee: Path, own: dict[str, Any], own_arguments: list[str], tmp_path: Path
) -> None:
    for arguments, options, output in (
        ([], {}, {}),
        ([*own_arguments, "--refine", "none"], {**own, "refine": None}, {}),
        (["--model", "auto", "--preset", "id-photo"], {"model": "auto"}, {"preset": "id-photo"}),
        (
            [*own_arguments, "--refine", '{"feather_px": 3}'],
            {**own, "refine": {"feather_px": 3}},
            {},
        ),
    ):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        assert main(["cut", str(coffee), "-o", str(out), *arguments]) == 0
        (written,) = out.iterdir()
        result = cut(coffee, **options)
        assert result.encode(output) == written.read_bytes()
        result.save(out / "saved.PNG", output)
        assert (out / "saved.PNG").read_bytes() == written.read_bytes()


def test_sixteen_bits_are_found_when_they_are_asked_for(
    coffee: Path, own: dict[str, Any], own_arguments: list[str], tmp_path: Path
) -> None:
    arguments = [*own_arguments, "--alpha", "--depth", "16"]
    assert main(["cut", str(coffee), "-o", str(tmp_path), *arguments]) == 0
    (written,) = tmp_path.iterdir()
    result = cut(str(coffee), **own)
    before = result.rgba.copy()
    assert result.encode({"depth": 16}, content="alpha") == written.read_bytes()
    assert np.array_equal(result.rgba, before)


def test_a_file_an_image_and_an_array_are_one_picture(coffee: Path) -> None:
    photo = data.coffee()
    result = cut(photo, wider_look=False)
    assert (result.rgba.shape, result.alpha.shape) == ((400, 600, 4), (400, 600))
    assert (result.matte.shape, result.model) == ((320, 320), "u2netp")
    assert result.image().getpixel((280, 200))[3] == 255
    assert not np.asarray(result.image())[result.alpha == 0].any()  # Pillow writes what is there
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    with Image.open(coffee) as lazy:
        others = [
            cut(one, wider_look=False).rgba
            for one in (coffee, lazy, Image.fromarray(photo), opaque)
        ]
    for other in others:
        assert np.array_equal(other, result.rgba)
    assert np.array_equal(photo, data.coffee())  # it was not written to
    grey = cut(np.asarray(Image.fromarray(photo).convert("L")), wider_look=False)
    assert np.array_equal(
        grey.rgba[..., 0][grey.alpha == 255], grey.rgba[..., 1][grey.alpha == 255]
    )


def test_an_images_orientation_and_resolution_count(coffee: Path, own: dict[str, Any]) -> None:
    photo = Image.open(coffee)
    exif = photo.getexif()
    exif[0x0112] = 6
    lying = io.BytesIO()
    photo.transpose(Image.Transpose.ROTATE_90).save(lying, "PNG", exif=exif, dpi=(300, 150))
    result = cut(Image.open(lying), **own)
    assert result.rgba.shape == (400, 600, 4)
    written = Image.open(io.BytesIO(result.encode()))
    assert written.info["dpi"] == pytest.approx((150, 300), abs=0.02)


def test_sessions_are_kept_and_threads_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    class Counted(NativeNetwork):
        def __init__(self, *given: Any, **options: Any) -> None:
            started.append(given)
            super().__init__(*given, **options)

    monkeypatch.setattr(finder, "NativeNetwork", Counted)
    monkeypatch.setattr(api, "_finders", {})
    photos = [data.coffee()[::2, ::2], data.chelsea()[::2, ::2]] * 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(cut, photos))
    assert len(started) == 1
    alone = [cut(photo) for photo in photos[:2]]
    for expected, result in zip(alone * 2, together, strict=True):
        assert np.array_equal(expected.rgba, result.rgba)
    assert len(started) == 1
    cut(photos[0], second_look=True)
    assert len(started) == 1
    cut(photos[0], precision="int8")
    assert len(started) == 2


SPECIFICATION = specification(64, 48, "sigmoid")


def test_a_network_that_was_written_again_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSSAMER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "_finders", {})
    file, spec = tmp_path / "mine.onnx", tmp_path / "mine.toml"

    def mattes_of(bias: float, text: str = SPECIFICATION) -> list[npt.NDArray[np.float32]]:
        graph = f"""
            mine (float[1, 3, 64, 48] picture) => (float[1, 1, 64, 48] logits)
            <float[1, 3, 1, 1] weight = {{1.0, 1.0, 1.0}}, float[1] bias = {{{bias:.1f}}}>
            {{ logits = Conv (picture, weight, bias) }}
        """
        onnx.save(graph_of(graph), file)
        spec.write_text(text)
        options: dict[str, Any] = {"model": str(file), "spec": spec, "refine": None}
        return [cut(data.coffee(), **options).matte for _ in range(2)]

    (first, _), (second, again) = mattes_of(-1), mattes_of(1)
    assert (second > first).all()
    assert np.array_equal(second, again)
    assert len(api._finders) == 1  # nobody needs the old one
    third, _ = mattes_of(1, SPECIFICATION.replace("[0.25", "[0.5"))
    assert not np.array_equal(third, second)
    file.unlink()
    with pytest.raises(ExporterError, match="Expected the network's ONNX file"):
        cut(data.coffee(), model=str(file), spec=spec)


def test_what_the_first_look_loses_a_wider_one_finds() -> None:
    """Of a cat's face as large as the photo U2-Net-P finds the eyes."""
    face = np.ascontiguousarray(data.chelsea()[30:240, 90:405])
    eyes, whole = (cut(face, wider_look=wanted) for wanted in (False, True))
    assert eyes.alpha.mean() < 0.1 * 255
    assert whole.alpha[20:180, 20:200].mean() > 0.98 * 255
    plain = cut(data.astronaut(), wider_look=False)
    assert np.array_equal(cut(data.astronaut()).rgba, plain.rgba)  # nothing is lost there


def test_a_matte_of_nothing_but_nan_is_told(tmp_path: Path) -> None:
    """That of a black picture, of a network that passes every proof by others."""
    file, spec = tmp_path / "mine.onnx", tmp_path / "mine.toml"
    graph = """
        mine (float[1, 3, height, width] picture) => (float[1, 1, height, width] logits)
        <float[1, 3, 1, 1] weight = {1.0, 1.0, 1.0}, float one = {1.0}>
        { brightest = ReduceMax <keepdims = 1> (picture)
          above_black = Add (brightest, one)
          factor = Sqrt (above_black)
          sums = Conv (picture, weight)
          logits = Mul (sums, factor) }
    """
    onnx.save(graph_of(graph), file)
    spec.write_text(f"{specification(64, 48, 'sigmoid')}\n[wider]\nheight = 32\nwidth = 24\n")
    black = np.zeros((90, 60, 3), np.uint8)
    with pytest.raises(ExporterError, match="Expected a matte of finite values"):
        cut(black, model=str(file), spec=spec, refine=None)


def test_a_plain_backdrop_needs_no_network() -> None:
    y, x = np.mgrid[:90, :120]
    ball = np.hypot(y - 45, x - 60) < 25
    photo = np.where(ball[..., None], (200, 60, 40), (0, 177, 64)).astype(np.uint8)
    result = cut(photo, key="auto", model="absent")
    plain = cut(photo, key="auto", refine={"sharpen": 0, "feather_px": 2})
    assert np.array_equal(cut(photo, key="auto", refine={"feather_px": 2}).rgba, plain.rgba)
    assert result.model == "chroma-key"
    assert result.alpha[ball].mean() > 250
    assert result.alpha[~ball].mean() < 5


@pytest.mark.parametrize("key", ["auto", "#00b140"])
def test_an_edge_before_a_green_screen_is_hardly_green(key: str) -> None:
    y, x = np.mgrid[:300, :400]
    alpha = np.clip((100 - np.hypot(y - 150, x - 200)) / 1.5 + 0.5, 0, 1)[..., None]
    subject, screen = np.array([150, 90, 60]), np.array([0, 177, 64])
    photo = (alpha * subject + (1 - alpha) * screen).round().astype(np.uint8)
    result = cut(photo, key=key)
    found = result.alpha[..., None] / 255
    soft = ((alpha > 0.02) & (alpha < 0.98))[..., 0]
    assert np.abs(found - alpha)[soft].mean() < 0.1
    on_white = found * result.rgba[..., :3] + (1 - found) * 255
    expected = alpha * subject + (1 - alpha) * 255
    assert np.abs(on_white - expected)[soft].mean() < 16


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros((20, 20, 3)), r"Expected uint8 pixels.*float64 \(20, 20, 3\)"),
        (np.zeros((20, 20, 2), np.uint8), r"received uint8 \(20, 20, 2\)"),
        (np.zeros((20,), np.uint8), r"received uint8 \(20,\)"),
        (np.zeros((4, 20, 3), np.uint8), "at least 8 x 8 px"),
        (np.zeros((0, 20, 3), np.uint8), "at least 8 x 8 px"),
        (Image.new("RGB", (3, 3)), "The image: Expected a picture of at least"),
        ("nothing-there.jpg", "nothing-there.jpg: Expected a picture, received nothing there"),
        (b"bytes", "received bytes"),
        (None, "received NoneType"),
    ],
)
def test_what_is_no_picture_is_refused(image: Any, told: str) -> None:
    with pytest.raises(PictureError, match=told):
        cut(image)


def test_an_image_whose_file_is_closed_is_refused(coffee: Path) -> None:
    with Image.open(coffee) as picture:
        pass
    with pytest.raises(PictureError, match=r"The image: .* received one whose file was closed"):
        cut(picture)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "absent"}, "Expected one of u2netp"),
        ({"model": "mine.onnx"}, "Expected --spec TOML"),
        ({"model": None}, "Expected the name of a network or its file, received None"),
        ({"spec": 5}, "Expected the path of a file, received 5"),
        ({"refine": {"feather": 3}}, "Expected refine options among"),
        ({"refine": "none"}, "Expected a mapping of options for refine, received 'none'"),
        ({"key": "greenish"}, "#rrggbb"),
    ],
)
def test_wrong_options_are_explained(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ExporterError, match=told):
        cut(data.coffee(), **options)


def test_an_image_of_more_colours_says_so(own: dict[str, Any], tmp_path: Path) -> None:
    wide = Image.fromarray(data.coffee())
    file = tmp_path / "wide.png"
    wide.save(file, icc_profile=icc_profile("display-p3"))
    result = cut(file, **own)
    assert result.image().info["icc_profile"] == icc_profile("display-p3")
    result.image().save(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as saved:
        assert saved.info["icc_profile"] == icc_profile("display-p3")
    assert "icc_profile" not in cut(data.coffee(), **own).image().info


def test_a_wrong_file_is_explained(own: dict[str, Any], tmp_path: Path) -> None:
    result = cut(data.coffee(), **own, refine=None)
    with pytest.raises(ExporterError, match=r"ends in \.png, \.webp, \.svg"):
        result.save(tmp_path / "cutout.jpg")
    with pytest.raises(ExporterError, match="Expected a place to write to"):
        result.save(tmp_path / "absent" / "cutout.png")
    with pytest.raises(ExporterError, match="preset"):
        result.encode({"preset": "hat"})
    for wrong in (None, ["preset"], "sticker"):
        with pytest.raises(ExporterError, match="Expected a mapping of options for output"):
            result.encode(cast("Any", wrong))
    with pytest.raises(ExporterError, match="Expected the path of a file, received 5"):
        result.encode({"background": "picture"}, backdrop=cast("Any", 5))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_file_that_was_there(
    own: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    result = cut(data.coffee(), **own, refine=None)
    precious = tmp_path / "precious.png"
    precious.write_text("of another year")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExporterError, match="No space left"):
        result.save(precious)
    assert precious.read_text() == "of another year"
    assert list(tmp_path.iterdir()) == [precious]
