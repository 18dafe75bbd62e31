"""Refinement in Pyodide: the numbers of CPython, and what a large photo costs."""

from typing import Any

import numpy as np
import pytest
from skimage import data

from pyside_logic.refine import Cutout, RefineOptions, refine

#: Of 12 megapixels: the time in the worker and the peak of its heap.
MOST_SECONDS = 1.5
MOST_BYTES = 700 << 20

OPTIONS: list[dict[str, Any]] = [
    {"sharpen": 2},
    {"min_region_px": 4000},
    {"detail": "guided"},
    {"detail": "closed_form"},
    {"detail": "knn"},
    {"contract_px": 2},
    {"contract_px": -2},
    {"feather_px": 1.5},
    {"feather_px": 9},
    {"decontaminate": True},
]

#: Times are the engine's own processor time: other work on the machine does not count.
LARGE_PHOTO = """
import js
import numpy
from pyside_logic.refine import Cutout, RefineOptions, refine

def processor_seconds():
    usage = js.process.cpuUsage()
    return (usage.user + usage.system) / 1e6

height, width = given['size']
picture = numpy.load(given['photo'])
rows = numpy.arange(height) * len(picture) // height
columns = numpy.arange(width) * picture.shape[1] // width
photo = numpy.empty((height, width, 4), numpy.uint8)
for row in range(height):
    photo[row] = picture[rows[row], columns]
cutout = Cutout(photo, numpy.load(given['matte']))
options = RefineOptions.from_dict(given['options'])
seconds = []
for _ in range(given['times']):
    start = processor_seconds()
    refine(cutout, options, lambda done, total: None)
    seconds.append(processor_seconds() - start)
soft = (photo[..., 3] > 0) & (photo[..., 3] < 255)
return {'seconds': min(seconds), 'bytes': js.heapBytes(), 'soft': float(soft.mean())}
"""


def portrait() -> np.ndarray:
    return np.dstack([data.astronaut(), np.full((512, 512), 255, np.uint8)])


def smooth_matte() -> np.ndarray:
    """Two discs with soft edges, a large and a small one, 320 x 320."""
    y, x = np.mgrid[-1:1:320j, -1:1:320j]
    large, small = 0.7 - np.hypot(y - 0.1, x), 0.06 - np.hypot(y + 0.85, x + 0.85)
    return np.clip(20 * np.maximum(large, small) + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_every_option_computes_what_it_does_on_cpython(
    python_in_pyodide: Any, options: dict[str, Any]
) -> None:
    photo = np.ascontiguousarray(portrait()[::2, ::2])
    python_in_pyodide.run(
        """
        import numpy
        from pyside_logic.refine import Cutout, RefineOptions, refine
        cutout = Cutout(numpy.load(given['photo']), numpy.load(given['matte']))
        refine(cutout, RefineOptions.from_dict(given['options']), lambda done, total: None)
        numpy.save('/shared/refined.npy', cutout.rgba_hwc)
        return None
        """,
        photo=python_in_pyodide.save("photo.npy", photo),
        matte=python_in_pyodide.save("matte.npy", smooth_matte()),
        options=options,
    )
    here = Cutout(photo, smooth_matte())
    refine(here, RefineOptions.from_dict(options), lambda _done, _total: None)
    difference = np.abs(python_in_pyodide.load("refined.npy").astype(int) - here.rgba_hwc)
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


def run_large(python_in_pyodide: Any, size: tuple[int, int], times: int, **options: Any) -> Any:
    return python_in_pyodide.run(
        LARGE_PHOTO,
        photo=python_in_pyodide.save("photo.npy", portrait()),
        matte=python_in_pyodide.save("matte.npy", smooth_matte()),
        size=size,
        times=times,
        options=options,
    )


def test_twelve_megapixels_with_clean_colours_in_time_and_memory(python_in_pyodide: Any) -> None:
    result = run_large(python_in_pyodide, (3000, 4000), 3, decontaminate=True)
    assert 0.02 < result["soft"] < 0.2
    assert result["seconds"] < MOST_SECONDS
    assert result["bytes"] < MOST_BYTES


@pytest.mark.soak
def test_forty_eight_megapixels_finish_with_every_option(python_in_pyodide: Any) -> None:
    options = {
        "min_region_px": 5000,
        "detail": "closed_form",
        "contract_px": 3,
        "feather_px": 2,
        "decontaminate": True,
    }
    result = run_large(python_in_pyodide, (6000, 8000), 1, **options)
    assert result["soft"] > 0.005
    assert result["bytes"] < 2 * MOST_BYTES
