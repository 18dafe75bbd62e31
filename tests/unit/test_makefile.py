"""The environment that make leaves: of this checkout, also after a first try that failed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: A python3 of Debian's without python3-venv, and one that leaves pip out, which takes seconds.
LACKING, QUICK = "./lacking", "./quick"
_PYTHONS = {
    LACKING: f'[ "$1$2$3" = "-mvenv.venv" ] && exit 1; exec "{sys.executable}" "$@"',
    QUICK: f'[ "$1$2" = "-mvenv" ] && set -- "$@" --without-pip; exec "{sys.executable}" "$@"',
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Of the Makefile alone."""
    folder = tmp_path / "it's a checkout"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for name, script in _PYTHONS.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def make(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Not as a part of the `make` that may be running this, nor on a network."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    return subprocess.run(
        ["make", ".venv/bin/.made", *arguments],
        cwd=folder,
        env=environment,
        check=check,
        capture_output=True,
        text=True,
    )


def test_a_first_make_that_failed_is_made_up_for(checkout: Path) -> None:
    assert make(checkout, f"PYTHON={LACKING}", check=False).returncode != 0  # and no network
    assert "Making" in make(checkout).stdout
    subprocess.run([checkout / ".venv" / "bin" / "pip", "--version"], check=True)
    assert make(checkout).stdout == ""


def test_the_environment_of_a_moved_checkout_is_made_anew(checkout: Path) -> None:
    """Its programs would run those of the folder that it was made in, or none."""
    make(checkout, f"PYTHON={QUICK}")
    moved = checkout.rename(checkout.with_name("moved"))
    make(moved, f"PYTHON={QUICK}")
    assert str(moved) in (moved / ".venv" / "bin" / "activate").read_text(encoding="utf-8")


def test_so_is_that_of_another_python(checkout: Path) -> None:
    make(checkout, f"PYTHON={QUICK}")
    refused = make(checkout, "PYTHON=false", check=False)
    assert "Expected Python 3.11 or newer" in refused.stderr
    assert not (checkout / ".venv").exists()
