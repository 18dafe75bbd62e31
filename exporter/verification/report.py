"""Tells what was measured: a table, JSON, and one HTML file with pictures."""

import base64
import hashlib
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from exporter.errors import VerifyError
from exporter.html_report import report_environment
from exporter.native import postprocess
from exporter.verification.proof import LOSSY, Bounds, Measurement, Proof, is_matte
from exporter.verification.subject import Subject

__all__ = ["format_proof", "to_json", "write_report"]

_TEMPLATES = Path(__file__).parent / "templates"
_PHOTO_SIDE_PX = 384

#: From no difference to one at the bound: black, violet, red, orange, white.
_HEAT = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]])


def format_proof(proof: Proof) -> str:
    """A table for the terminal, and a line for each bound that broke."""
    subject = proof.subject
    spec = subject.input
    rows = [
        f"{subject.name}  {subject.artefact.ByteSize():,} bytes, {spec.height}x{spec.width}, "
        f"against {subject.source_name}, {len(proof.goldens)} pictures",
        f"{'':9}{'max diff':>10}{'mean diff':>11}{'IoU':>9}{'create ms':>11}{'first ms':>10}"
        f"{'warm ms':>9}",
        _row("source", proof.source),
        *(_row(one.backend, one) for one in proof.measurements if not one.error),
    ]
    rows += [_race_text(subject, one) for one in proof.measurements if one.rival_ms]
    for one in proof.measurements:
        rows += [f"{one.backend}: {reason}" for reason in one.broken(proof.bounds)]
    verdict = "equal" if proof.holds else "NOT EQUAL"
    rows.append(f"{verdict} within {_bounds_text(proof.bounds)}")
    return "\n".join(rows)


def _row(name: str, one: Measurement) -> str:
    return (
        f"{name:9}{one.difference.max:10.1e}{one.difference.mean:11.1e}{one.iou:9.5f}"
        f"{one.create_ms:11.0f}{one.first_ms:10.0f}{one.warm_ms:9.0f}"
    )


def _race_text(subject: Subject, one: Measurement) -> str:
    return (
        f"{one.backend}: {one.rival_ms / one.race_ms:.2f} times as fast as {subject.rival_name} "
        f"({one.race_ms:.0f} against {one.rival_ms:.0f} ms, medians of runs in turn)"
    )


def _bounds_text(bounds: Bounds) -> str:
    return f"max {bounds.max:g}, mean {bounds.mean:g}, IoU {bounds.iou:g}"


# ---- JSON ----------------------------------------------------------------------------------------


def to_json(proofs: Sequence[Proof]) -> str:
    document = {"equal": all(one.holds for one in proofs), "artefacts": [*map(_entry, proofs)]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _entry(proof: Proof) -> dict[str, Any]:
    subject = proof.subject
    contents = subject.artefact.SerializeToString(deterministic=True)
    return {
        "name": subject.name,
        "source": subject.source_name,
        "rival": subject.rival_name,
        "bytes": len(contents),
        "source_bytes": subject.source.ByteSize(),
        "sha256": hashlib.sha256(contents).hexdigest(),
        "height": subject.input.height,
        "width": subject.input.width,
        "pictures": [golden.name for golden in proof.goldens],
        "bounds": {"max": proof.bounds.max, "mean": proof.bounds.mean, "iou": proof.bounds.iou},
        "equal": proof.holds,
        "source_ms": _number(proof.source.warm_ms),
        "backends": [_backend_entry(one, proof.bounds) for one in proof.measurements],
    }


def _backend_entry(one: Measurement, bounds: Bounds) -> dict[str, Any]:
    return {
        "backend": one.backend,
        "max": _number(one.difference.max),
        "mean": _number(one.difference.mean),
        "iou": one.iou,
        "create_ms": _number(one.create_ms),
        "first_ms": _number(one.first_ms),
        "warm_ms": _number(one.warm_ms),
        "race_ms": one.race_ms,
        "rival_ms": one.rival_ms,
        "broken": one.broken(bounds),
    }


def _number(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None


# ---- HTML ----------------------------------------------------------------------------------------


def write_report(proofs: Sequence[Proof], folder: Path) -> Path:
    """Writes index.html, which needs no other file, and verify.json; returns the page's path.

    Raises VerifyError.
    """
    environment = report_environment(_TEMPLATES)
    page = environment.get_template("report.html").render(
        holds=all(proof.holds for proof in proofs), proofs=[_section(proof) for proof in proofs]
    )
    path = folder / "index.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        (folder / "verify.json").write_text(to_json(proofs), encoding="utf-8")
    except OSError as error:
        raise VerifyError(f"{folder}: Expected a folder that can be written to: {error}") from error
    return path


def _section(proof: Proof) -> dict[str, Any]:
    """What the template shows of one artefact."""
    gain = 10.0 if proof.bounds.max >= LOSSY.max else 1 / proof.bounds.max
    shown = [one for one in proof.measurements if one.outputs and is_matte(one.outputs[0])]
    return {
        **_entry(proof),
        "holds": proof.holds,
        "bounds": _bounds_text(proof.bounds),
        "bytes": f"{proof.subject.artefact.ByteSize():,}",
        "source_bytes": f"{proof.subject.source.ByteSize():,}",
        "gain": f"{gain:g}",
        "source_row": _cells(proof.source),
        "rows": [
            {
                "backend": one.backend,
                "cells": None if one.error else _cells(one),
                "broken": one.broken(proof.bounds),
            }
            for one in proof.measurements
        ],
        "races": [_race_text(proof.subject, one) for one in proof.measurements if one.rival_ms],
        "backends_shown": [one.backend for one in shown],
        "pictures": [_pictures(proof, index, shown, gain) for index in range(len(proof.goldens))],
    }


def _cells(one: Measurement) -> list[str]:
    return [
        f"{one.difference.max:.1e}",
        f"{one.difference.mean:.1e}",
        f"{one.iou:.5f}",
        f"{one.create_ms:,.0f}",
        f"{one.first_ms:,.0f}",
        f"{one.warm_ms:,.0f}",
    ]


def _pictures(
    proof: Proof, index: int, shown: Sequence[Measurement], gain: float
) -> dict[str, Any]:
    golden = proof.goldens[index]
    expected = proof.source.outputs[index]
    output = proof.subject.output
    photo = Image.fromarray(golden.rgb_hwc)
    photo.thumbnail((_PHOTO_SIDE_PX, _PHOTO_SIDE_PX))
    return {
        "name": golden.name,
        "photo": _data_url(photo, "JPEG"),
        "source": _grey(postprocess(expected, output)) if is_matte(expected) else None,
        "backends": [
            {
                "backend": one.backend,
                "matte": _grey(postprocess(one.outputs[index], output)),
                "difference": _heat(_distance(expected, one.outputs[index]), gain),
            }
            for one in shown
        ],
    }


def _distance(
    expected: npt.NDArray[np.float32], received: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """(h, w); 1 everywhere where the shapes differ."""
    size = received.shape[-2:]
    if expected.shape != received.shape:
        return np.ones(size, np.float32)
    distance_hw: npt.NDArray[np.float32] = np.abs(expected - received).reshape(size)
    return distance_hw


def _grey(matte_hw: npt.NDArray[np.float32]) -> str:
    levels = np.nan_to_num(255 * matte_hw).clip(0, 255)
    return _data_url(Image.fromarray(np.round(levels).astype(np.uint8)), "PNG")


def _heat(distance_hw: npt.NDArray[np.float32], gain: float) -> str:
    places = np.nan_to_num(gain * distance_hw, nan=1).clip(0, 1) * (len(_HEAT) - 1)
    channels = [np.interp(places, np.arange(len(_HEAT)), column) for column in _HEAT.T]
    return _data_url(Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8)), "PNG")


def _data_url(picture: Image.Image, kind: str) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=85)
    text = base64.b64encode(buffer.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{text}"
