"""The Chromium of this machine, and arguments under which it does nothing unasked."""

import os
import shutil

__all__ = ["chromium_arguments", "find_chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# The address bar's suggestions are pages that load beside every window, and take an eighth of what
# one of ours does. The others are those of Playwright, whose argument this one replaces.
_DISABLED_FEATURES = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    f"--disable-features={','.join(_DISABLED_FEATURES)}",
)


def find_chromium() -> str | None:
    """CHROMIUM, else what is on PATH; None stands for Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


def chromium_arguments(*more: str) -> list[str]:
    """For Playwright: what keeps a browser quiet, then `more`."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # which Windows does not have
    return [*_QUIET, *more, *(["--no-sandbox"] if is_root else [])]
