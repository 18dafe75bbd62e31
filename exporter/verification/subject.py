"""What is verified: an artefact, the network that it was made from, and how both are fed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from exporter.catalog import InputSpec, Network, OutputSpec
from exporter.errors import VerifyError
from exporter.passes import input_size
from exporter.source import into_one_file, weights_outside

__all__ = ["Subject", "is_lossy", "is_quantised", "read_model", "subject_of"]

#: Pictures of networks that no catalog describes: any scaling serves, as both files get the same.
_MEAN = _STD = (0.5, 0.5, 0.5)
_QUANTISED_OPERATORS = frozenset({"DequantizeLinear", "QLinearConv", "QuantizeLinear"})
_LOSSY_TYPES = frozenset({onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


@dataclass(frozen=True)
class Subject:
    """`output` names a value of the artefact, `source_output` the same one of the source. `rival`,
    which takes and gives the same as the artefact, is another that its speed is compared with."""

    name: str
    artefact: onnx.ModelProto
    source: onnx.ModelProto
    source_name: str
    input: InputSpec
    source_input: str
    output: OutputSpec
    source_output: str
    rival: onnx.ModelProto | None = None
    rival_name: str = ""


def subject_of(
    name: str,
    artefact: onnx.ModelProto,
    source: onnx.ModelProto | None = None,
    *,
    source_name: str = "itself, native",
    network: Network | None = None,
    size: tuple[int, int] | None = None,
) -> Subject:
    """Puts an artefact beside its source, or beside itself where there is none.

    `network` tells the preprocessing, `size` (height, width) the size of inputs that leave it open.
    Raises VerifyError.
    """
    source = artefact if source is None else source
    given = _only_input(artefact, name)
    height, width = _size_of(given, name, size)
    if any(not d.dim_value for d in given.type.tensor_type.shape.dim[2:]):
        artefact = input_size.apply(artefact, name=given.name, height=height, width=width)
    source_input = _only_input(source, source_name).name
    source = input_size.apply(source, name=source_input, height=height, width=width)
    outputs = [value.name for value in artefact.graph.output]
    source_outputs = [value.name for value in source.graph.output]
    wanted = network.output.name if network and network.output.name in outputs else outputs[0]
    return Subject(
        name=name,
        artefact=artefact,
        source=source,
        source_name=source_name,
        input=InputSpec(
            name=given.name,
            height=height,
            width=width,
            scale=network.input.scale if network else "unit",
            mean=network.input.mean if network else _MEAN,
            std=network.input.std if network else _STD,
        ),
        source_input=source_input,
        output=OutputSpec(name=wanted, normalise=network.output.normalise if network else "none"),
        source_output=wanted if wanted in source_outputs else source_outputs[0],
    )


def read_model(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path, load_external_data=False)
        if outside := weights_outside(model):
            raise VerifyError(
                f"{path}: Expected an ONNX file with its weights inside, received one that has "
                f"them in {outside}. {into_one_file(path)}"
            )
        onnx.checker.check_model(model)
    except (OSError, DecodeError, onnx.checker.ValidationError) as error:
        raise VerifyError(f"{path}: Expected an ONNX file: {error}") from error
    return model


def is_lossy(model: onnx.ModelProto) -> bool:
    """Whether it computes with fewer than 32 bits, and so cannot be equal to its source."""
    return is_quantised(model) or any(
        tensor.data_type in _LOSSY_TYPES for tensor in model.graph.initializer
    )


def is_quantised(model: onnx.ModelProto) -> bool:
    """Whether it computes with integers, which only WASM has the operators for."""
    return any(node.op_type in _QUANTISED_OPERATORS for node in model.graph.node)


def _only_input(model: onnx.ModelProto, name: str) -> onnx.ValueInfoProto:
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != 4:
        raise VerifyError(
            f"{name}: Expected one input of four axes (1, 3, height, width), received "
            f"{', '.join(map(_signature, inputs)) or 'none'}."
        )
    if inputs[0].type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
        raise VerifyError(
            f"{name}: Expected a float32 input, received {_signature(inputs[0])}. "
            "Convert the network with its inputs and outputs kept in float32."
        )
    return inputs[0]


def _size_of(
    value: onnx.ValueInfoProto, name: str, size: tuple[int, int] | None
) -> tuple[int, int]:
    height, width = (d.dim_value for d in value.type.tensor_type.shape.dim[2:])
    if size is None and not (height and width):
        raise VerifyError(
            f"{name}: Expected an input of a fixed size, received {_signature(value)}. "
            "Choose one with --size."
        )
    if size is None:
        return height, width
    if any(known not in (0, wanted) for known, wanted in zip((height, width), size, strict=True)):
        raise VerifyError(
            f"{name}: Expected an input that can be {size[0]}x{size[1]}, received "
            f"{_signature(value)}. Leave out --size, or export the network for that size."
        )
    return size


def _signature(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    kinds: Mapping[int, str] = {v: k.lower() for k, v in onnx.TensorProto.DataType.items()}
    sizes = ", ".join(str(d.dim_value or d.dim_param or "?") for d in tensor.shape.dim)
    return f"{value.name!r} {kinds[tensor.elem_type]} ({sizes})"
