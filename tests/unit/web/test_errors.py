"""JavaScript, Python and the documentation speak of the same errors and stages."""

import re

from pyside_logic.errors import ErrorCode, Stage

from .conftest import WEB_JS, RunJs


def test_both_tables_are_equal(run_js: RunJs) -> None:
    tables = run_js("rpc/errors.js", "return [module.ERROR_CODES, module.STAGES]")
    assert tables == [[code.value for code in ErrorCode], [stage.value for stage in Stage]]


def test_the_documentation_says_what_each_means_and_what_to_do(run_js: RunJs) -> None:
    page = (WEB_JS.parents[1] / "docs" / "javascript.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page.partition("\n## Errors\n")[2], re.M)
    assert rows == run_js("rpc/errors.js", "return module.ERROR_CODES")


#: As Chromium, Firefox, Safari and the runtimes in them say it.
OUT_OF_MEMORY = [
    "RangeError: Array buffer allocation failed",
    "RangeError: WebAssembly.Memory(): could not allocate memory",
    "RangeError: WebAssembly.Memory.grow(): Maximum memory size exceeded",
    "RangeError: WebAssembly.Memory(): Failed to allocate memory",
    "InternalError: out of memory",
    "RangeError: Out of memory",
    "Error: std::bad_alloc",
]
NOT_FETCHED = [
    "TypeError: Failed to fetch",
    "TypeError: Failed to fetch dynamically imported module: https://example.org/js/a.js",
    "TypeError: NetworkError when attempting to fetch resource.",
    "TypeError: error loading dynamically imported module: https://example.org/js/a.js",
    "TypeError: Load failed",
    "TypeError: Importing a module script failed.",
    "TypeError: network error",
    "RuntimeError: Aborted(both async and sync fetching of the wasm failed)",
]
TELL = "return given.words.map((one) => [module.isOutOfMemory(one), module.isFetchFailure(one)])"


def test_what_browsers_say_is_told_apart(run_js: RunJs) -> None:
    words = [*OUT_OF_MEMORY, *NOT_FETCHED, "TypeError: model is undefined"]
    told = run_js("rpc/errors.js", TELL, words=words)
    expected = [[True, False]] * len(OUT_OF_MEMORY) + [[False, True]] * len(NOT_FETCHED)
    assert told == [*expected, [False, False]]


CROSSING = """
const { GossamerError, fromWire, toWire, unloadable } = module
const lost = Object.create(null)
const thrown = [
  new GossamerError('truncated_image', 'decode', 'cut off'),
  unloadable('no such file', 'infer'),
  new RangeError('Array buffer allocation failed'),
  new Error('MemoryError'),
  new TypeError('x is undefined'),
  lost,
]
return thrown.map((one) => {
  const { name, code, stage, message, fatal } = fromWire(toWire(one, 'refine'))
  return [name, code, stage, fatal, message]
})
"""


def test_whatever_is_thrown_crosses_between_threads(run_js: RunJs) -> None:
    answers = run_js("rpc/errors.js", CROSSING)
    assert {name for name, *_ in answers} == {"GossamerError"}
    assert [tuple(rest) for _, *rest, _ in answers] == [
        ("truncated_image", "decode", False),
        ("backend_unavailable", "infer", True),
        ("out_of_memory", "refine", False),
        ("out_of_memory", "refine", True),
        ("internal", "refine", False),
        ("internal", "refine", False),
    ]
    messages = [message for *_, message in answers]
    assert messages[:3] == ["cut off", "no such file", "RangeError: Array buffer allocation failed"]
    assert messages[4:] == ["TypeError: x is undefined", "something that has no words"]
