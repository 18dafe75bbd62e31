"""Photos that are cut out soon, and what a run over them leaves."""

from pathlib import Path

from PIL import Image
from skimage import data

from exporter.batch.job import BatchJob
from exporter.cut import CutJob
from exporter.finder import FindSettings
from exporter.native import OutputOptions, parse_refinement


def make_photos(folder: Path, count: int) -> None:
    """Small ones, each another piece of two photographs."""
    for number in range(count):
        whole = data.chelsea() if number % 2 else data.coffee()
        top = 12 * number
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(whole[top : top + 120, 150:300]).save(folder / f"{number}.jpg", quality=95)


def job_for(target: Path) -> BatchJob:
    return BatchJob(
        FindSettings(), CutJob(parse_refinement("default"), OutputOptions()), f"{target}"
    )


def files_in(target: Path) -> dict[str, bytes]:
    """By name; but for what the run keeps beside."""
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and not path.relative_to(target).as_posix().startswith((".", "gossamer"))
    }
