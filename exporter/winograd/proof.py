"""Proves a plan: what a browser computes with it against what ONNX Runtime computes natively."""

import hashlib
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx

from exporter.catalog import Network
from exporter.errors import PassError, SiteError
from exporter.nodejs import find_node
from exporter.origins import cache_folder
from exporter.verify import FloatArray, compare, run_network, sample_inputs
from exporter.winograd.kernel import compile_kernels
from exporter.winograd.weights import in_floats

__all__ = ["MAX_DIFFERENCE", "MEAN_DIFFERENCE", "check_plan", "check_plan_once", "run_plan"]

# Minimal filtering adds other numbers than the convolution that it equals: its rounding errors are
# some times larger, and still a twentieth of what 8 bits can show.
MAX_DIFFERENCE = 2e-4
MEAN_DIFFERENCE = 1e-5
# Of a file in int8, what its rounding changes: from a thousandth to half a hundredth in ours. With
# more it may be something else; ONNX Runtime runs the file then.
_MEAN_ROUNDING = 0.01

_EXPORTER = Path(__file__).resolve().parent.parent
_RUNNER = _EXPORTER / "node" / "run-plan.mjs"
#: What a proof is made of, beside the kernel, the plan and the network's files.
_SOURCES = (
    *(_RUNNER, Path(__file__), Path(__file__).with_name("weights.py")),
    *(_EXPORTER / "verify.py", _EXPORTER / "sessions.py"),
    _EXPORTER.parent / "web" / "js" / "pipeline" / "winograd.js",
)


def check_plan_once(
    plan: bytes, file: bytes, network: Network, *, small: bytes | None = None
) -> None:
    """`check_plan`, unless it has passed before with the same plan, files, kernel and code: a proof
    takes two seconds, more than all else of a site that is built again."""
    proven = cache_folder() / "proven" / _key(plan, file, network, small)
    if proven.exists():
        return
    check_plan(plan, file, network, small=small)
    proven.parent.mkdir(parents=True, exist_ok=True)
    proven.touch()


def _key(plan: bytes, file: bytes, network: Network, small: bytes | None) -> str:
    parts = [compile_kernels()["winograd"], plan, file, small or b"", repr(network).encode()]
    parts += [path.read_bytes() for path in _SOURCES]
    parts.append(f"onnxruntime {version('onnxruntime')}".encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def check_plan(plan: bytes, file: bytes, network: Network, *, small: bytes | None = None) -> None:
    """Raises PassError where the two differ by more than rounding errors. A file in int8 is
    compared as it is in float, and with what it is itself, from which rounding takes it.

    With `small`, the file of the smaller `network` that the plan was made for, too, that is proven.
    """
    inputs = sample_inputs(network.input)
    received = run_plan(plan, file, inputs, is_small=small is not None)
    rounded = onnx.ModelProto.FromString(small or file)
    exact = in_floats(rounded).model
    for model, most, mean in (
        (exact, MAX_DIFFERENCE, MEAN_DIFFERENCE),
        (rounded, 1, _MEAN_ROUNDING),
    ):
        expected = run_network(model, network, inputs)
        pairs = zip(expected, received, strict=True)
        difference = compare([one.reshape(other.shape) for one, other in pairs], received)
        if difference.max > most or difference.mean > mean:
            raise PassError(
                f"winograd: Expected the output of {network.name} within {most:g} at most, "
                f"{mean:g} in the mean; received differences of {difference.max:.3g} and "
                f"{difference.mean:.3g}. The plan is wrong for this network."
            )


def run_plan(
    plan: bytes, file: bytes, inputs: list[FloatArray], *, is_small: bool = False
) -> list[FloatArray]:
    """A (height, width) output of each (1, 3, height, width), by Node. Raises SiteError."""
    with tempfile.TemporaryDirectory() as folder:
        kernel, plan_path, model, input_path, output = (
            Path(folder, name) for name in ("kernel.wasm", "plan", "model.onnx", "input", "output")
        )
        kernel.write_bytes(compile_kernels()["winograd"])
        plan_path.write_bytes(plan)
        model.write_bytes(file)
        input_path.write_bytes(b"".join(one.astype("<f4").tobytes() for one in inputs))
        try:
            subprocess.run(
                [
                    *(find_node(), _RUNNER, kernel, plan_path, model, input_path, output),
                    "small" if is_small else "whole",
                ],
                check=True,
                capture_output=True,
                text=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise SiteError(f"winograd: Expected Node to run a plan: {said.strip()}") from error
        outputs = np.fromfile(output, "<f4")
    size = inputs[0].shape[-2:]
    return list(outputs.reshape(len(inputs), *size))
