"""What JavaScript and Python each write down, as neither can ask the other, is the same."""

import ast
import re
from pathlib import Path

import pytest

import pyside_logic
from exporter import pictures
from exporter.commands.cut_options import _MIME_TYPES
from exporter.confidence import SURE
from exporter.cut import FORMATS

from .conftest import WEB_JS, RunJs

#: Python that only the browser can import.
PYTHON = Path(pyside_logic.__file__).parent


def number(source: Path, name: str) -> float:
    found = re.search(rf"^(?:export )?(?:const )?{name} = (\S+)$", source.read_text(), re.M)
    assert found, f"{source} has no {name}"
    return float(found[1])


@pytest.mark.parametrize(
    ("module", "name", "twin"),
    [
        ("model-database.js", "OPEN_LIMIT_MS", "_OPEN_LIMIT_S"),
        ("model-database.js", "READ_LIMIT_MS", "_RUN_LIMIT_S"),
        ("pipeline/load-network.js", "SILENCE_LIMIT_MS", "_RUN_LIMIT_S"),
    ],
)
def test_both_wait_for_as_long(module: str, name: str, twin: str) -> None:
    seconds = number(PYTHON / "browser_storage.py", twin)
    assert number(WEB_JS / module, name) == 1000 * seconds


def test_both_take_the_same_photos_and_the_same_profiles_for_wide() -> None:
    pipeline = WEB_JS / "pipeline"
    assert number(pipeline / "decode.js", "MIN_SIDE_PX") == pictures.MIN_SIDE_PX
    assert number(pipeline / "memory.js", "MAX_PIXELS") == pictures.MAX_PIXELS
    profile = pipeline / "colour-profile.js"
    assert number(profile, "OUTSIDE") == pictures._OUTSIDE
    matrix = re.search(r"^const XYZ_TO_SRGB = (\[.*?^\])", profile.read_text(), re.M | re.S)
    assert matrix
    assert ast.literal_eval(matrix[1]) == pictures._XYZ_TO_SRGB.tolist()


def test_both_have_the_same_words_for_a_lack_of_memory(run_js: RunJs) -> None:
    body = "return module.toWire(new Error('MemoryError'), 'refine').message"
    tree = ast.parse((PYTHON / "bridge.py").read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert run_js("rpc/errors.js", body) in texts


def test_both_write_files_of_the_same_types_under_the_same_extensions(run_js: RunJs) -> None:
    body = "return given.types.map((type) => module.cutoutName('cat.jpg', type))"
    names = run_js("file-names.js", body, types=list(FORMATS.values()))
    assert names == [f"cat-cutout.{extension}" for extension in FORMATS]
    assert _MIME_TYPES == FORMATS


def test_both_send_somebody_to_look_at_the_same_confidence() -> None:
    assert number(WEB_JS / "ui" / "doubt.js", "SURE") == SURE
