"""Runs plain modules of `web/js` under Node, without a browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WEB_JS = Path(__file__).parents[3] / "web" / "js"

RunJs = Callable[..., Any]


@pytest.fixture
def run_js(tmp_path: Path) -> RunJs:
    """`run_js(module, body, **arguments)`: the JSON value that `body` returns.

    `body` is the inside of an async function that sees the module as `module` and the arguments as
    `given`.
    """
    node = shutil.which("node")
    assert node, "the Makefile provides Node"

    def run(module: str, body: str, **arguments: Any) -> Any:
        script = tmp_path / "run.mjs"
        script.write_text(
            "import { readFileSync, writeFileSync } from 'node:fs'\n"
            f"import * as module from {json.dumps((WEB_JS / module).as_uri())}\n"
            f"const given = {json.dumps(arguments)}\n"
            f"const answer = await (async () => {{ {body} }})()\n"
            "process.stdout.write(JSON.stringify(answer ?? null))\n"
        )
        done = subprocess.run([node, str(script)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
