"""Where the photo lies on the stage, and what files are called."""

import pytest

from .conftest import RunJs

VIEW = """
const view = new module.Viewport()
view.stage = given.stage
view.photo = given.photo
const frames = [view.frame]
for (const [method, ...args] of given.steps) {
  view[method](...args)
  frames.push({ ...view.frame, scale: view.scale, fits: view.fits })
}
return frames
"""
STAGE, PHOTO = {"width": 832, "height": 632}, {"width": 4000, "height": 3000}


def frames(run_js: RunJs, *steps: list[object]) -> list[dict[str, float]]:
    answer: list[dict[str, float]] = run_js(
        "ui/viewport.js", VIEW, stage=STAGE, photo=PHOTO, steps=steps
    )
    return answer


def test_a_photo_fits_and_is_in_the_middle(run_js: RunJs) -> None:
    (fitted,) = frames(run_js)
    assert fitted == {"left": 16, "top": 16, "width": 800, "height": 600}


def test_zoom_keeps_its_point_and_ends_at_eight_hundred_percent(run_js: RunJs) -> None:
    at = {"x": 216, "y": 466}
    fitted, closer, closest = frames(run_js, ["zoomBy", 3, at], ["zoomBy", 1000, at])
    for frame in (closer, closest):
        assert (at["x"] - frame["left"]) / frame["width"] == pytest.approx(0.25)
        assert (at["y"] - frame["top"]) / frame["height"] == pytest.approx(0.75)
    assert closer["width"] == pytest.approx(3 * fitted["width"])
    assert closest["scale"] == 8
    assert not closest["fits"]


def test_a_pan_stops_at_the_edge_and_zooming_out_ends_where_it_fits(run_js: RunJs) -> None:
    fitted, _, edge, out = frames(run_js, ["zoomTo", 1], ["panBy", 1e6, 1e6], ["zoomBy", 0.01])
    assert (edge["left"], edge["top"]) == (pytest.approx(16), pytest.approx(16))
    assert out["fits"]
    assert out["width"] == fitted["width"]


def test_nothing_pans_while_all_is_in_sight(run_js: RunJs) -> None:
    fitted, panned = frames(run_js, ["panBy", 50, 50])
    assert (panned["left"], panned["top"]) == (fitted["left"], fitted["top"])


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("IMG_1.JPG", "image/png", "IMG_1-cutout.png"),
        ("a.b.webp", "image/webp", "a.b-cutout.webp"),
        (".jpg", "image/svg+xml", "jpg-cutout.svg"),
        ("no extension", "image/avif", "no extension-cutout.avif"),
    ],
)
def test_files_are_named_after_the_photo(
    run_js: RunJs, name: str, type_: str, expected: str
) -> None:
    body = "return module.cutoutName(given.name, given.type)"
    assert run_js("file-names.js", body, name=name, type=type_) == expected


#: What no disk takes, what hides an extension, and what would lead out of a folder.
HARMLESS = {
    "..\\..\\evil.jpg": "_.._evil-cutout.png",
    "../evil.jpg": "_evil-cutout.png",
    'a:b*c?"<d>|.jpg': "a_b_c___d__-cutout.png",
    "tab\t\x07\x1b[31m\x85.jpg": "tab___[31m_-cutout.png",
    "x\u202egpj.exe.jpg": "x_gpj.exe-cutout.png",
    "\u2067a\u200fb\u061c\u2028.jpg": "_a_b__-cutout.png",
    "CON.jpg": "_CON-cutout.png",
    "com1 .tar.gz": "_com1 .tar-cutout.png",
    "console.jpg": "console-cutout.png",
    "the end. . .jpg": "the end-cutout.png",
    "... .jpg": "picture-cutout.png",
    "": "picture-cutout.png",
    "long" * 62 + ".jpg": "long" * 50 + "-cutout.png",
    "\N{CAT FACE}" * 62 + ".jpg": "\N{CAT FACE}" * 50 + "-cutout.png",
    "a" * 199 + "é.jpg": "a" * 199 + "-cutout.png",
    "a" * 198 + " .b.jpg": "a" * 198 + "-cutout.png",
}


def test_names_can_be_unpacked_on_every_system(run_js: RunJs) -> None:
    body = "return given.names.map((name) => module.cutoutName(name))"
    names = run_js("file-names.js", body, names=list(HARMLESS))
    assert dict(zip(HARMLESS, names, strict=True)) == HARMLESS
    assert max(len(name.encode()) for name in names) < 240


def test_names_in_a_zip_are_unique_on_every_disk(run_js: RunJs) -> None:
    body = """
      const taken = new Set()
      return given.names.map((name) => module.uniqueName(name, taken))
    """
    names = ["cat.png", "Cat.png", "cat.png", "dog.png", "cat (2).png", "\u00e9.png", "E\u0301.png"]
    assert run_js("file-names.js", body, names=names) == [
        "cat.png",
        "Cat (2).png",
        "cat (3).png",
        "dog.png",
        "cat (2) (2).png",
        "\u00e9.png",
        "E\u0301 (2).png",
    ]
