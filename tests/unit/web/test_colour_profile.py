"""`colour-profile.js` and its twin in `exporter/pictures.py`, on whole and on damaged profiles."""

import base64
import zlib

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


INFLATE = """
const most_kb = () => process.resourceUsage().maxRSS
const before_kb = most_kb()
const inflated = await module.inflated(Uint8Array.from(Buffer.from(given.stream, 'base64')))
return [inflated.length, most_kb() - before_kb]
"""


@pytest.mark.parametrize("megabytes", [3, 200])
def test_a_stream_that_inflates_without_end_is_no_profile(run_js: RunJs, megabytes: int) -> None:
    stream = base64.b64encode(zlib.compress(bytes(megabytes * 1_000_000), 9)).decode()
    length, taken_kb = run_js("pipeline/colour-profile.js", INFLATE, stream=stream)
    assert length == (3_000_000 if megabytes == 3 else 0)
    assert taken_kb < 100_000
