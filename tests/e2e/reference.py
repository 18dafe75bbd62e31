"""The network as its authors run it: native ONNX Runtime, Pillow, the published file."""

import functools

import numpy as np
import onnxruntime as ort
from PIL import Image

from exporter.catalog import load_networks
from exporter.origins import fetch

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


@functools.cache
def source_network() -> ort.InferenceSession:
    """U2-Net-P exactly as published, before any pass."""
    path = fetch(load_networks()["u2netp"].part)
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def reference_matte(photo: Image.Image) -> np.ndarray:
    """The matte of `photo`, float32 (320, 320) in [0, 1], with the reference preprocessing."""
    resized = photo.convert("RGB").resize((320, 320), Image.Resampling.LANCZOS)
    rgb = np.asarray(resized).astype(np.float64)
    normalised = (rgb / max(rgb.max(), 1e-6) - MEAN) / STD
    input_nchw = normalised.transpose(2, 0, 1)[None].astype(np.float32)
    session = source_network()
    fused = session.run([session.get_outputs()[0].name], {session.get_inputs()[0].name: input_nchw})
    matte = np.asarray(fused[0])[0, 0]
    return (matte - matte.min()) / (matte.max() - matte.min())


def reference_alpha(photo: Image.Image) -> np.ndarray:
    """Alpha of `photo` at its own size: the matte, bilinearly upsampled."""
    matte = Image.fromarray(reference_matte(photo))
    return np.asarray(matte.resize(photo.size, Image.Resampling.BILINEAR))
