"""Cuts photographs out with the real network, and keeps going where one of them is broken."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms, ImageOps
from skimage import data

from exporter.catalog import find_network
from exporter.cli import main
from exporter.cut import CutJob, Failure, _targets, cut_photos, file_name
from exporter.errors import ExporterError
from exporter.exported import exported_file
from exporter.finder import FindSettings, Found, finder_of
from exporter.native import NativeNetwork, OutputOptions, cut_out, look_again, preprocess
from exporter.pictures import read_photo
from pyside_logic.icc import icc_profile

GOSSAMER = Path(sys.executable).with_name("gossamer")

Find = Callable[[npt.NDArray[np.uint8]], Found]

#: The matte enlarged, and nothing else.
PLAIN = CutJob(None, OutputOptions())


@pytest.fixture(scope="module")
def u2netp() -> NativeNetwork:
    network = find_network("u2netp")
    return NativeNetwork(network, exported_file(network), threads=2)


@pytest.fixture(scope="module")
def find() -> Find:
    return finder_of(FindSettings(wider_look=False), threads=2)


@pytest.fixture(scope="module")
def coffee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "coffee.jpg"
    Image.fromarray(data.coffee()).save(path, quality=95)
    return path


@pytest.fixture(scope="module")
def own(disc: tuple[Path, Path]) -> list[str]:
    """For commands that do not look at the network."""
    return ["--model", str(disc[0]), "--spec", str(disc[1])]


def alpha_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "RGBA"
        return np.asarray(picture)[..., 3]


# ---- a cut-out -----------------------------------------------------------------------------------


def test_the_cup_stays_and_the_table_goes(
    find: Find, u2netp: NativeNetwork, coffee: Path, tmp_path: Path
) -> None:
    assert cut_photos([coffee], tmp_path, find, PLAIN).failures == []
    assert [path.name for path in tmp_path.iterdir()] == ["coffee-cutout.png"]
    rgba = np.asarray(Image.open(tmp_path / "coffee-cutout.png"))
    photo = np.asarray(Image.open(coffee))
    seen = rgba[..., 3] > 0
    assert np.array_equal(rgba[..., :3][seen], photo[seen])
    assert rgba[200, 280, 3] == 255
    assert (rgba[:10, :, 3] == 0).all()
    # The network's own matte, enlarged by Pillow.
    matte = Image.fromarray(u2netp.matte(photo))
    expected = np.asarray(matte.resize((600, 400), Image.Resampling.BILINEAR))
    assert np.abs(rgba[..., 3] / 255 - expected).max() <= 0.5 / 255 + 1e-5


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_turns_the_cut_out(
    find: Find, coffee: Path, tmp_path: Path, orientation: int
) -> None:
    """The same picture, stored lying on its side with the tag that says so."""
    turn = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = Image.open(coffee)
    turned = tmp_path / "turned.png"
    upright.transpose(turn).save(turned, exif=exif)
    straight = tmp_path / "straight.png"
    upright.save(straight)
    assert cut_photos([turned, straight], tmp_path / "out", find, PLAIN).failures == []
    out = [Image.open(tmp_path / "out" / f"{stem}-cutout.png") for stem in ("turned", "straight")]
    assert np.array_equal(*map(np.asarray, out))
    assert 0x0112 not in out[0].getexif()


def test_transparent_stays_transparent(find: Find, tmp_path: Path) -> None:
    rgba = np.dstack([data.coffee(), np.full((400, 600), 255, np.uint8)])
    rgba[:, :300, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "half.png")
    assert cut_photos([tmp_path / "half.png"], tmp_path / "out", find, PLAIN).failures == []
    alpha = alpha_of(tmp_path / "out" / "half-cutout.png")
    assert (alpha[:, :300] == 0).all()
    assert alpha[:, 300:].max() > 250


# ---- many of them --------------------------------------------------------------------------------


def test_one_broken_photo_does_not_stop_the_rest(find: Find, coffee: Path, tmp_path: Path) -> None:
    cut_off = tmp_path / "cut-off.jpg"
    cut_off.write_bytes(coffee.read_bytes()[:20_000])
    note = tmp_path / "note.jpg"
    note.write_text("not a picture")
    tiny = tmp_path / "tiny.png"
    Image.new("RGB", (7, 40)).save(tiny)
    lines: list[tuple[str, int, int]] = []
    photos = [cut_off, note, tmp_path / "absent.jpg", tiny, coffee]
    failures, _ = cut_photos(
        photos, tmp_path / "out", find, PLAIN, report=lambda *step: lines.append(step)
    )
    assert [failure.photo for failure in failures] == photos[:-1]
    reasons = ["a whole picture", "another kind of file", "nothing there", "received 7 x 40 px"]
    for failure, reason in zip(failures, reasons, strict=True):
        assert failure.reason.startswith(f"{failure.photo}: Expected")
        assert reason in failure.reason
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee-cutout.png"]
    assert [done for _, done, _ in lines] == list(range(6))
    assert lines[-1] == ("Cut out 1 of 5 photos", 5, 5)


def test_a_subject_that_is_not_clear_is_told(
    coffee: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gravel = tmp_path / "gravel.png"
    Image.fromarray(data.gravel()).save(gravel)
    assert main(["cut", str(gravel), str(coffee), "-o", str(tmp_path / "out")]) == 0
    told = f"gossamer: {gravel}: The subject is not clear: check its cut-out."
    assert told in capsys.readouterr().err.splitlines()
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_no_photo_is_written_over(find: Find, coffee: Path, tmp_path: Path) -> None:
    png, jpeg = tmp_path / "cup.png", tmp_path / "cup.jpg"
    Image.open(coffee).save(png)
    jpeg.write_bytes(coffee.read_bytes())
    assert cut_photos([png, jpeg], tmp_path, find, PLAIN).failures == []
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"cup.png", "cup.jpg", "cup-cutout.png", "cup-cutout-2.png"}
    first = tmp_path / "cup-cutout.png"
    before = first.read_bytes()
    assert cut_photos([png, first], tmp_path, find, PLAIN).failures == []
    assert first.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {*names, "cup-cutout-cutout.png"}


def test_a_place_that_cannot_be_written_to(find: Find, coffee: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExporterError, match="Expected a folder that can be written to"):
        cut_photos([coffee], tmp_path / "file", find, PLAIN)
    (tmp_path / "out" / "coffee-cutout.png").mkdir(parents=True)
    ((failure,), _) = cut_photos([coffee], tmp_path / "out", find, PLAIN)
    assert isinstance(failure, Failure)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee-cutout.png"]


def test_names_that_some_disks_take_for_one_stay_apart(tmp_path: Path) -> None:
    """In upper and lower case, and in letters with and without their accents apart."""
    photos = [Path("a/IMG.jpg"), Path("b/img.jpg"), Path("c/\u00c9.jpg"), Path("d/e\u0301.jpg")]
    names = [path.name for path in _targets(photos, tmp_path, "cutout.png")]
    assert names == [
        *("IMG-cutout.png", "img-cutout-2.png"),
        *("\u00c9-cutout.png", "e\u0301-cutout-2.png"),
    ]


def test_a_link_that_leads_to_itself_costs_nothing_else(
    coffee: Path, own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (loop := tmp_path / "loop.jpg").symlink_to(loop)
    assert main(["cut", str(loop), str(coffee), "-o", str(tmp_path / "out"), *own]) == 1
    assert f"gossamer: {loop}: Expected" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["coffee-cutout.png"]


def test_a_photo_of_the_longest_name_is_cut_out(
    coffee: Path, own: list[str], tmp_path: Path
) -> None:
    long = 124 * "\u00e9"  # two bytes each
    photos = [tmp_path / f"{long}{number}.jpg" for number in (1, 2)]
    for photo in photos:
        photo.write_bytes(coffee.read_bytes())
    out = tmp_path / "out"
    assert main(["cut", *map(str, photos), "-o", str(out), *own, "--refine", "none"]) == 0
    names = [path.name for path in out.iterdir()]
    assert sorted(names) == sorted(file_name(photo.stem, "cutout.png") for photo in photos)
    assert len(set(names)) == 2
    for name in names:
        assert 250 < len(name.encode()) <= 255
        assert name.startswith(long[:100])


# ---- files of every kind -------------------------------------------------------------------------


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
        return picture


def run_cut(photo: Path, out: Path, *arguments: str) -> Path:
    assert main(["cut", str(photo), "-o", str(out), "--refine", "none", *arguments]) == 0
    (path,) = out.iterdir()
    return path


def test_options_of_the_files_reach_them(coffee: Path, own: list[str], tmp_path: Path) -> None:
    def cut(name: str, *arguments: str) -> Path:
        return run_cut(coffee, tmp_path / name, *own, *arguments)

    gradient = '{"gradient": ["#000", "#fff"], "angle": 90}'
    path = cut("gradient", "--background", gradient)
    picture = np.asarray(opened(path)).astype(int)
    assert picture.shape == (400, 600, 3)
    assert np.abs(picture[2, [0, 300, 599]].mean(axis=-1) - [0, 127.5, 255]).max() < 2

    behind = tmp_path / "behind.png"
    Image.new("RGB", (30, 20), (10, 20, 200)).save(behind)
    path = cut("picture", "--background", str(behind), "--format", "webp")
    assert path.name == "coffee-cutout.webp"
    picture = np.asarray(opened(path).convert("RGB")).astype(int)
    assert np.abs(picture[:20, :20] - (10, 20, 200)).max() <= 6

    path = cut("product", "--preset", "product", "--canvas", "120x90")
    assert opened(path).size == (120, 90)

    path = cut("alpha", "--alpha", "--depth", "16", "--crop", "5")
    assert path.name == "coffee-alpha.png"
    deep = opened(path)
    assert deep.mode == "I;16"
    assert deep.height < 400
    assert len(np.unique(np.asarray(deep))) > 1000

    path = cut("svg", "--format", "svg", "--background", "teal")
    assert b"rgb(0, 128, 128)" in path.read_bytes()

    path = cut("sticker", "--shadow", "--outline", "--crop")
    assert opened(path).mode == "RGBA"


def test_a_plain_backdrop_needs_no_network(tmp_path: Path) -> None:
    photo = tmp_path / "ball.png"
    y, x = np.mgrid[:90, :120]
    is_ball = np.hypot(y - 45, x - 60) < 25
    Image.fromarray(
        np.where(is_ball[..., None], (200, 60, 40), (0, 177, 64)).astype(np.uint8)
    ).save(photo)
    for name, key in (("auto", "auto"), ("colour", "#00b140")):
        out = tmp_path / name
        assert main(["cut", str(photo), "-o", str(out), "--key", key, "--model", "absent"]) == 0
        alpha = alpha_of(out / "ball-cutout.png")
        assert alpha[is_ball].mean() > 250
        assert alpha[~is_ball].mean() < 5


def test_the_network_may_run_in_int8_and_twice(
    u2netp: NativeNetwork, coffee: Path, tmp_path: Path
) -> None:
    exact = alpha_of(run_cut(coffee, tmp_path / "exact")).astype(int)
    small = alpha_of(run_cut(coffee, tmp_path / "int8", "--precision", "int8")).astype(int)
    assert 0 < np.abs(small - exact).mean() < 3

    far = tmp_path / "far.png"  # the subject has to be small, to be worth another look
    Image.fromarray(np.pad(data.coffee(), ((200, 200), (300, 300), (0, 0)), "edge")).save(far)
    photo = read_photo(far)
    first = u2netp.matte(photo)
    second = look_again(u2netp, photo, first)
    twice = alpha_of(run_cut(far, tmp_path / "twice", "--second-look"))
    assert np.array_equal(twice, cut_out(photo, second, None)[..., 3])
    assert not np.array_equal(twice, cut_out(photo, first, None)[..., 3])


def test_auto_takes_a_specialists_edges_where_it_agrees(coffee: Path, tmp_path: Path) -> None:
    portrait = tmp_path / "portrait.png"
    Image.fromarray(data.astronaut()).save(portrait)
    alphas = {
        (photo.stem, model): alpha_of(
            run_cut(photo, tmp_path / f"{photo.stem} {model}", "--model", model)
        )
        for photo in (portrait, coffee)
        for model in ("auto", "u2netp", "modnet")
    }
    assert np.array_equal(alphas["coffee", "auto"], alphas["coffee", "u2netp"])
    auto, first, specialist = (
        alphas["portrait", model].astype(int) for model in ("auto", "u2netp", "modnet")
    )
    edges = (first > 25) & (first < 230)
    assert np.abs(auto - specialist)[edges].mean() < 0.2 * np.abs(auto - first)[edges].mean()
    inside = (first == 255) | (first == 0)
    assert np.abs(auto - first)[inside].mean() < 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--key", "greenish"], "#rrggbb"),
        (["--preset", "hat"], "id-photo"),
        (["--background", "blurple"], "#rrggbb"),
        (["--background", "absent.jpg"], "absent.jpg"),
        (["--shadow", '{"opacity": 7}'], "opacity"),
        (["--outline", "{broken"], "--outline"),
        (["--format", "svg", "--shadow"], "SVG"),
        (["--depth", "16"], "--depth 16: Expected --alpha"),
        (["--outline-only"], "--outline-only: Expected --format svg"),
        (["--alpha", "--background", "red"], "--alpha: Expected no background"),
        (["--alpha", "--preset", "sticker"], "--alpha: Expected no shadow"),
        (["--background", "picture"], "--background: Expected a picture's file"),
        (["--key", ""], "--key: Expected '#rrggbb'"),
    ],
)
def test_each_mistake_has_one_clear_message(
    coffee: Path,
    own: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    """However many photos there are, and before the first one."""
    out = tmp_path / "out"
    for command in (["cut", str(coffee), str(coffee), "-o"], ["batch", str(coffee)]):
        assert main([*command, str(out), *own, *arguments]) == 1
        err = capsys.readouterr().err
        (line,) = (line for line in err.splitlines() if "gossamer:" in line)
        assert told in line
        assert "Cutting out" not in err
        assert not out.exists() or not list(out.glob("*.png"))


def test_metadata_and_wide_colours_go_along(coffee: Path, own: list[str], tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = "somebody", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0)})
    photo = tmp_path / "photo.jpg"
    wide = icc_profile("display-p3")
    Image.open(coffee).save(photo, exif=exif, dpi=(300, 150), icc_profile=wide, quality=100)
    written = opened(run_cut(photo, tmp_path / "keep", *own))
    assert written.getexif()[0x013B] == "somebody"
    assert not written.getexif().get_ifd(0x8825)
    assert written.info["dpi"] == pytest.approx((150, 300), abs=0.02)
    assert written.info["icc_profile"] == wide
    rgba = np.asarray(written)
    decoded = np.asarray(ImageOps.exif_transpose(Image.open(photo)))
    opaque = rgba[..., 3] == 255
    assert np.abs(rgba[..., :3].astype(int) - decoded)[opaque].max() <= 1
    everything, nothing = (
        opened(run_cut(photo, tmp_path / kept, *own, "--metadata", kept))
        for kept in ("all", "none")
    )
    assert everything.getexif().get_ifd(0x8825)
    assert not nothing.getexif()


# SIGTERM is tested with a build, in test_site_parts.py
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)]
)
def test_an_interrupted_run_leaves_no_half_written_file(
    coffee: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    copies = [tmp_path / f"{index}.jpg" for index in range(40)]
    for copy in copies:
        copy.write_bytes(coffee.read_bytes())
    command = [GOSSAMER, "cut", *map(str, copies), "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline_s = time.monotonic() + 60
        while not list(out.glob("*.png")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in told
    written = list(out.iterdir())
    assert 1 <= len(written) < 40
    for path in written:
        assert alpha_of(path).shape == (400, 600)


# ---- pictures ------------------------------------------------------------------------------------


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 10).reshape(10, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    rgba = read_photo(tmp_path / "ramp.png")
    assert np.abs(rgba[..., 0] - ramp / 257).max() <= 0.5
    assert (rgba[..., 3] == 255).all()


def test_a_palette_and_grey_become_rgba(tmp_path: Path) -> None:
    grey = Image.fromarray(data.coffee()).convert("L")
    for name, picture in (("grey.png", grey), ("palette.gif", grey.quantize(256))):
        picture.save(tmp_path / name)
        rgba = read_photo(tmp_path / name)
        assert rgba.shape == (400, 600, 4)
        assert np.array_equal(rgba[..., 0], np.asarray(picture.convert("RGB"))[..., 0])


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    rgba = np.full((10, 12, 4), 200, np.uint8)
    rgba[:5, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "half.png")
    read = read_photo(tmp_path / "half.png")
    assert (read[:5] == 0).all()
    assert (read[5:] == 200).all()


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    """One whose first channel is blue and whose third is red."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    picture = Image.new("RGBA", (16, 16), (255, 0, 0, 130))
    path = tmp_path / "red.png"
    for profile, seen in ((srgb, (255, 0, 0)), (swapped, (0, 0, 255)), (b"broken", (255, 0, 0))):
        picture.save(path, icc_profile=profile)
        assert np.abs(read_photo(path)[0, 0].astype(int) - (*seen, 130)).max() <= 1


def test_the_input_is_as_the_networks_own_code_makes_it() -> None:
    picture = data.coffee()
    for name in ("u2netp", "modnet"):
        spec = find_network(name).input
        size = (spec.width, spec.height)
        resized = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
        rgb = np.asarray(resized, dtype=float)
        if name == "u2netp":
            expected = (rgb / rgb.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        else:
            expected = (rgb - 127.5) / 127.5
        received = preprocess(picture, spec)
        assert received.shape == (1, 3, spec.height, spec.width)
        assert received.dtype == np.float32
        assert np.abs(received[0].transpose(1, 2, 0) - expected).max() < 1e-5


# ---- the command ---------------------------------------------------------------------------------


def test_gossamer_cut_lists_what_failed(
    coffee: Path, own: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = tmp_path / "absent.jpg"
    out = tmp_path / "out"
    assert main(["cut", str(coffee), str(absent), "-o", str(out), *own]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"gossamer: {absent}: Expected a picture" in captured.err
    assert alpha_of(out / "coffee-cutout.png").max() == 255
    assert main(["cut", str(coffee), "-o", str(out), *own, "--refine", "none"]) == 0
