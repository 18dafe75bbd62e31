"""What a name may do to the terminal that it is shown in: nothing."""

import io
from pathlib import Path

import pytest

from exporter.cli import main
from exporter.commands.stdout import print_out
from exporter.report import TerminalReport
from exporter.terminal import shown, shown_line

#: A title, a colour, a deleted line, a new line, and writing that turns round.
EVIL = "a\x1b]0;owned\x07\x1b[31m\x9b2K\r\ngossamer: \u202egpj.exe\udcff.jpg"
HARMLESS = r"a\x1b]0;owned\x07\x1b[31m\x9b2K\r\ngossamer: \u202egpj.exe\udcff.jpg"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_drives_a_terminal_is_shown_as_escapes() -> None:
    assert shown_line(EVIL) == HARMLESS
    assert shown("two\nlines\tof é, שלום and 中文\x7f") == "two\nlines\tof é, שלום and 中文\\x7f"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_progress_has_one_line_of_every_name(stream: io.StringIO) -> None:
    TerminalReport(stream)(f"Cutting out {EVIL}", 0, 2)
    assert stream.getvalue().removeprefix("\r\x1b[K").startswith(f"Cutting out {HARMLESS} ")


def test_errors_have_one_line_of_every_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / EVIL).write_text("no picture")
    told = f"gossamer: {tmp_path}/{HARMLESS}: Expected a picture that Pillow can open"
    assert main(["cut", f"{tmp_path}/{EVIL}", "-o", str(tmp_path / "out"), "--key", "auto"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(told)
    options = ["--background", f"{tmp_path}/{EVIL}", "-o", str(tmp_path / "out"), "--key", "auto"]
    assert main(["cut", "unread.jpg", *options]) == 1
    assert capsys.readouterr().err.startswith(told)


def test_what_is_printed_drives_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_out(f"Report: {EVIL}\n")
    assert "\x1b" not in capsys.readouterr().out
