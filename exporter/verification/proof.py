"""Runs an artefact on each backend and measures how far it is from its source network."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from exporter.errors import BackendError, VerifyError
from exporter.native import postprocess
from exporter.report import Report, silent
from exporter.sessions import open_session
from exporter.verification.browser import BrowserLab, WebRun
from exporter.verification.golden import Golden
from exporter.verification.subject import Subject, is_lossy
from exporter.verify import Difference, compare, range_of

__all__ = ["NATIVE", "Bounds", "Measurement", "Proof", "bounds_of", "is_matte", "prove"]

FloatArray = npt.NDArray[np.float32]

NATIVE = "native"


@dataclass(frozen=True)
class Bounds:
    """What an artefact may differ by, at most, of a range of 1; the IoU is that of the mattes above
    one half."""

    max: float
    mean: float
    iou: float


#: Half a step of 8 bits anywhere, and a fortieth of one in the mean.
EXACT = Bounds(max=0.002, mean=1e-4, iou=0.99)
#: For int8 and fp16: single pixels on an edge may jump, the matte may not.
LOSSY = Bounds(max=1.0, mean=0.02, iou=0.95)


@dataclass(frozen=True)
class Measurement:
    """One backend: what it returned, and how far that is from the source.

    `race_ms` and `rival_ms` are medians of runs in turn with the subject's rival, 0 where it has
    none. `error` says why there is nothing; all numbers are then infinite, and `iou` is 0.
    """

    backend: str
    difference: Difference
    iou: float
    create_ms: float
    first_ms: float
    warm_ms: float
    outputs: tuple[FloatArray, ...]
    error: str = ""
    race_ms: float = 0.0
    rival_ms: float = 0.0

    def broken(self, bounds: Bounds) -> list[str]:
        """The bounds that it breaks, in words."""
        if self.error:
            return [self.error]
        found = []
        if self.difference.max > bounds.max:
            found.append(f"max difference {self.difference.max:.2g} > {bounds.max:g}")
        if self.difference.mean > bounds.mean:
            found.append(f"mean difference {self.difference.mean:.2g} > {bounds.mean:g}")
        if self.iou < bounds.iou:
            found.append(f"IoU {self.iou:.4f} < {bounds.iou:g}")
        return found


@dataclass(frozen=True)
class Proof:
    """All backends of one artefact. `source` is the network that it was made from, native."""

    subject: Subject
    goldens: tuple[Golden, ...]
    source: Measurement
    measurements: tuple[Measurement, ...]
    bounds: Bounds

    @property
    def holds(self) -> bool:
        return not any(one.broken(self.bounds) for one in self.measurements)


def bounds_of(artefact: onnx.ModelProto) -> Bounds:
    return LOSSY if is_lossy(artefact) else EXACT


def prove(
    subject: Subject,
    goldens: Sequence[Golden],
    backends: Sequence[str],
    *,
    lab: BrowserLab | None = None,
    bounds: Bounds | None = None,
    time_limit_s: float = 300,
    report: Report = silent,
) -> Proof:
    """Measures every backend; `lab` may be None for NATIVE alone.

    A backend that fails is a measurement, a source that cannot be run a VerifyError.
    """
    inputs = [golden.input_nchw for golden in goldens]
    total = 1 + len(backends)
    report(f"Verifying {subject.name}: source", 0, total)
    try:
        source = _run_native(subject.source, inputs, subject.source_input, subject.source_output)
    except BackendError as error:
        raise VerifyError(f"{subject.source_name}: {error}") from error
    measurements = []
    for done, backend in enumerate(backends, start=1):
        report(f"Verifying {subject.name}: {backend}", done, total)
        try:
            run = _run(subject, inputs, backend, lab, time_limit_s)
        except BackendError as error:
            measurements.append(_failed(backend, str(error).removeprefix(f"{backend}: ")))
        else:
            measurements.append(_measure(subject, backend, source.outputs, run))
    report(f"Verified {subject.name}", total, total)
    return Proof(
        subject=subject,
        goldens=tuple(goldens),
        source=_measure(subject, NATIVE, source.outputs, source),
        measurements=tuple(measurements),
        bounds=bounds or bounds_of(subject.artefact),
    )


def _run(
    subject: Subject,
    inputs: list[FloatArray],
    backend: str,
    lab: BrowserLab | None,
    time_limit_s: float,
) -> WebRun:
    if backend == NATIVE:
        return _run_native(subject.artefact, inputs, subject.input.name, subject.output.name)
    assert lab is not None, "a browser's backend wants a browser"
    return lab.run(
        backend,
        subject.artefact.SerializeToString(),
        inputs,
        input_name=subject.input.name,
        output_name=subject.output.name,
        time_limit_s=time_limit_s,
        rival=subject.rival.SerializeToString() if subject.rival else b"",
    )


def _run_native(
    model: onnx.ModelProto, inputs: list[FloatArray], input_name: str, output_name: str
) -> WebRun:
    outputs, runs_ms = [], []
    try:
        start_s = time.perf_counter()
        session = open_session(model)
        create_ms = 1000 * (time.perf_counter() - start_s)
        for input_nchw in inputs:
            start_s = time.perf_counter()
            (output,) = session.run([output_name], {input_name: input_nchw})
            runs_ms.append(1000 * (time.perf_counter() - start_s))
            outputs.append(np.asarray(output, np.float32))
    # ONNX Runtime's errors have no common base of their own.
    except Exception as error:
        raise BackendError(
            f"{NATIVE}: Expected a network that ONNX Runtime runs: {error}"
        ) from error
    return WebRun(outputs, create_ms, runs_ms)


def _measure(
    subject: Subject, backend: str, expected: list[FloatArray], run: WebRun
) -> Measurement:
    difference = compare(expected, run.outputs) / range_of(expected, subject.output)
    same_shape = np.isfinite(difference.max)
    pairs = zip(expected, run.outputs, strict=True)
    ious = [_iou(one, other, subject) for one, other in pairs] if same_shape else [0.0]
    return Measurement(
        backend=backend,
        difference=difference,
        iou=min(ious),
        create_ms=run.create_ms,
        first_ms=run.runs_ms[0],
        # The first run compiles what it needs.
        warm_ms=float(np.median(run.runs_ms[1:] or run.runs_ms)),
        outputs=tuple(run.outputs),
        race_ms=float(np.median(run.race_ms or [0])),
        rival_ms=float(np.median(run.rival_ms or [0])),
    )


def _iou(expected: FloatArray, received: FloatArray, subject: Subject) -> float:
    """Of the two mattes where they are above one half; 1 where neither has anything there."""
    first, second = (_is_subject(output, subject) for output in (expected, received))
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 1.0


def _is_subject(output: FloatArray, subject: Subject) -> npt.NDArray[np.bool_]:
    values: npt.NDArray[Any] = output
    if is_matte(output):
        values = postprocess(output, subject.output)
    return values > 0.5


def is_matte(output: FloatArray) -> bool:
    """Whether it is one picture of one channel."""
    return output.ndim >= 2 and output.size == output.shape[-1] * output.shape[-2]


def _failed(backend: str, error: str) -> Measurement:
    nothing = Difference(max=np.inf, mean=np.inf)
    return Measurement(backend, nothing, 0.0, np.inf, np.inf, np.inf, (), error)
