"""Measures what int8 needs to know about a network: ranges, sensitivity, choice, storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from exporter.calibration import Calibration, find_photos, measure_ranges
from exporter.catalog import Network
from exporter.mattes import FloatArray
from exporter.native import preprocess
from exporter.pictures import read_photo
from exporter.pipeline import float_model
from exporter.report import Report, silent
from exporter.search import Search
from exporter.sensitivity import sweep
from exporter.shrink import format_roundings, shrink

__all__ = ["Settings", "calibrate_network", "format_calibration", "format_sizes"]


@dataclass(frozen=True)
class Settings:
    """How many photos to use (0: all) for ranges, for the sweep, for the search, and for weights of
    fewer bits alone."""

    range_photos: int = 100
    sweep_photos: int = 2
    search_photos: int = 12
    rounding_photos: int = 4


_DEFAULT_SETTINGS = Settings()


def calibrate_network(
    network: Network,
    folder: Path,
    settings: Settings = _DEFAULT_SETTINGS,
    *,
    local: Path | None = None,
    report: Report = silent,
) -> Calibration:
    """Chooses within `network.int8`. Raises ExporterError."""
    photos = find_photos(folder)
    model = float_model(network, local=local, report=report)
    ranges = measure_ranges(model, network, _spread(photos, settings.range_photos), report=report)
    sweep_inputs = _inputs(network, _spread(photos, settings.sweep_photos))
    rows = sweep(model, network, ranges, sweep_inputs, report=report)
    search_photos = _spread(photos, settings.search_photos)
    search = Search(model, network, _inputs(network, search_photos), report)
    budget = network.int8
    choice = search.run(
        ranges, rows, budget=budget.difference, most_float_work=budget.most_float_work
    )
    sizes, roundings = shrink(
        model,
        ranges,
        choice,
        search,
        _inputs(network, _spread(photos, settings.rounding_photos)),
        budget=budget.difference,
        most_bytes=budget.most_bytes,
        report=report,
    )
    return Calibration(
        network=network.name,
        source_sha256=network.part.sha256,
        versions={name: version(name) for name in ("numpy", "onnx", "onnxruntime", "onnxsim")},
        photos=len(_spread(photos, settings.range_photos)),
        search_photos=len(search_photos),
        budget=budget,
        difference=choice.measured.mean,
        difference_all_int8=choice.all_int8.mean,
        float_work=choice.float_work,
        float_units=choice.float_units,
        sensitivity=tuple(rows),
        roundings=tuple(roundings),
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
        f"difference of the matte on {calibration.search_photos} photos, the mean without the most "
        f"different tenth: "
        f"{calibration.difference_all_int8:.5f} with all units in int8, "
        f"{calibration.difference:.5f} with {len(chosen)} in float "
        f"(budget {calibration.budget.difference:g}), {calibration.float_work:.0%} of the work "
        f"(budget {calibration.budget.most_float_work:.0%})",
        *format_sizes(calibration),
    ]
    return "\n".join(lines)


def format_sizes(calibration: Calibration) -> list[str]:
    """The curve of bytes against error; the last row is what was chosen."""
    most_bytes = calibration.budget.most_bytes
    return [
        f"{format_roundings(calibration.roundings[: row.roundings]):56}"
        f"{row.bytes:13,} bytes{row.mean:10.5f}"
        f"{'' if not most_bytes or row.bytes <= most_bytes else f'  over {most_bytes:,}'}"
        for row in calibration.sizes
    ]
