"""Measures what int8 needs to know about a network: ranges, sensitivity, choice, storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import onnx

from exporter.calibration import Calibration, Size, find_photos, measure_ranges
from exporter.catalog import Network
from exporter.errors import CalibrationError
from exporter.native import preprocess
from exporter.passes import four_bit_weights, raise_opset
from exporter.pictures import read_photo
from exporter.pipeline import float_model, with_size
from exporter.quantize import EXACT_STORAGE, Ranges, Storage, quantize
from exporter.report import Report, silent
from exporter.sensitivity import Choice, FloatArray, Search, sweep

__all__ = ["Settings", "calibrate_network", "format_calibration"]

# What is tried, in this order, until the file is small enough.
_STORAGES = (
    EXACT_STORAGE,
    *(Storage(weights) for weights in (100_000, 10_000, 2_000)),
    *(Storage(2_000, weights) for weights in (2_000_000, 1_000_000, 500_000, 250_000, 100_000)),
)


@dataclass(frozen=True)
class Settings:
    """How many photos to use (0: all) for ranges, for the sweep and for the search; the mean
    difference of mattes to stay below, and the bytes of the artefact (0: any)."""

    range_photos: int = 0
    sweep_photos: int = 3
    search_photos: int = 12
    budget: float = 0.0015
    most_bytes: int = 0


def calibrate_network(
    network: Network,
    folder: Path,
    settings: Settings,
    *,
    local: Path | None = None,
    size: tuple[int, int] | None = None,
    report: Report = silent,
) -> Calibration:
    """`size` (height, width) takes the place of the catalog's. Raises ExporterError."""
    photos = find_photos(folder)
    model = float_model(network, local=local, size=size, report=report)
    network = with_size(network, *size) if size else network
    ranges = measure_ranges(model, network, _spread(photos, settings.range_photos), report=report)
    seen = _inputs(network, _spread(photos, settings.sweep_photos))
    rows = sweep(model, network, ranges, seen, report=report)
    del seen
    search_photos = _spread(photos, settings.search_photos)
    search = Search(model, network, _inputs(network, search_photos), report)
    choice = search.run(ranges, rows, budget=settings.budget)
    sizes = _sizes(model, ranges, choice, search, settings)
    return Calibration(
        network=network.name,
        source_sha256=network.part.sha256,
        versions={name: version(name) for name in ("numpy", "onnx", "onnxruntime", "onnxsim")},
        photos=len(_spread(photos, settings.range_photos)),
        search_photos=len(search_photos),
        budget=settings.budget,
        difference=choice.measured.mean,
        difference_all_int8=choice.all_int8.mean,
        most_bytes=settings.most_bytes,
        float_units=choice.float_units,
        sensitivity=tuple(rows),
        sizes=tuple(sizes),
        ranges=ranges,
    )


def _spread(photos: Sequence[Path], count: int) -> list[Path]:
    """That many of them, evenly: a folder in the order of its sources keeps all of these."""
    if not count or count >= len(photos):
        return list(photos)
    return [photos[index * len(photos) // count] for index in range(count)]


def _inputs(network: Network, photos: Sequence[Path]) -> list[FloatArray]:
    return [preprocess(read_photo(photo), network.input) for photo in photos]


def _sizes(
    model: onnx.ModelProto, ranges: Ranges, choice: Choice, search: Search, settings: Settings
) -> list[Size]:
    """From exact weights on, up to the first storage with few enough bytes.

    What harms more than twice the budget is left out: weights that need their digits.
    """
    most_bytes = settings.most_bytes
    raised = raise_opset.apply(model, opset=four_bit_weights.OPSET)
    curve: list[Size] = []
    for storage in _STORAGES:
        quantized = quantize(
            raised if storage.four_bit_codes else model,
            ranges,
            float_units=choice.float_units,
            storage=storage,
        )
        stored = four_bit_weights.apply(quantized) if storage.four_bit_codes else quantized
        size = stored.ByteSize()
        if curve and size >= curve[-1].bytes:
            continue
        measured = search.measure(stored, f"{_weights(storage)}, {size:,} bytes")
        if measured.mean > 2 * settings.budget:
            continue
        curve.append(Size(storage, size, measured.mean))
        if not most_bytes or size <= most_bytes:
            return curve
    raise CalibrationError(
        f"{search.network.name}: Expected at most {most_bytes:,} bytes, received "
        f"{curve[-1].bytes:,} within twice the budget of {settings.budget:g}. Raise --most-bytes "
        "or --budget."
    )


def _weights(storage: Storage) -> str:
    if storage.four_bit_codes:
        return f"4 bits from {storage.four_bit_codes:,} weights on"
    if storage.eight_bit_floats:
        return f"8 bits in float layers from {storage.eight_bit_floats:,} weights on"
    return "weights as computed with"


def format_calibration(calibration: Calibration) -> str:
    """What was chosen and the figures that led to it."""
    lines = [
        f"{calibration.network}: ranges of {len(calibration.ranges)} tensors on "
        f"{calibration.photos} photos",
        "",
        f"{'quantised alone':24}{'operator':10}{'mean':>10}{'worst':>10}",
    ]
    chosen = set(calibration.float_units)
    shown = [
        row for index, row in enumerate(calibration.sensitivity) if index < 10 or row.unit in chosen
    ]
    lines += [
        f"{row.unit:24}{row.operator:10}{row.mean:10.6f}{row.worst:10.6f}"
        f"{'  stays in float' if row.unit in chosen else ''}"
        for row in shown
    ]
    lines += [
        "",
        f"mean difference of the matte on {calibration.search_photos} photos: "
        f"{calibration.difference_all_int8:.5f} with all units in int8, "
        f"{calibration.difference:.5f} with {len(chosen)} in float "
        f"(budget {calibration.budget:g})",
    ]
    lines += [
        f"{_weights(row.storage):52}{row.bytes:13,} bytes{row.mean:10.5f}"
        for row in calibration.sizes
    ]
    return "\n".join(lines)
