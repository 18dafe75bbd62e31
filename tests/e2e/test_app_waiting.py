"""What the app tells of work that takes its time, or that came to nothing."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from .app import SLOW_MS
from .journeys import Journey, app, files, wide_window

__all__ = ["app", "files"]  # fixtures


@pytest.fixture(scope="module")
def window(lasting_page: Page, quick_server: str) -> Journey:
    """Nothing here looks at the edges of a cut-out."""
    return wide_window(lasting_page, quick_server)


def test_an_empty_cut_out_is_told(app: Journey, tmp_path: Path) -> None:
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "nothing.png")
    app.add(tmp_path / "nothing.png")
    app.wait_for_states("done")
    told = app.page.locator("gossamer-work-bar .told p")
    words = "Nothing stands out in this picture. Paint what to keep."
    expect(told.first).not_to_have_text("")
    assert " ".join(told.all_inner_texts()) == words
    expect(app.page.locator("gossamer-app > p[role=status]")).to_have_text(f"nothing.png: {words}")
    expect(app.tile(0)).to_have_accessible_name("nothing.png, empty")


def test_a_cut_out_is_empty_until_something_is_painted(
    app: Journey, files: dict[str, Path]
) -> None:
    app.add(files["chelsea"])
    app.wait_for_states("done")
    told = app.page.locator("gossamer-work-bar .told")
    app.choose("brush", "Remove")
    app.slider("brush-size").fill("200")
    frame = app.frame()
    x, right = frame["x"], frame["x"] + frame["width"]
    app.page.mouse.move(x, frame["y"])
    app.page.mouse.down()
    for step in range(9):
        app.page.mouse.move((x, right)[step % 2], frame["y"] + step / 8 * frame["height"], steps=8)
        app.page.mouse.move((right, x)[step % 2], frame["y"] + step / 8 * frame["height"], steps=8)
    app.page.mouse.up()
    expect(told).to_contain_text("Nothing stands out", timeout=SLOW_MS)
    expect(app.tile(0)).to_have_accessible_name("chelsea.png, empty")
    app.part("undo").click()
    expect(told).to_contain_text("chelsea-cutout.png", timeout=SLOW_MS)
    expect(app.tile(0)).to_have_accessible_name("chelsea.png, done")
