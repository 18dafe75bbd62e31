"""Cuts photos out on this machine, with what the browser runs and without one."""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exporter.confidence import is_unsure
from exporter.errors import ExporterError
from exporter.finder import Found
from exporter.native import (
    OutputOptions,
    Refinement,
    Source,
    finished_file,
    open_backdrop,
    open_source,
)
from exporter.report import Report, silent
from exporter.writable import write_whole

__all__ = ["FORMATS", "CutJob", "Failure", "Told", "cut_photos", "file_name", "file_of", "folded"]

#: What the file systems of Linux, macOS and Windows allow.
_MOST_NAME_BYTES = 255

#: The MIME type of a file, by the extension of its name.
FORMATS = {"png": "image/png", "webp": "image/webp", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class CutJob:
    """What is made of every photo: `content` is 'cutout', or 'alpha' for the matte alone;
    `backdrop` is the picture behind, where `output` wants one."""

    refinement: Refinement
    output: OutputOptions
    content: str = "cutout"
    backdrop: Path | None = None

    @property
    def extension(self) -> str:
        return next(name for name, mime in FORMATS.items() if mime == self.output.type)

    def check_backdrop(self) -> None:
        """A wrong one is one mistake, not one a photo. Raises PictureError."""
        if self.backdrop is not None:
            open_backdrop(self.backdrop, Source())


@dataclass(frozen=True)
class Failure:
    photo: Path
    reason: str


class Told(NamedTuple):
    """Of photos, those that could not be cut out, and those whose subject the network is not sure
    of."""

    failures: list[Failure]
    unsure: list[Path]


def cut_photos(
    photos: Sequence[Path],
    out_dir: Path,
    find: Callable[[npt.NDArray[np.uint8]], Found],
    job: CutJob,
    *,
    report: Report = silent,
) -> Told:
    """Writes `out_dir`/<stem>-<content>.<extension>, the page's name, for every photo that can be
    cut out, and tells the others. What stops in the middle leaves no part of a file. Raises
    ExporterError where nothing can be written at all."""
    job.check_backdrop()
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExporterError(
            f"{out_dir}: Expected a folder that can be written to: {error}"
        ) from error
    failures, unsure = [], []
    targets = _targets(photos, out_dir, f"{job.content}.{job.extension}")
    for done, (photo, target) in enumerate(zip(photos, targets, strict=True)):
        report(f"Cutting out {photo.name}", done, len(photos))
        try:
            rgba_hwc, source = open_source(photo)
            found = find(rgba_hwc)
            write_whole(target, file_of(rgba_hwc, source, found.matte_hw, job))
            if is_unsure(found.confidence):
                unsure.append(photo)
        except ExporterError as error:
            reason = str(error)
            failures.append(
                Failure(photo, reason if str(photo) in reason else f"{photo}: {reason}")
            )
        except (OSError, MemoryError) as error:
            failures.append(Failure(photo, f"{photo}: {error or 'not enough memory'}"))
    count = len(photos)
    report(f"Cut out {count - len(failures)} of {count} photos", count, count)
    return Told(failures, unsure)


def file_of(
    rgba_hwc: npt.NDArray[np.uint8],
    source: Source,
    matte_hw: npt.NDArray[np.float32],
    job: CutJob,
) -> bytes:
    """What the job makes of an opened photo and its matte. Raises ExporterError."""
    return finished_file(
        rgba_hwc,
        matte_hw,
        job.refinement,
        job.output,
        content=job.content,
        source=source,
        backdrop_hwc=None if job.backdrop is None else open_backdrop(job.backdrop, source),
    )


def _targets(photos: Sequence[Path], out_dir: Path, ending: str) -> list[Path]:
    """A name of its own for each: two photos may share a stem, and none is written over."""
    taken = {_place(photo) for photo in photos}
    targets = []
    for photo in photos:
        content, extension = ending.split(".")
        target, number = out_dir / file_name(photo.stem, ending), 2
        while _place(target) in taken:
            target = out_dir / file_name(photo.stem, f"{content}-{number}.{extension}")
            number += 1
        taken.add(_place(target))
        targets.append(target)
    return targets


def _place(path: Path) -> str:
    # Path.resolve() raises where a link leads back to itself, which one photo may do.
    return folded(os.path.realpath(path))


def folded(name: str) -> str:
    """The same for names that macOS or Windows take for one: whatever their case, and whether their
    accents are letters of their own."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def file_name(stem: str, ending: str) -> str:
    """<stem>-<ending>. A stem that leaves no room for the ending is cut short, and gets some digits
    of its SHA-256 so that those with the same beginning stay apart."""
    name, kept = f"{stem}-{ending}", stem
    while len(os.fsencode(name)) > _MOST_NAME_BYTES:
        kept = kept[:-1]
        digits = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
        name = f"{kept}~{digits}-{ending}"
    return name
