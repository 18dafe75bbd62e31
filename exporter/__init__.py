"""The toolchain: from published networks to a static site. It runs on CPython."""

import os

# ONNX Runtime reads it as it is imported, which nothing here is before this. Its own builds would
# tell their makers, by a number of the device, what runs.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
