"""Keeps what `export_network` has made: an export takes seconds, a rebuilt site should not."""

import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

from exporter.calibration import calibration_file
from exporter.catalog import Network
from exporter.derived import is_kept, keep
from exporter.errors import ExporterError
from exporter.origins import cache_folder
from exporter.pipeline import export_network
from exporter.report import Report, silent

__all__ = ["exported_file", "wider_file"]

_HERE = Path(__file__).parent
_INT8_SOURCES = ("precision.py", "quantize.py", "units.py", "weight_codes.py")


def exported_file(
    network: Network,
    *,
    backend: str = "wasm",
    precision: str = "fp32",
    size: tuple[int, int] | None = None,
    local: Path | None = None,
    report: Report = silent,
) -> Path:
    """The network's file for a backend, from the cache where nothing that it depends on changed.

    `size` (height, width) takes the place of the catalog's; `local` is the published file where it
    need not be fetched. Do not write to the result. Raises ExporterError.
    """
    cache = cache_folder() / "exported"
    path = cache / f"{_key(network, backend, precision, size)}.onnx"
    if is_kept(path):
        return path
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            artefact = export_network(
                network,
                backend=backend,
                precision=precision,
                size=size,
                out_dir=Path(folder),
                local=local,
                report=report,
            )
            return keep(artefact.path, path)
    except OSError as error:
        raise ExporterError(
            f"{network.name}: Expected a cache folder that can be written to: {error}. "
            "Set GOSSAMER_CACHE to another one."
        ) from error


def wider_file(
    network: Network,
    *,
    precision: str = "fp32",
    local: Path | None = None,
    report: Report = silent,
) -> Path | None:
    """The network's file for its wider look. None where it has none. Raises ExporterError."""
    if network.wider is None:
        return None
    return exported_file(
        network, precision=precision, size=network.wider, local=local, report=report
    )


def _key(network: Network, backend: str, precision: str, size: tuple[int, int] | None) -> str:
    """A hash of the pinned source, of every pass, and of the packages that rewrite graphs."""
    sources = [_HERE / "pipeline.py", _HERE / "source.py", *sorted((_HERE / "passes").glob("*.py"))]
    if precision == "int8":
        sources += [_HERE / name for name in _INT8_SOURCES]
        sources.append(calibration_file(network))
    texts = [repr(network), backend, precision, repr(size)]
    texts += [path.read_text(encoding="utf-8") for path in sources]
    texts += [f"{package} {version(package)}" for package in ("onnx", "onnxsim")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
