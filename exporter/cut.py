"""Cuts photos out on this machine, with what the browser runs and without one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import ExporterError
from exporter.native import NativeNetwork, Refinement, cut_out, encode_png
from exporter.pictures import read_photo
from exporter.report import Report, silent

__all__ = ["FORMATS", "Failure", "cut_photos"]

#: How a file is written, by the extension of its name.
FORMATS = {"png": encode_png}


@dataclass(frozen=True)
class Failure:
    photo: Path
    reason: str


def cut_photos(
    photos: Sequence[Path],
    out_dir: Path,
    network: NativeNetwork,
    refinement: Refinement,
    *,
    extension: str = "png",
    report: Report = silent,
) -> list[Failure]:
    """Writes `out_dir`/<stem>-cutout.<extension>, the page's name, for every photo that can be cut
    out, and returns the others. Raises ExporterError where nothing can be written at all."""
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExporterError(
            f"{out_dir}: Expected a folder that can be written to: {error}"
        ) from error
    failures = []
    targets = _targets(photos, out_dir, extension)
    for done, (photo, target) in enumerate(zip(photos, targets, strict=True)):
        report(f"Cutting out {photo.name}", done, len(photos))
        try:
            rgba_hwc = read_photo(photo)
            cutout_hwc = cut_out(rgba_hwc, network.matte(rgba_hwc), refinement)
            _write(target, FORMATS[extension](cutout_hwc))
        except ExporterError as error:
            failures.append(Failure(photo, str(error)))
        except (OSError, MemoryError) as error:
            failures.append(Failure(photo, f"{photo}: {error or 'not enough memory'}"))
    count = len(photos)
    report(f"Cut out {count - len(failures)} of {count} photos", count, count)
    return failures


def _targets(photos: Sequence[Path], out_dir: Path, extension: str) -> list[Path]:
    """A name of its own for each: two photos may share a stem, and none is written over."""
    taken = {photo.resolve() for photo in photos}
    targets = []
    for photo in photos:
        target, number = out_dir / f"{photo.stem}-cutout.{extension}", 2
        while target.resolve() in taken:
            target = out_dir / f"{photo.stem}-cutout-{number}.{extension}"
            number += 1
        taken.add(target.resolve())
        targets.append(target)
    return targets


def _write(target: Path, data: bytes) -> None:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
