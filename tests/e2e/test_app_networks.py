"""Where a site ships several networks, a person chooses by what they are good for."""

from pathlib import Path

from playwright.sync_api import Page, expect
from skimage import data

from .app import App, png


def test_people_choose_by_what_they_want(
    installing_page: Page, two_network_server: str, tmp_path: Path
) -> None:
    page = installing_page
    photo = tmp_path / "cat.png"
    photo.write_bytes(png(data.chelsea()))
    app = App(page, two_network_server).open()
    app.wait_until_offline_ready()
    app.part("settings").get_by_role("button").first.click()
    expect(page.get_by_text("4.6 MB, not here yet")).to_be_visible()
    choice = app.part("model")
    assert choice.get_by_role("radio").count() == 3
    expect(choice.get_by_label("Automatic")).to_be_checked()
    choice.get_by_label("Fast").check(force=True)
    page.keyboard.press("Escape")
    app.add(photo)
    app.wait_for_states("done")
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("settings").get_by_text("4.6 MB", exact=True)).to_be_visible()
    app.open()
    app.part("settings").get_by_role("button").first.click()
    expect(app.part("model").get_by_label("Fast")).to_be_checked()
