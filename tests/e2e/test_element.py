"""`<gossamer-cutout>` in pages of another site: the examples that `make lib` puts beside it."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Photo

from .app import SLOW_MS, wait_until


@pytest.fixture(scope="module")
def element_page(lasting_page: Page, host: str) -> Page:
    """The example of the element; its engines are warm once its pictures are cut out."""
    lasting_page.goto(f"{host}element.html")
    return lasting_page


def test_the_element_shows_a_slot_then_the_cut_out(element_page: Page) -> None:
    first, second, own = (element_page.locator("gossamer-cutout").nth(index) for index in range(3))
    expect(first.locator("img[src='photo.jpg']")).to_be_visible()
    assert first.evaluate("(one) => one.matches(':state(working)')")
    for cutout, kind in ((first, "image/png"), (second, "image/webp")):
        expect(cutout.locator("[part=picture]")).to_be_visible(timeout=SLOW_MS)
        assert cutout.evaluate("(one) => [one.result.blob.type, one.state]") == [kind, "done"]
    expect(first.locator("img[src='photo.jpg']")).to_be_hidden()
    expect(element_page.get_by_role("img", name="A person in an orange suit")).to_be_visible()
    expect(own.locator("[part=picture]")).to_be_hidden()
    assert own.evaluate("(one) => one.matches(':state(empty)')")


def test_the_elements_events_tell_of_every_change(element_page: Page) -> None:
    seen = element_page.evaluate(
        """async () => {
          const one = document.createElement('gossamer-cutout')
          const events = []
          const next = (type) =>
            new Promise((resolve) => one.addEventListener(type, resolve, { once: true }))
          for (const type of ['progress', 'load', 'error']) {
            one.addEventListener(type, ({ bubbles, detail, message }) =>
              events.push([type, bubbles, detail?.stage ?? message ?? '']))
          }
          document.body.append(one)
          one.src = 'nothing-here.jpg' // never asked for: the next line is of the same moment
          one.src = 'photo.jpg'
          await next('load')
          one.source = new File(['no picture'], 'notes.txt')
          const { error } = await next('error')
          const failed = one.matches(':state(failed)')
          one.source = await (await fetch('photo.jpg')).blob()
          await next('progress')
          one.remove() // ends the work
          await new Promise((resolve) => setTimeout(resolve))
          const onItsOwn = await one.cutOut() // where the element is in no page
          return { events, failed, code: error.code, size: [onItsOwn.height, onItsOwn.width] }
        }"""
    )
    stages = [stage for kind, _, stage in seen["events"] if kind == "progress"]
    assert list(dict.fromkeys(stages)) == ["decode", "preprocess", "infer", "refine", "encode"]
    assert not any(bubbles for _, bubbles, _ in seen["events"])
    (words,) = [words for kind, _, words in seen["events"] if kind == "error"]
    assert words.startswith("“notes.txt” is not a picture")
    assert [kind for kind, _, _ in seen["events"]].count("load") == 2
    assert (seen["failed"], seen["code"], seen["size"]) == (True, "unsupported_format", [512, 512])


def test_a_reset_leaves_the_cut_out_of_an_address(element_page: Page) -> None:
    states = element_page.evaluate(
        """async () => {
          const form = document.createElement('form')
          form.innerHTML = '<gossamer-cutout name="picture" src="photo.jpg"></gossamer-cutout>'
          const [one] = form.children
          document.body.append(form)
          await new Promise((resolve) => one.addEventListener('load', resolve, { once: true }))
          const { result } = one
          form.reset()
          await new Promise((resolve) => setTimeout(resolve))
          const ofItsAddress = [one.state, one.result === result]
          one.source = new Blob(['no picture'])
          await new Promise((resolve) => one.addEventListener('error', resolve, { once: true }))
          form.reset()
          await new Promise((resolve) => one.addEventListener('load', resolve, { once: true }))
          form.remove()
          return [ofItsAddress, one.state]
        }"""
    )
    assert states == [["done", True], "done"]


def test_a_picture_that_never_comes_stops_no_other_element(element_page: Page) -> None:
    element_page.route("**/never.jpg", lambda _route: None)  # nobody answers
    answer = element_page.evaluate(
        """async () => {
          const [slow, quick] = ['never.jpg', 'photo.jpg'].map((src) =>
            Object.assign(document.createElement('gossamer-cutout'), { src, options: null }))
          document.body.append(slow, quick)
          await new Promise((resolve) => quick.addEventListener('load', resolve, { once: true }))
          const before = slow.state
          const replaced = slow.cutOut().catch(({ name }) => name)
          slow.cutOut().catch(() => {})
          const reason = await replaced
          slow.remove()
          await new Promise((resolve) => setTimeout(resolve))
          const removed = [slow.state, slow.matches(':state(working)')]
          document.body.append(slow)
          await new Promise((resolve) => setTimeout(resolve))
          const back = slow.state
          slow.remove()
          quick.remove()
          return { before, reason, removed, back }
        }"""
    )
    assert answer == {
        "before": "working",
        "reason": "AbortError",
        "removed": ["empty", False],
        "back": "working",
    }


def test_an_address_that_names_no_file_gives_the_cut_out_no_odd_name(
    element_page: Page, host: str, quick_library_dir: Path
) -> None:
    (module,) = (quick_library_dir / "js" / "embed").glob("cutout-file.*.js")
    names = element_page.evaluate(
        """async (url) => {
          const { cutoutFile } = await import(url)
          const blob = new Blob([], { type: 'image/png' })
          return ['data:image/png;base64,iVBO/Rw0K', URL.createObjectURL(blob), 'a/my%20cat.jpg?x']
            .map((source) => cutoutFile(blob, source).name)
        }""",
        f"{host}gossamer/js/embed/{module.name}",
    )
    assert names == ["picture-cutout.png", "picture-cutout.png", "my cat-cutout.png"]


@pytest.mark.soak
def test_a_form_gets_the_cut_out_as_a_file(
    page: Page, host: str, photos: dict[str, Photo], tmp_path: Path
) -> None:
    photo = shutil.copyfile(photos["chelsea"].jpeg, tmp_path / "my cat.jpg")
    page.goto(f"{host}form.html")
    cutout = page.locator("#cutout")
    wait_until(page, "Boolean(document.getElementById('cutout').validity)")
    page.get_by_label("Title").fill("Chelsea")

    def complaint() -> str:
        page.get_by_role("button", name="Send").click()
        words: str = cutout.evaluate("(one) => one.checkValidity() ? '' : one.validationMessage")
        return words

    assert complaint() == "Choose a picture."
    page.locator("#file").set_input_files(photo)
    assert complaint() == "The picture is still being cut out."
    expect(cutout.locator("[part=picture]")).to_be_visible(timeout=SLOW_MS)
    assert complaint() == ""
    expect(page.locator("#sent")).to_contain_text("Chelsea: my cat-cutout.png, image/png, ")
    notes = tmp_path / "notes.jpg"
    notes.write_text("no picture")
    page.locator("#file").set_input_files(notes)
    expect(cutout.locator("[part=error]")).to_contain_text("“notes.jpg” is not a picture")
    assert "“notes.jpg”" in complaint()
    page.get_by_role("button", name="Start again").click()
    assert complaint() == "Choose a picture."
    assert cutout.evaluate("(one) => [one.state, one.result]") == ["empty", None]
