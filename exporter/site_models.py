"""The networks of a site: a file for each backend, and the answer that proves it there."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.catalog import Network
from exporter.errors import SiteError
from exporter.exported import exported_file
from exporter.origins import sha256_of
from exporter.ort_web import RUNTIME_FILES
from exporter.pipeline import with_size
from exporter.report import Report
from exporter.self_test import expected_answer

__all__ = ["SiteChoices", "add_model"]


@dataclass(frozen=True)
class SiteChoices:
    """What a site ships of each network.

    `precision` is that of the files for WASM, 'auto' the catalog's for each network. WebGPU gets
    fp16, and fp32 for devices whose GPU lacks it; WebGL has fp32 alone. `size` (height, width)
    replaces the catalog's input size. Raises SiteError.
    """

    backends: tuple[str, ...] = ("wasm", "webgpu")
    precision: str = "auto"
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if "wasm" not in self.backends or not set(self.backends) <= set(RUNTIME_FILES):
            raise SiteError(
                f"Expected wasm, which every device can fall back to, and any of "
                f"{', '.join(RUNTIME_FILES)} for the backends, received "
                f"{', '.join(self.backends) or 'none'}."
            )

    def artefacts(self, network: Network) -> list[tuple[str, str]]:
        """(backend, precision) in the order in which a browser should prefer them."""
        on_wasm = network.precision if self.precision == "auto" else self.precision
        precisions = {"webgpu": ("fp16", "fp32"), "webgl": ("fp32",), "wasm": (on_wasm,)}
        return [
            (backend, precision)
            for backend, fitting in precisions.items()
            if backend in self.backends
            for precision in fitting
        ]


def add_model(site: Path, network: Network, choices: SiteChoices, report: Report) -> dict[str, Any]:
    """Copies the network's files and returns its entry in build.js. Raises ExporterError."""
    sized = with_size(network, *choices.size) if choices.size else network
    size = {"height": sized.input.height, "width": sized.input.width}
    artefacts = []
    for backend, precision in choices.artefacts(network):
        exported = exported_file(
            network, backend=backend, precision=precision, size=choices.size, report=report
        )
        artefacts.append(_add_artefact(site, sized, backend, precision, exported))
    return {
        "name": network.name,
        "title": network.title,
        "licence": network.part.licence,
        "agreement": network.agreement,
        "artefacts": artefacts,
        "input": {
            "name": network.input.name,
            **size,
            "scale": network.input.scale,
            "mean": list(network.input.mean),
            "std": list(network.input.std),
        },
        "output": {"name": network.output.name, **size, "normalise": network.output.normalise},
    }


def _add_artefact(
    site: Path, network: Network, backend: str, precision: str, exported: Path
) -> dict[str, Any]:
    sha256 = sha256_of(exported)
    path = f"models/{network.name}.{backend}.{precision}.{sha256[:10]}.onnx"
    (site / path).parent.mkdir(exist_ok=True)
    shutil.copyfile(exported, site / path)
    return {
        "backend": backend,
        "precision": precision,
        "path": path,
        "sha256": sha256,
        "bytes": exported.stat().st_size,
        "golden": expected_answer(network, exported),
    }
