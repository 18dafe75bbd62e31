"""Keeps what `export_network` has made: an export takes seconds, a rebuilt site should not."""

import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

from exporter.catalog import Network
from exporter.origins import cache_folder
from exporter.pipeline import export_network
from exporter.report import Report, silent

__all__ = ["exported_file"]

_HERE = Path(__file__).parent


def exported_file(network: Network, *, report: Report = silent) -> Path:
    """The network's file for WASM in float32, from the cache where nothing it depends on changed.

    Do not write to it. Raises ExporterError.
    """
    cache = cache_folder() / "exported"
    path = cache / f"{_key(network)}.onnx"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            artefact = export_network(network, out_dir=Path(folder), report=report)
            artefact.path.replace(path)
    return path


def _key(network: Network) -> str:
    """A hash of the pinned source, of every pass, and of the packages that rewrite graphs."""
    sources = [_HERE / "pipeline.py", *sorted((_HERE / "passes").glob("*.py"))]
    texts = [repr(network), *(path.read_text(encoding="utf-8") for path in sources)]
    texts += [f"{package} {version(package)}" for package in ("onnx", "onnxsim")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
