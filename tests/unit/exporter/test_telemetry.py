"""ONNX Runtime's own builds keep a number of the device below HOME, and send it with what they run
once a process has lasted a while."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.exporter.small_photos import make_photos

#: What would hide that a command says no by itself.
_TOLD = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
_MAIN = "from exporter.cli import main; raise SystemExit(main())"


def test_a_command_leaves_nothing_for_the_makers_of_onnx_runtime(
    disc: tuple[Path, Path], tmp_path: Path
) -> None:
    make_photos(tmp_path / "photos", 1)
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in _TOLD}
    command = [sys.executable, "-c", _MAIN, "cut", "photos/0.jpg", "--out", "cutouts"]
    subprocess.run(
        [*command, "--model", str(disc[0]), "--spec", str(disc[1])],
        cwd=tmp_path,
        env={**environment, "HOME": str(home)},
        check=True,
    )
    assert (tmp_path / "cutouts" / "0-cutout.png").exists()
    assert [path for path in home.rglob("*") if "Microsoft" in path.parts] == []


def test_nor_do_the_tests() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
