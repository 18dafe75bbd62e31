"""`colour-profile.js` and its twin in `exporter/pictures.py`, on whole and on damaged profiles."""

import base64

import pytest
from PIL import ImageCms

from exporter.pictures import is_wide
from pyside_logic.icc import icc_profile

from .conftest import RunJs

PROFILES = {
    "ours of sRGB": (icc_profile("srgb"), False),
    "ours of Display P3": (icc_profile("display-p3"), True),
    "LittleCMS's of sRGB": (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        False,
    ),
    "LittleCMS's of Lab": (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        False,
    ),
    "none": (b"", False),
    "cut off": (icc_profile("display-p3")[:200], False),
    "noise": (bytes(range(256)) * 3, False),
}


@pytest.mark.parametrize("name", PROFILES)
def test_colours_beyond_srgb(run_js: RunJs, name: str) -> None:
    profile, wide = PROFILES[name]
    body = "return module.isWide(Uint8Array.from(Buffer.from(given.profile, 'base64')))"
    text = base64.b64encode(profile).decode()
    assert run_js("pipeline/colour-profile.js", body, profile=text) == wide
    assert is_wide(profile) == wide
