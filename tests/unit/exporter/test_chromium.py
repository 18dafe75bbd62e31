"""The arguments of the browser."""

import os

import pytest

from exporter.chromium import chromium_arguments


@pytest.mark.parametrize("user", [0, 1000, None])
def test_only_root_has_no_sandbox(user: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is Windows, where Python has no such function."""
    if user is None:
        monkeypatch.delattr(os, "geteuid")
    else:
        monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--no-sandbox" in chromium_arguments("--mute-audio")) == (user == 0)
