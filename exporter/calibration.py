"""What int8 needs to know about a network, measured on photographs once and then committed.

`gossamer calibrate` writes models/calibration/<network>.json; an export reads it and needs no
photographs. Tensors are named as in the float32 artefact.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from exporter.catalog import Int8Budget, Network
from exporter.errors import CalibrationError
from exporter.native import preprocess
from exporter.passes.graph import copy_of
from exporter.pictures import PHOTO_ENDINGS, read_photo
from exporter.quantize import Storage
from exporter.report import Report, silent
from exporter.sessions import open_session
from exporter.units import find_units
from exporter.writable import try_folder, write_whole

__all__ = [
    "CALIBRATIONS",
    "Calibration",
    "Rounding",
    "Sensitivity",
    "Size",
    "calibration_file",
    "check_folder",
    "find_photos",
    "measure_ranges",
    "read_calibration",
    "storage_of",
    "write_calibration",
]

CALIBRATIONS = Path(__file__).resolve().parent.parent / "models" / "calibration"

_FORMAT = 2


@dataclass(frozen=True)
class Sensitivity:
    """What it costs to quantise this unit and nothing else: differences of normalised mattes."""

    unit: str
    operator: str
    mean: float
    worst: float


@dataclass(frozen=True)
class Rounding:
    """The weights of this unit in 8 or 4 bits: the bytes that it saves, and the mean difference
    where nothing else is rounded."""

    unit: str
    bits: int
    bytes: int
    mean: float


@dataclass(frozen=True)
class Size:
    """The artefact with the first `roundings` applied: its bytes, and its mean difference."""

    roundings: int
    bytes: int
    mean: float


@dataclass(frozen=True)
class Calibration:
    """`photos` photographs gave `ranges` (lowest and highest value of each tensor).

    `float_units`, a share `float_work` of the network's work, stay in float so that on
    `search_photos` of them the matte differs from float32's by no more than `budget` has in the
    mean: by `difference`, by `difference_all_int8` with none of them. `roundings` are ways to save
    bytes, the least harmful for its bytes first; `sizes` is the curve of bytes against error that
    they give, down to what was chosen for the budget.
    """

    network: str
    source_sha256: str
    versions: Mapping[str, str]
    photos: int
    search_photos: int
    budget: Int8Budget
    difference: float
    difference_all_int8: float
    float_work: float
    float_units: tuple[str, ...]
    sensitivity: tuple[Sensitivity, ...]
    roundings: tuple[Rounding, ...]
    sizes: tuple[Size, ...]
    ranges: Mapping[str, tuple[float, float]]

    @property
    def storage(self) -> Storage:
        return storage_of(self.roundings[: self.sizes[-1].roundings])


def storage_of(roundings: Sequence[Rounding]) -> Storage:
    eight, four = (tuple(row.unit for row in roundings if row.bits == bits) for bits in (8, 4))
    return Storage(eight, four)


# ---- photographs ---------------------------------------------------------------------------------


def find_photos(folder: Path) -> list[Path]:
    """By name, so that the same folder gives the same ranges. Raises CalibrationError."""
    found = folder.rglob("*") if folder.is_dir() else []
    photos = sorted(path for path in found if path.suffix.lower() in PHOTO_ENDINGS)
    if not photos:
        raise CalibrationError(
            f"Expected a folder with photos for --calibration, received {folder}, which "
            f"{'has none' if folder.is_dir() else 'is no folder'}. Any few hundred JPEG or PNG "
            "files of what people will use will do."
        )
    return photos


# ---- ranges --------------------------------------------------------------------------------------


def measure_ranges(
    model: onnx.ModelProto, network: Network, photos: Sequence[Path], *, report: Report = silent
) -> dict[str, tuple[float, float]]:
    """The lowest and the highest value of every tensor that a unit reads or writes.

    Raises CalibrationError for a network that is broken, or that int8 can do nothing for.
    """
    names = sorted({name for unit in find_units(model) for name in (*unit.inputs, unit.output)})
    if not names:
        raise CalibrationError(
            f"{network.name}: Expected operators that can be run in int8, such as Conv with weights"
            " in the file, received none. Export it as it is, in fp32."
        )
    session = open_session(_with_extremes(model, names))
    outputs = [f"{name}/{extreme}" for name in names for extreme in ("low", "high")]
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    for done, photo in enumerate(photos, 1):
        feed = {network.input.name: preprocess(read_photo(photo), network.input)}
        extremes = np.array(session.run(outputs, feed), np.float64).reshape(-1, 2)
        low, high = np.minimum(low, extremes[:, 0]), np.maximum(high, extremes[:, 1])
        report(f"Measuring the ranges of {network.name}", done, len(photos))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        broken = names[int(np.argmin(np.isfinite(low) & np.isfinite(high)))]
        raise CalibrationError(
            f"{network.name}: Expected finite numbers in every tensor, received others in "
            f"{broken!r}. The network is broken."
        )
    return {name: (_rounded(low[index]), _rounded(high[index])) for index, name in enumerate(names)}


def _with_extremes(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    # Inside the graph: a few hundred tensors of up to 26 MB would not fit beside each other.
    measured = copy_of(model)
    graph = measured.graph
    for name in names:
        for operator, extreme in (("ReduceMin", "low"), ("ReduceMax", "high")):
            output = f"{name}/{extreme}"
            graph.node.append(helper.make_node(operator, [name], [output], output, keepdims=0))
            graph.output.append(helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, []))
    return measured


def _rounded(value: float) -> float:
    """Six digits: more than a step of 1/255 can tell apart."""
    return float(f"{value:.6g}")


# ---- the committed file --------------------------------------------------------------------------


def check_folder(folder: Path) -> None:
    """Raises CalibrationError where no ranges can be written there."""
    try:
        try_folder(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> CalibrationError:
    return CalibrationError(
        f"Expected a folder that can be written to for the ranges, received {folder}: {error}. "
        "Choose another one with --out, or make room on the disk."
    )


def write_calibration(calibration: Calibration, folder: Path = CALIBRATIONS) -> Path:
    """One line for each tensor and unit, so that a change shows as one. Raises CalibrationError."""
    values: dict[str, Any] = {"format": _FORMAT, **asdict(calibration)}
    values["difference"] = _rounded(calibration.difference)
    values["float_work"] = _rounded(calibration.float_work)
    values["difference_all_int8"] = _rounded(calibration.difference_all_int8)
    values["sensitivity"] = {
        row.unit: [row.operator, _rounded(row.mean), _rounded(row.worst)]
        for row in calibration.sensitivity
    }
    values["roundings"] = {
        row.unit: [row.bits, row.bytes, _rounded(row.mean)] for row in calibration.roundings
    }
    values["sizes"] = [[row.roundings, row.bytes, _rounded(row.mean)] for row in calibration.sizes]
    values["ranges"] = {name: list(pair) for name, pair in calibration.ranges.items()}
    lines = []
    for key, value in values.items():
        if isinstance(value, dict):
            entries = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in value.items()]
            text = "{\n    " + ",\n    ".join(entries) + "\n  }" if entries else "{}"
        else:
            text = json.dumps(value)
        lines.append(f"  {json.dumps(key)}: {text}")
    contents = "{\n" + ",\n".join(lines) + "\n}\n"
    path = folder / f"{calibration.network}.json"
    try:
        write_whole(path, contents.encode())
    except OSError as error:
        raise _unwritable(folder, error) from error
    return path


def calibration_file(network: Network) -> Path:
    """Raises CalibrationError where the network was not measured."""
    path = CALIBRATIONS / f"{network.name}.json"
    if not path.exists():
        raise CalibrationError(
            f"{network.name}: Expected measured ranges in {path}, found none. {_remedy(network)}"
        )
    return path


def _remedy(network: Network) -> str:
    return f"Run: gossamer calibrate {network.name} --calibration FOLDER_OF_PHOTOS"


def read_calibration(network: Network, folder: Path | None = None) -> Calibration:
    """Raises CalibrationError where there is none, or one of other weights."""
    path = (folder or CALIBRATIONS) / f"{network.name}.json"
    remedy = _remedy(network)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.pop("format")
        if found != _FORMAT:
            raise CalibrationError(f"{path}: Expected format {_FORMAT}, received {found}. {remedy}")
        values["float_units"] = tuple(values["float_units"])
        values["sensitivity"] = tuple(
            Sensitivity(unit, *row) for unit, row in values["sensitivity"].items()
        )
        values["budget"] = Int8Budget(**values["budget"])
        values["roundings"] = tuple(
            Rounding(unit, *row) for unit, row in values["roundings"].items()
        )
        values["sizes"] = tuple(Size(*row) for row in values["sizes"])
        values["ranges"] = {
            name: (float(low), float(high)) for name, (low, high) in values["ranges"].items()
        }
        calibration = Calibration(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CalibrationError(
            f"{network.name}: Expected measured ranges in {path}: {error}. {remedy}"
        ) from error
    if calibration.source_sha256 != network.part.sha256:
        raise CalibrationError(
            f"{path}: Expected ranges of the weights {network.part.sha256[:10]}, received those "
            f"of {calibration.source_sha256[:10]}. {remedy}"
        )
    return calibration
