"""ONNX Runtime on this machine's CPU, which computes what ONNX Runtime Web computes.

On x64 processors without VNNI ONNX Runtime adds two products of int8 networks in 16 bits, which
overflow: a matte of U2-Net-P is wrong by 0.9 in places. ONNX Runtime Web does not. So an artefact
would be proven against, and the site's self-test would expect, what no browser answers.
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html#when-and-why-do-i-need-to-try-u8u8
"""

from pathlib import Path

import onnx
import onnxruntime

__all__ = ["open_session"]


def open_session(
    model: onnx.ModelProto | Path, *, threads: int = 0
) -> onnxruntime.InferenceSession:
    """`threads`: 0 for as many as there are cores. Raises whatever ONNX Runtime raises."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )
