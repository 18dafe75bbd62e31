"""Finds mattes: with one network, or with several that agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exporter.catalog import Network, choose_network, load_networks
from exporter.errors import CatalogError
from exporter.exported import exported_file, wider_file
from exporter.native import NativeNetwork, Subject, ask_specialist, key_matte, look_again
from exporter.report import Report, silent

__all__ = [
    "Exported",
    "FindSettings",
    "Finder",
    "Found",
    "exported_networks",
    "finder_of",
    "improved",
]

#: The model that asks several networks.
_AUTO = "auto"


class Found(NamedTuple):
    """float32 (h, w) in [0, 1] of the network's size; the network whose edges it has; and how sure
    the one that found the subject is of it, in [0, 1], None where none did."""

    matte_hw: npt.NDArray[np.float32]
    model: str
    confidence: float | None


@dataclass(frozen=True)
class FindSettings:
    """How mattes are found. `model` is a name of the catalogue, 'auto', or an ONNX file that `spec`
    describes. `wider_look`: the network that finds the subject takes one, where it has it, for what
    its first look loses of a subject as large as the picture. `second_look`: for finer edges.
    `key`: by a plain backdrop, its colour or 'auto', and without a network."""

    model: str = "u2netp"
    spec: Path | None = None
    precision: str = "fp32"
    wider_look: bool = True
    second_look: bool = False
    key: str | None = None


class Finder:
    """The networks of the settings. Keeps its sessions; may be called by several threads at once.

    `threads` are those of each network, 0 for as many as there are cores. Raises ExporterError,
    also when it is called.
    """

    def __init__(
        self, settings: FindSettings, *, threads: int = 0, report: Report = silent
    ) -> None:
        self._networks = [
            NativeNetwork(one.network, one.file, wider=one.wider, threads=threads)
            for one in exported_networks(settings, report=report)
        ]

    def __call__(self, rgba_hwc: npt.NDArray[np.uint8], *, second_look: bool = False) -> Found:
        """For uint8 (height, width, 3 or 4); alpha is ignored."""
        first, *specialists = self._networks
        subject = first.subject(rgba_hwc)
        return improved(subject, first, specialists, rgba_hwc, second_look=second_look)


def improved(
    subject: Subject,
    network: NativeNetwork,
    specialists: Sequence[NativeNetwork],
    rgba_hwc: npt.NDArray[np.uint8],
    *,
    second_look: bool,
) -> Found:
    """`subject`, the network's of `rgba_hwc`, with the edges of a specialist that agrees, and with
    finer ones by a second look. Raises ExporterError."""
    matte_hw = subject.matte_hw
    for specialist in specialists:
        agreed_hw = ask_specialist(specialist, rgba_hwc, matte_hw)
        if agreed_hw is not None:
            matte_hw, network = agreed_hw, specialist
    if second_look:
        matte_hw = look_again(network, rgba_hwc, matte_hw)
    return Found(matte_hw, network.network.name, subject.confidence)


def finder_of(
    settings: FindSettings, *, threads: int = 0, report: Report = silent
) -> Callable[[npt.NDArray[np.uint8]], Found]:
    """Finds as the settings say. Raises ExporterError, also when it is called."""
    key = settings.key
    if key is not None:
        return lambda rgba_hwc: Found(key_matte(rgba_hwc, key), "chroma-key", None)
    finder = Finder(settings, threads=threads, report=report)
    return lambda rgba_hwc: finder(rgba_hwc, second_look=settings.second_look)


class Exported(NamedTuple):
    """A network, its file in the cache, and the one for a wider look where there is to be one."""

    network: Network
    file: Path
    wider: Path | None


def exported_networks(settings: FindSettings, *, report: Report = silent) -> list[Exported]:
    """The networks of a Finder. Raises ExporterError."""
    precision = settings.precision
    return [
        Exported(
            network,
            exported_file(network, precision=precision, local=local, report=report),
            wider_file(network, precision=precision, local=local, report=report)
            if settings.wider_look
            else None,
        )
        for network, local in _chosen(settings.model, settings.spec)
    ]


def _chosen(model: str, spec: Path | None) -> list[tuple[Network, Path | None]]:
    """Each with its file where it need not be fetched: one that finds, others that are asked."""
    if model != _AUTO:
        return [choose_network(model, spec)]
    if spec is not None:
        raise CatalogError(
            f"Expected no specification for {_AUTO!r}, which takes networks of the catalogue, "
            f"received {spec}. Name an ONNX file of your own as the model, or leave it out."
        )
    first, *others = load_networks().values()
    return [(first, None), *((other, None) for other in others if other.agreement is not None)]
