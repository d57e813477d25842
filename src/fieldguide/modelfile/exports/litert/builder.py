"""A LiteRT graph (formerly TensorFlow Lite), put together value by value and written as a FlatBuffer.

The schema is the one that the package ai-edge-litert generates from LiteRT's own ``schema.fbs``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Precision = Literal["float32", "float16", "int8"]
"""How large weights are stored."""

IDENTIFIER = b"TFL3"
"""Of every LiteRT file."""
VERSION = 3
"""Of the schema."""
SMALLEST = 1_024
"""Weights of a layer; smaller ones keep their 32 bits."""
LARGEST = 127
_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}


@dataclass
class Graph:
    """A graph under construction."""

    precision: Precision = "float32"
    """Of large weights."""
    rounds: bool = False
    """Whether what passes between layers will be rounded."""
    micro: bool = False
    """Whether only operators of TensorFlow Lite Micro are used."""
    tensors: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])  # the first is empty by convention
    _codes: dict[tuple[int, int], int] = field(default_factory=dict)

    def value(self, name: str, shape: Sequence[int], type_: Any = np.float32) -> int:
        """Add a value that is computed or given; its number."""
        return self._tensor(name, tuple(shape), np.dtype(type_), 0)

    def constant(self, name: str, content: NDArray[Any]) -> int:
        """Add a constant as it is; its number."""
        return self._tensor(name, content.shape, content.dtype, self._buffer(content))

    def weights(self, name: str, content: NDArray[np.float32], axis: int) -> int:
        """Add a layer's weights in the precision of the graph.

        Parameters
        ----------
        name
            Of the value.
        content
            The weights.
        axis
            Of the output channels, each of which gets its own scale where weights are whole numbers.
        """
        if content.size < SMALLEST or self.precision == "float32":
            return self.constant(name, content)
        if self.precision == "float16":
            half = self.constant(f"{name}/half", content.astype(np.float16))
            full = self.value(name, content.shape)
            return self.operator("DEQUANTIZE", [half], full, version=3)
        others = tuple(one for one in range(content.ndim) if one != axis)
        largest = np.abs(content).max(axis=others, keepdims=True)
        scale = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
        number = self.constant(name, np.round(content / scale).astype(np.int8))
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.quantizedDimension = scale.ravel(), axis
        quantization.zeroPoint = np.zeros(scale.size, np.int64)
        self.tensors[number].quantization = quantization
        return number

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        output: int,
        options: Mapping[str, Any] | None = None,
        version: int = 1,
    ) -> int:
        """Add an operator; the number of its output.

        Parameters
        ----------
        kind
            Its name in LiteRT, such as ``CONV_2D``.
        inputs, output
            Numbers of values; -1 is an input that is left out.
        options
            ``table``, the name of its options in the schema, and their values.
        version
            Of the operator.
        """
        made = schema.OperatorT()
        made.opcodeIndex = self._code(getattr(schema.BuiltinOperator, kind), version)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        if options:
            table = str(options["table"])
            made.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            made.builtinOptions = getattr(schema, f"{table}T")()
            for name, value in options.items():
                if name != "table":
                    setattr(made.builtinOptions, name, value)
        self.operators.append(made)
        return output

    def finished(self, inputs: Mapping[str, int], outputs: Mapping[str, int], card: bytes) -> bytes:
        """The whole file.

        Parameters
        ----------
        inputs, outputs
            Names of the signature and their values.
        card
            Kept as the metadata entry ``fieldguide``.
        """
        subgraph = schema.SubGraphT()
        subgraph.name, subgraph.tensors, subgraph.operators = "main", self.tensors, self.operators
        subgraph.inputs = np.array(list(inputs.values()), np.int32)
        subgraph.outputs = np.array(list(outputs.values()), np.int32)
        model = schema.ModelT()
        model.version, model.description, model.subgraphs = VERSION, "fieldguide", [subgraph]
        model.operatorCodes = [_operator_code(*code) for code in self._codes]
        model.metadata = [schema.MetadataT()]
        model.metadata[0].name = "fieldguide"
        model.metadata[0].buffer = self._buffer(np.frombuffer(card, np.uint8))
        model.signatureDefs = [_signature(inputs, outputs)]
        model.buffers = self.buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: tuple[int, ...], type_: np.dtype[Any], buffer: int) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, np.array(shape, np.int32), _TYPES[type_]
        tensor.buffer, tensor.hasRank = buffer, True
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _buffer(self, content: NDArray[Any]) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(content).tobytes(), np.uint8)
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def _code(self, builtin: int, version: int) -> int:
        return self._codes.setdefault((builtin, version), len(self._codes))


def _operator_code(builtin: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = builtin, version
    code.deprecatedBuiltinCode = min(builtin, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    return code


def _signature(inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Any:
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex = "serving_default", 0
    made.inputs = [_named(*one) for one in inputs.items()]
    made.outputs = [_named(*one) for one in outputs.items()]
    return made


def _named(name: str, number: int) -> Any:
    made = schema.TensorMapT()
    made.name, made.tensorIndex = name, number
    return made
