"""Finds mattes: with one network, or with several that agree."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exporter.catalog import Network, choose_network, load_networks
from exporter.exported import exported_file
from exporter.native import NativeNetwork, ask_specialist, key_matte, look_again
from exporter.report import Report, silent

__all__ = ["FindSettings", "Finder", "Found", "exported_networks", "finder_of"]

#: The model that asks several networks.
_AUTO = "auto"


class Found(NamedTuple):
    """float32 (h, w) in [0, 1] of the network's size, and the network whose edges it has."""

    matte_hw: npt.NDArray[np.float32]
    model: str


class Finder:
    """Keeps its sessions; may be called by several threads at once.

    `model` is a name of the catalogue, 'auto', or an ONNX file that `spec` describes; `threads` are
    those of each network, 0 for as many as there are cores. Raises ExporterError, also when it is
    called.
    """

    def __init__(
        self,
        model: str = "u2netp",
        *,
        spec: Path | None = None,
        precision: str = "fp32",
        threads: int = 0,
        report: Report = silent,
    ) -> None:
        self._networks = [
            NativeNetwork(network, path, threads=threads)
            for network, path in exported_networks(model, spec, precision, report=report)
        ]

    def __call__(self, rgba_hwc: npt.NDArray[np.uint8], *, second_look: bool = False) -> Found:
        """For uint8 (height, width, 3 or 4); alpha is ignored."""
        chosen, *specialists = self._networks
        matte_hw = chosen.matte(rgba_hwc)
        for specialist in specialists:
            agreed_hw = ask_specialist(specialist, rgba_hwc, matte_hw)
            if agreed_hw is not None:
                matte_hw, chosen = agreed_hw, specialist
        if second_look:
            matte_hw = look_again(chosen, rgba_hwc, matte_hw)
        return Found(matte_hw, chosen.network.name)


@dataclass(frozen=True)
class FindSettings:
    """How mattes are found: as Finder has it, with a second look or without one; or by the `key`, a
    colour or 'auto', of a plain backdrop and without a network."""

    model: str = "u2netp"
    spec: Path | None = None
    precision: str = "fp32"
    second_look: bool = False
    key: str | None = None


def finder_of(
    settings: FindSettings, *, threads: int = 0, report: Report = silent
) -> Callable[[npt.NDArray[np.uint8]], Found]:
    """Finds as the settings say. Raises ExporterError, also when it is called."""
    key = settings.key
    if key:
        return lambda rgba_hwc: Found(key_matte(rgba_hwc, key), "chroma-key")
    finder = Finder(
        settings.model,
        spec=settings.spec,
        precision=settings.precision,
        threads=threads,
        report=report,
    )
    return lambda rgba_hwc: finder(rgba_hwc, second_look=settings.second_look)


def exported_networks(
    model: str, spec: Path | None, precision: str, *, report: Report = silent
) -> list[tuple[Network, Path]]:
    """The networks of a Finder, each with its file in the cache. Raises ExporterError."""
    return [
        (network, exported_file(network, precision=precision, local=local, report=report))
        for network, local in _chosen(model, spec)
    ]


def _chosen(model: str, spec: Path | None) -> list[tuple[Network, Path | None]]:
    """Each with its file where it need not be fetched: one that finds, others that are asked."""
    if model != _AUTO:
        return [choose_network(model, spec)]
    first, *others = load_networks().values()
    return [(first, None), *((other, None) for other in others if other.agreement is not None)]
