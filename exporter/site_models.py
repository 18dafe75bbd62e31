"""The networks of a site: a file for each backend, and the answer that proves it there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from exporter.catalog import Network, find_network
from exporter.errors import ExporterError, PassError, SiteError
from exporter.exported import exported_file
from exporter.js_modules import hashed_name
from exporter.origins import sha256_of
from exporter.ort_web import RUNTIME_FILES
from exporter.pipeline import with_size
from exporter.report import Report
from exporter.self_test import LEAST_SIDE_PX, expected_answer
from exporter.winograd.plan import plan_of
from exporter.winograd.proof import check_plan_once
from exporter.winograd.weights import in_floats

__all__ = ["SiteChoices", "add_model"]


@dataclass(frozen=True)
class SiteChoices:
    """What a site ships of each network.

    `precision` is that of the files for WASM, 'auto' the catalog's for each network. WebGPU gets
    fp16, where that is near enough, and fp32 for devices whose GPU lacks it; WebGL has fp32 alone.
    `size` (height, width) replaces the catalog's input size. Raises SiteError.
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
    size = choices.size
    sized = with_size(network, *size) if size else network
    in_px = {"height": sized.input.height, "width": sized.input.width}
    artefacts = []
    for backend, precision in choices.artefacts(network):
        try:
            exported = exported_file(
                network, backend=backend, precision=precision, size=size, report=report
            )
        except PassError as error:
            if precision != "fp16":
                raise
            report(f"{network.name}: WebGPU computes in float32 alone. {error}", 0, 0)
            continue
        artefacts.append(_add_artefact(site, sized, backend, precision, exported, report))
    return {
        "name": network.name,
        "title": network.title,
        "licence": network.part.licence,
        "agreement": network.agreement,
        "artefacts": artefacts,
        "input": {
            "name": network.input.name,
            **in_px,
            "scale": network.input.scale,
            "mean": list(network.input.mean),
            "std": list(network.input.std),
        },
        "output": {"name": network.output.name, **in_px, "normalise": network.output.normalise},
    }


def _add_artefact(
    site: Path, network: Network, backend: str, precision: str, exported: Path, report: Report
) -> dict[str, Any]:
    sha256, contents = sha256_of(exported), exported.read_bytes()
    path = f"models/{network.name}.{backend}.{precision}.{sha256[:10]}.onnx"
    (site / path).parent.mkdir(exist_ok=True)
    (site / path).write_bytes(contents)
    return {
        "backend": backend,
        "precision": precision,
        "path": path,
        "sha256": sha256,
        "bytes": len(contents),
        "plan": (
            _add_plan(site, network, contents, precision, report) if backend == "wasm" else None
        ),
        "golden": expected_answer(network, exported),
    }


@dataclass(frozen=True)
class _Small:
    """A network for a smaller picture: its file, and what it answers to that of the self-test."""

    network: Network
    file: bytes
    golden: str


def _add_plan(
    site: Path, network: Network, file: bytes, precision: str, report: Report
) -> dict[str, str | bool] | None:
    """Of what our own engine does with the file; None where it cannot run it. Returns its path,
    what it must answer to a picture, a small one if it is made for one, and whether that is of the
    size for a wider look."""
    alone = plan_of(file)
    if alone is None:
        return None
    small = _small(network, precision, report)
    both = plan_of(file, small=small.file) if small else None
    if both and _is_right(both, file, network, small, report):
        plan = both
    elif _is_right(alone, file, network, None, report):
        plan, small = alone, None
    else:
        return None
    path = hashed_name(f"wasm/{network.name}.plan", plan)
    (site / path).parent.mkdir(exist_ok=True)
    (site / path).write_bytes(plan)
    return {
        "path": path,
        "golden": small.golden if small else _answer(network, file),
        "wider": bool(small and network.wider),
    }


def _is_right(
    plan: bytes, file: bytes, network: Network, small: _Small | None, report: Report
) -> bool:
    try:
        check_plan_once(plan, file, network)
        if small:
            check_plan_once(plan, file, small.network, small=small.file)
    except PassError as error:
        report(f"{error} It is left out.", 0, 0)
        return False
    return True


def _small(network: Network, precision: str, report: Report) -> _Small | None:
    """Of the size for a wider look, or half the network's: None where that cannot be exported, or
    shows no subject in the picture. Raises ExporterError."""
    height, width = network.wider or (network.input.height // 2, network.input.width // 2)
    if min(height, width) < LEAST_SIDE_PX:
        return None
    published = find_network(network.name)  # `network` may be of another size already
    small = with_size(network, height, width)
    try:
        file = exported_file(
            published, precision=precision, size=(height, width), report=report
        ).read_bytes()
        return _Small(small, file, _answer(small, file))
    except ExporterError:
        if network.wider:  # which has been measured, and is not to be lost without a word
            raise
        return None


def _answer(network: Network, file: bytes) -> str:
    """Of our own engine, which rounds nothing. Raises SiteError."""
    return expected_answer(network, in_floats(onnx.ModelProto.FromString(file)).model)
