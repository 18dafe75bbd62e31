"""What `bridge.py` answers when something is wrong, and what it leaves behind."""

from typing import Any

import pytest

OPEN = """
import js
from pyside_logic import bridge

def nothing(done, total):
    pass

def opened(height=2, width=2, matte_value=0.5):
    matte = js.Float32Array.new(16)
    matte.fill(matte_value)
    photo = js.Uint8Array.new(height * width * 4)
    handle = bridge.open_photo(photo, height, width).value
    assert not hasattr(bridge.set_matte(handle, matte, 4, 4), 'error')
    return handle

def wire(answer):
    return {key: str(value) for key, value in answer.error.as_object_map().items()}
"""


@pytest.mark.parametrize(
    ("call", "code", "stage", "says"),
    [
        ("bridge.refine(99, js.Object.new(), nothing)", "worker_died", "refine", "Try again"),
        ("bridge.encode(99, js.Object.new(), 'cutout')", "worker_died", None, "Try again"),
        (
            "bridge.encode(opened(), js.JSON.parse('{\"type\": \"image/tiff\"}'), 'cutout')",
            "invalid_argument",
            "encode",
            "tiff",
        ),
        (
            "bridge.encode(opened(), js.JSON.parse('{\"crop\": {\"left\": 1}}'), 'cutout')",
            "invalid_argument",
            "encode",
            "left",
        ),
        ("bridge.encode(opened(), js.Object.new(), 'hat')", "invalid_argument", "encode", "hat"),
        (
            "bridge.refine(opened(matte_value=float('nan')), js.Object.new(), nothing)",
            "invalid_argument",
            "refine",
            "NaN",
        ),
        (
            "bridge.refine(opened(), js.JSON.parse('{\"sparkle\": 1}'), nothing)",
            "invalid_argument",
            "refine",
            "sparkle",
        ),
        ("bridge.subject_part(99)", "worker_died", "refine", "Try again"),
        (
            "bridge.open_keyed_photo(js.Uint8Array.new(64), 4, 4, 'greenish')",
            "invalid_argument",
            "infer",
            "or 'auto'",
        ),
        ("bridge.refine(opened(), js.Object.new(), lambda: 0)", "internal", "refine", "TypeError"),
    ],
)
def test_what_goes_wrong_is_answered(
    python_in_pyodide: Any, call: str, code: str, stage: str | None, says: str
) -> None:
    error = python_in_pyodide.run(f"{OPEN}\nreturn wire({call})")
    assert error["code"] == code
    assert stage is None or error["stage"] == stage
    assert says in error["message"]


def test_memory_that_javascript_refuses_is_told_as_such(python_in_pyodide: Any) -> None:
    answer = python_in_pyodide.run(
        OPEN
        + """
from pyodide.code import run_js
greedy = run_js('() => new ArrayBuffer(2 ** 46)')
return wire(bridge.refine(opened(), js.Object.new(), greedy))
"""
    )
    assert (answer["code"], answer["stage"]) == ("out_of_memory", "refine")


def test_a_refinement_that_nobody_waits_for_ends_and_the_photo_stays(
    python_in_pyodide: Any,
) -> None:
    """`rpc/serve.js` throws into `on_progress` once the call is cancelled."""
    answer, again = python_in_pyodide.run(
        OPEN
        + """
from pyodide.code import run_js
cancelled = run_js("() => { throw Object.assign(new Error('no'), { code: 'aborted' }) }")
handle = opened(40, 40)
options = js.JSON.parse('{"detail": "closed_form"}')
answer = wire(bridge.refine(handle, options, cancelled))
return [answer, hasattr(bridge.refine(handle, options, nothing), 'error')]
"""
    )
    assert (answer["code"], answer["stage"]) == ("aborted", "refine")
    assert not again


def test_a_second_look_is_taken_in(python_in_pyodide: Any) -> None:
    fills, small = python_in_pyodide.run(
        OPEN
        + """
fills = bridge.subject_part(opened(40, 40)).value
matte = js.Float32Array.new(16)
matte.fill(1, 5, 6)
photo = js.Uint8Array.new(40 * 40 * 4)
handle = bridge.open_photo(photo, 40, 40).value
bridge.set_matte(handle, matte, 4, 4)
part = bridge.subject_part(handle).value
closer = js.Float32Array.new(16)
closer.fill(0.25)
assert bridge.add_second_look(handle, closer, 4, 4).value is None
seen = bridge._photos[handle].cutout.matte_hw
return [fills is None, [part.height, part.width, part.rgba.length, float(seen.max())]]
"""
    )
    assert fills
    assert small[:3] == [14, 14, 14 * 14 * 4]
    assert small[3] < 1


def test_a_wider_look_is_taken_in(python_in_pyodide: Any) -> None:
    nothing, fused, kept = python_in_pyodide.run(
        OPEN
        + """
photo = js.Uint8Array.new(40 * 40 * 4)
handle = bridge.open_photo(photo, 40, 40).value
matte = js.Float32Array.new(32 * 32)
matte.fill(1, 0, 16 * 32)
bridge.set_matte(handle, matte, 32, 32)
wider = js.Float32Array.new(16 * 16)
nothing = bridge.add_wider_look(handle, wider, 16, 16).value
wider.fill(1)
fused = bridge.add_wider_look(handle, wider, 16, 16).value
kept = bridge._photos[handle].cutout.matte_hw
return [nothing is None, [fused.height, fused.width, min(fused.data)], float(kept.min())]
"""
    )
    assert nothing
    assert fused == [32, 32, 1]
    assert kept == 1


def test_a_closed_photo_is_gone_and_the_others_stay(python_in_pyodide: Any) -> None:
    seen = python_in_pyodide.run(
        OPEN
        + """
first, second = opened(), opened()
bridge.close_photo(first)
bridge.close_photo(first)
return [
    hasattr(bridge.refine(handle, js.Object.new(), nothing), 'error') for handle in (first, second)
]
"""
    )
    assert seen == [True, False]


def test_photos_that_were_closed_leave_no_memory_behind(python_in_pyodide: Any) -> None:
    before, after = python_in_pyodide.run(
        OPEN
        + """
heaps = []
for _ in range(9):
    handle = opened(1500, 2000)
    bridge.refine(handle, js.Object.new(), nothing)
    bridge.encode(handle, js.Object.new(), 'cutout')
    bridge.close_photo(handle)
    heaps.append(js.heapBytes())
return [heaps[1], heaps[-1]]
"""
    )
    assert after == before
