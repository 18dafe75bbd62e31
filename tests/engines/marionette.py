"""Firefox by Marionette, its own remote control: numbered commands as JSON on a local socket.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_START_LIMIT_S = 60


class Marionette:
    """A Firefox without a window. `profile` is an empty folder for it."""

    def __init__(self, executable: str, profile: Path, time_limit_s: int) -> None:
        (profile / "user.js").write_text('user_pref("marionette.port", 0);\n')  # any that is free
        self._process = subprocess.Popen(
            [executable, "--headless", "--no-remote", "--marionette", "--profile", str(profile)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._last_id = 0
        with ExitStack() as undo:
            undo.callback(self._end)
            address = ("127.0.0.1", self._port(profile / "MarionetteActivePort"))
            self._socket = undo.enter_context(
                socket.create_connection(address, timeout=time_limit_s + 10)
            )
            self._stream = undo.enter_context(self._socket.makefile("rb"))
            self._read()  # its greeting
            session = self.ask("NewSession")
            self.version: str = session["capabilities"]["browserVersion"]
            self.ask("SetTimeouts", script=1000 * time_limit_s)
            self.close = undo.pop_all().close

    def ask(self, command: str, **parameters: Any) -> Any:
        """What a command of WebDriver returns; an AssertionError with what it says failed."""
        self._last_id += 1
        message = json.dumps([0, self._last_id, f"WebDriver:{command}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert not error, error
        return result

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _port(self, told: Path) -> int:
        until = time.monotonic() + _START_LIMIT_S
        while not told.exists() or not told.read_text():
            assert time.monotonic() < until and self._process.poll() is None, (
                "Firefox did not start"
            )
            time.sleep(0.05)
        return int(told.read_text())

    def _read(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Firefox has gone"
            length += byte
        return json.loads(self._stream.read(int(length)))
