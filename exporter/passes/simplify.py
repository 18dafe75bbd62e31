"""Computes with onnxsim what does not depend on the picture.

x ──> Shape ──> Gather ──> Concat ──> sizes        constant ──> sizes
                                        │      ──>                │
y ──────────────────────────────────> Resize       y ────────> Resize
"""

import onnx

from exporter.errors import PassError

__all__ = ["apply"]


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError where onnxsim cannot read the graph."""
    # Takes a second, which nobody should wait for whose network has been exported already.
    import onnxsim

    try:
        # Our own check runs on photographs; onnxsim's would run on noise.
        simplified, _ = onnxsim.simplify(model, check_n=0, certify=False)
    except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
        raise PassError(f"simplify: Expected a graph that onnxsim can read: {error}") from error
    assert isinstance(simplified, onnx.ModelProto)
    # onnxsim's log of what it removed is no part of the network.
    del simplified.metadata_props[:]
    return simplified
