"""Arguments that are refused before anything is done."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.catalog import ROOT, SHIPPED
from exporter.cli import main


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("site --size 0", "--size: Expected a whole number of at least 1, received '0'"),
        ("site --size -32", "--size: Expected a whole number of at least 1, received '-32'"),
        ("lib --size wide", "--size: Expected a whole number of at least 1, received 'wide'"),
        ("calibrate u2netp --calibration . --photos -1", "--photos: Expected a whole number of at"),
        ("calibrate u2netp --calibration . --sweep-photos -1", "--sweep-photos: Expected a whole"),
        ("calibrate u2netp --calibration . --search-photos 1.5", "--search-photos: Expected a wh"),
        ("calibrate u2netp --calibration . --most-bytes -1", "--most-bytes: Expected a whole num"),
        ("batch in out --workers 0", "--workers: Expected a whole number of at least 1, rec"),
        ("batch in out --workers many", "--workers: Expected a whole number of at least 1, rec"),
        ("bench --rounds 0", "--rounds: Expected a whole number of at least 1, received '0'"),
        ("bench --every 0.5", "--every: Expected a whole number of at least 1, received '0.5'"),
        ("export u2netp --size 320x", "--size: Expected N or HEIGHTxWIDTH in whole pixels, rec"),
        ("verify a.onnx --size 0x320", "--size: Expected N or HEIGHTxWIDTH in whole pixels, rec"),
        ("verify a.onnx --max-difference inf", "--max-difference: Expected a finite number, rec"),
        ("verify a.onnx --mean-difference nan", "--mean-difference: Expected a finite number, r"),
        ("verify a.onnx --min-iou much", "--min-iou: Expected a finite number, received 'much'"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(
    command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(command.split())
    assert refusal.value.code == 2
    assert told in capsys.readouterr().err


MODELS = [
    *(sys.executable, "-c", "from exporter.cli import main; raise SystemExit(main())"),
    "models",
]


def test_a_full_disk_under_stdout_is_told_in_a_line() -> None:
    with Path("/dev/full").open("w") as full:
        models = subprocess.run(MODELS, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert models.returncode == 1
    (line,) = models.stderr.splitlines()
    assert line.startswith("gossamer: stdout: Expected a place to write to")


def test_who_reads_no_further_is_told_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        models = subprocess.run(
            MODELS, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (models.returncode, models.stderr) == (128 + signal.SIGPIPE, "")


def test_make_ships_the_networks_that_the_commands_do() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"\nMODELS ?= {' '.join(SHIPPED)}\n" in makefile
