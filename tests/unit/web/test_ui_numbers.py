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
        (".jpg", "image/svg+xml", ".jpg-cutout.svg"),
        ("no extension", "image/avif", "no extension-cutout.avif"),
    ],
)
def test_files_are_named_after_the_photo(
    run_js: RunJs, name: str, type_: str, expected: str
) -> None:
    body = "return module.cutoutName(given.name, given.type)"
    assert run_js("file-names.js", body, name=name, type=type_) == expected


def test_names_in_a_zip_are_unique_whatever_the_case(run_js: RunJs) -> None:
    body = """
      const taken = new Set()
      return given.names.map((name) => module.uniqueName(name, taken))
    """
    names = ["cat.png", "Cat.png", "cat.png", "dog.png", "cat (2).png"]
    assert run_js("file-names.js", body, names=names) == [
        "cat.png",
        "Cat (2).png",
        "cat (3).png",
        "dog.png",
        "cat (2) (2).png",
    ]
