"""Every language has every string, and every string is used."""

import json
import re

import pytest

from .conftest import WEB_JS

LOCALES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((WEB_JS.parent / "locales").glob("*.json"))
}
USED = {
    key
    for path in (WEB_JS / "ui").glob("*.js")
    for call in re.findall(r"\bt\(([^;]*?)(?:, \{|\))", path.read_text(encoding="utf-8"))
    for key in re.findall(r"'(\w+)'", call)
}
#: Named where they are chosen, and looked up elsewhere.
TABLES = {
    key
    for path in (WEB_JS / "ui").glob("*.js")
    for key in re.findall(r": '(model\w+)'|\blabel: '(\w+)'", path.read_text(encoding="utf-8"))
    for key in key
    if key
}


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_the_languages_that_were_promised_are_there() -> None:
    assert {"de", "en", "es", "fr", "ja", "zh-Hans"} <= LOCALES.keys()


@pytest.mark.parametrize("language", LOCALES)
def test_no_string_is_missing_and_none_is_left_over(language: str) -> None:
    strings = LOCALES[language]
    assert list(strings) == list(LOCALES["en"])
    for key, text in strings.items():
        assert text.strip(), key
        assert places(text) == places(LOCALES["en"][key]), key


def test_what_the_app_says_and_what_is_in_the_catalogue_are_the_same() -> None:
    assert set(LOCALES["en"]) == USED | TABLES


@pytest.mark.parametrize("language", [name for name in LOCALES if name != "en"])
def test_other_languages_are_translated(language: str) -> None:
    same = [key for key, text in LOCALES[language].items() if text == LOCALES["en"][key]]
    assert len(same) < 16, same


#: What a language never has.
WRONG = {
    "es": r"\b(?:[Mm]otivo|[Ee]lija|[Uu]sted)",  # it is a sujeto, and tú
    "fr": r"[^\u00a0\u202f][:;!?»](?!\w)|«[^\u00a0\u202f]",  # with a space that breaks no line
    "ja": r"[\u3040-\u9fff][,;:!?]|[,;:!?][\u3040-\u9fff]",
    "zh-Hans": r"[\u3040-\u9fff][,;:!?]|[,;:!?][\u3040-\u9fff]",
}


@pytest.mark.parametrize("language", WRONG)
def test_words_and_points_are_those_of_the_language(language: str) -> None:
    assert [text for text in LOCALES[language].values() if re.search(WRONG[language], text)] == []


@pytest.mark.parametrize("language", LOCALES)
def test_what_a_button_shows_is_in_its_name(language: str) -> None:
    """Whoever speaks to a device says what they see."""
    strings = LOCALES[language]
    assert strings["add"].casefold() in strings["addPhotos"].casefold()
    assert strings["add"] != strings["more"]


@pytest.mark.parametrize("language", LOCALES)
def test_two_things_have_two_words(language: str) -> None:
    strings = LOCALES[language]
    for one, other in (("feather", "blurred"), ("feather", "smooth"), ("startAgain", "redo")):
        assert strings[one] != strings[other]


def test_no_text_is_put_together_in_the_code() -> None:
    """A colon between two of them has another shape, or a space before it, elsewhere."""
    for path in (WEB_JS / "ui").glob("*.js"):
        assert not re.search(r"t\('\w+'\)\}[:;,]", path.read_text(encoding="utf-8")), path.name
