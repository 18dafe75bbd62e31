"""Rewrites the graph for a newer version of the ONNX operators.

    opset 11, IR 6   ──>   opset 17, IR 8

Before opset 11 Resize had one rule, which the converter forgets: sizes are measured from the corner
of the first pixel, and the nearest pixel is the one before.

17 is old enough for every execution provider of ONNX Runtime Web 1.30 and new enough for the
quantisation tools. 18 would change Resize and Split for nothing that these networks use.
"""

import onnx
from onnx import version_converter

from exporter.errors import PassError
from exporter.passes.graph import copy_of, drop

__all__ = ["OPSET", "apply"]

OPSET = 17
_RULES_OF_RESIZE = 11


def apply(model: onnx.ModelProto) -> onnx.ModelProto:
    """Raises PassError for operators outside ONNX and where a rewrite does not exist."""
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    if set(versions) != {"ai.onnx"}:
        raise PassError(
            f"raise_opset: Expected operators of ai.onnx only, received {', '.join(versions)}."
        )
    if versions["ai.onnx"] > OPSET:
        raise PassError(
            f"raise_opset: Expected opset {OPSET} or older, received {versions['ai.onnx']}. "
            f"Export the network for opset {OPSET}."
        )
    if versions["ai.onnx"] == OPSET:
        raised = copy_of(model)
    else:
        try:
            raised = version_converter.convert_version(model, OPSET)
        except (RuntimeError, version_converter.ConvertError) as error:
            raise PassError(f"raise_opset: Expected a rewrite to opset {OPSET}: {error}") from error
        if versions["ai.onnx"] < _RULES_OF_RESIZE:
            _keep_rule_of_resize(raised.graph)
    # The converter leaves the IR version behind, and readers may refuse the pair.
    minimum = onnx.helper.find_min_ir_version_for(raised.opset_import)
    raised.ir_version = max(raised.ir_version, minimum)
    return raised


def _keep_rule_of_resize(graph: onnx.GraphProto) -> None:
    rule = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    for node in graph.node:
        if node.op_type == "Resize":
            drop(node.attribute, lambda one: one.name in rule)
            node.attribute.extend(onnx.helper.make_attribute(*one) for one in rule.items())
