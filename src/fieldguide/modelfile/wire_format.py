"""A small strict reader of ONNX files: protobuf's wire format, and of ONNX's messages only what is allowed.

The base installation has no onnx package, and a general reader would be the wrong tool: where protobuf
accepts several spellings (a field given twice, an unknown field, a number too large for its type), two
readers may see two different models. This one refuses every such spelling, so it sees what ONNX Runtime sees.

Sources: https://protobuf.dev/programming-guides/encoding/ and onnx.proto of onnx 1.19 (IR version 12).
"""

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

Message = dict[str, Any]
"""A read message: field name → int, float, memoryview, Message, or a list of these for repeated fields."""

MAX_FIELDS = 2_000_000
"""A file of more fields is refused; a network of 1,000 layers has some 30,000."""
MAX_DEPTH = 24
"""Messages within messages. A graph within a graph takes three."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_KINDS = {"int": _VARINT, "enum": _VARINT, "float": _FIXED32, "double": _FIXED64, "bytes": _BYTES}


class Unacceptable(Exception):
    """Content that a model file must not have; the text says what, and `ModelFileError` will say where."""


class Field(NamedTuple):
    """What a message may hold under one number."""

    name: str
    kind: str
    """`int` (64 bits), `enum` (31 bits), `float`, `double`, `bytes`, or the name of a message."""
    repeated: bool = False


# Every message that a model file may hold, by field number. What is missing here is refused by its absence:
# functions, training information, sparse tensors, sequences and maps, external data, device placement.
SCHEMAS: dict[str, dict[int, Field]] = {
    "model": {
        1: Field("ir_version", "int"),
        2: Field("producer_name", "bytes"),
        3: Field("producer_version", "bytes"),
        4: Field("domain", "bytes"),
        5: Field("model_version", "int"),
        6: Field("doc_string", "bytes"),
        7: Field("graph", "graph"),
        8: Field("opset_import", "opset", repeated=True),
        14: Field("metadata_props", "entry", repeated=True),
    },
    "opset": {1: Field("domain", "bytes"), 2: Field("version", "int")},
    "entry": {1: Field("key", "bytes"), 2: Field("value", "bytes")},
    "graph": {
        1: Field("node", "node", repeated=True),
        2: Field("name", "bytes"),
        5: Field("initializer", "tensor", repeated=True),
        10: Field("doc_string", "bytes"),
        11: Field("input", "value_info", repeated=True),
        12: Field("output", "value_info", repeated=True),
        13: Field("value_info", "value_info", repeated=True),
        16: Field("metadata_props", "entry", repeated=True),
    },
    "node": {
        1: Field("input", "bytes", repeated=True),
        2: Field("output", "bytes", repeated=True),
        3: Field("name", "bytes"),
        4: Field("op_type", "bytes"),
        5: Field("attribute", "attribute", repeated=True),
        6: Field("doc_string", "bytes"),
        7: Field("domain", "bytes"),
        9: Field("metadata_props", "entry", repeated=True),
    },
    "attribute": {
        1: Field("name", "bytes"),
        2: Field("f", "float"),
        3: Field("i", "int"),
        4: Field("s", "bytes"),
        5: Field("t", "tensor"),
        6: Field("g", "graph"),
        7: Field("floats", "float", repeated=True),
        8: Field("ints", "int", repeated=True),
        9: Field("strings", "bytes", repeated=True),
        10: Field("tensors", "tensor", repeated=True),
        11: Field("graphs", "graph", repeated=True),
        13: Field("doc_string", "bytes"),
        20: Field("type", "enum"),
    },
    "tensor": {
        1: Field("dims", "int", repeated=True),
        2: Field("data_type", "enum"),
        4: Field("float_data", "float", repeated=True),
        5: Field("int32_data", "int", repeated=True),
        7: Field("int64_data", "int", repeated=True),
        8: Field("name", "bytes"),
        9: Field("raw_data", "bytes"),
        10: Field("double_data", "double", repeated=True),
        11: Field("uint64_data", "int", repeated=True),
        12: Field("doc_string", "bytes"),
        14: Field("data_location", "enum"),
        16: Field("metadata_props", "entry", repeated=True),
    },
    "value_info": {
        1: Field("name", "bytes"),
        2: Field("type", "type"),
        3: Field("doc_string", "bytes"),
        4: Field("metadata_props", "entry", repeated=True),
    },
    "type": {1: Field("tensor_type", "tensor_type"), 6: Field("denotation", "bytes")},
    "tensor_type": {1: Field("elem_type", "enum"), 2: Field("shape", "shape")},
    "shape": {1: Field("dim", "dimension", repeated=True)},
    "dimension": {
        1: Field("dim_value", "int"),
        2: Field("dim_param", "bytes"),
        3: Field("denotation", "bytes"),
    },
}

_REFUSED = {
    ("model", 20): "training information",
    ("model", 25): "functions of its own",
    ("graph", 15): "sparse tensors",
    ("tensor", 6): "tensors of strings",
    ("tensor", 13): "external data (another file to read)",
    ("attribute", 22): "sparse tensors",
    ("attribute", 23): "sparse tensors",
}
"""Known fields that are refused, in words that a person may search for."""


def read_model(content: bytes) -> Message:
    r"""Read an ONNX model without running or unpacking anything.

    Weights are not copied: bytes fields are views of `content`.

    Raises
    ------
    Unacceptable
        If the bytes are no ONNX model, or hold something outside of :data:`SCHEMAS`.

    Examples
    --------
    >>> model = read_model(b"\x08\x08\x12\x05curio")
    >>> model["ir_version"], text_of(model["producer_name"])
    (8, 'curio')
    >>> read_model(b"\x08\x08\x08\x09")  # other readers would take the last
    Traceback (most recent call last):
        ...
    fieldguide.modelfile.wire_format.Unacceptable: the field ir_version stands twice
    """
    return _Reader().message(memoryview(content), "model", 0)


def text_of(name: memoryview | bytes) -> str:
    """A name from the file; bytes that are no UTF-8 are spelled out."""
    return bytes(name).decode("utf-8", "backslashreplace")


def integers(values: list[Any]) -> list[int]:
    r"""The numbers of a repeated `int` field, packed or not.

    Examples
    --------
    >>> integers([1, memoryview(b"\x02\xac\x02")])
    [1, 2, 300]
    """
    numbers: list[int] = []
    for value in values:
        if isinstance(value, int):
            numbers.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            numbers.append(_signed(number))
    return numbers


def fixed(values: list[Any], kind: str) -> bytes:
    """The numbers of a repeated `float` or `double` field as one run of little-endian bytes."""
    code = "<f" if kind == "float" else "<d"
    return b"".join(
        struct.pack(code, value) if isinstance(value, float) else bytes(value) for value in values
    )


@dataclass
class _Reader:
    """Counts what it reads, so that a small file cannot become a large number of Python objects."""

    fields: int = 0

    def message(self, data: memoryview, name: str, depth: int) -> Message:
        if depth > MAX_DEPTH:
            raise Unacceptable(f"graphs are nested too deeply (more than {MAX_DEPTH} messages)")
        schema = SCHEMAS[name]
        message: Message = {field.name: [] for field in schema.values() if field.repeated}
        at = 0
        while at < len(data):
            tag, at = _varint(data, at)
            field = schema.get(tag >> 3)
            if field is None:
                what = _REFUSED.get((name, tag >> 3), f"field {tag >> 3} of {name}, which is not known")
                raise Unacceptable(f"it holds {what}")
            value, at = self._value(data, at, tag & 7, field, depth)
            self._put(message, field, value)
        return message

    def _put(self, message: Message, field: Field, value: Any) -> None:
        self.fields += 1
        if self.fields > MAX_FIELDS:
            raise Unacceptable(f"it has more than {MAX_FIELDS:,} fields")
        if field.repeated:
            message[field.name].append(value)
        elif field.name in message:
            raise Unacceptable(f"the field {field.name} stands twice")
        else:
            message[field.name] = value

    def _value(self, data: memoryview, at: int, wire: int, field: Field, depth: int) -> tuple[Any, int]:
        expected = _KINDS.get(field.kind, _BYTES)
        if wire == _BYTES and (expected == _BYTES or field.repeated):
            length, at = _varint(data, at)
            piece = _piece(data, at, length)
            if field.kind in SCHEMAS:
                return self.message(piece, field.kind, depth + 1), at + length
            _check_packed(piece, expected, field)
            return piece, at + length
        if wire != expected:
            raise Unacceptable(f"the field {field.name} has wire type {wire}, not {expected}")
        if wire == _VARINT:
            number, at = _varint(data, at)
            return _ranged(number, field), at
        code, width = ("<f", 4) if wire == _FIXED32 else ("<d", 8)
        return struct.unpack(code, _piece(data, at, width))[0], at + width


def _check_packed(piece: memoryview, wire: int, field: Field) -> None:
    width = {_FIXED32: 4, _FIXED64: 8}.get(wire, 1)
    if len(piece) % width:
        raise Unacceptable(f"the field {field.name} ends within a number")


def _piece(data: memoryview, at: int, length: int) -> memoryview:
    if length > len(data) - at:
        raise Unacceptable("a field is longer than what holds it")
    return data[at : at + length]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        if at >= len(data):
            raise Unacceptable("it ends within a number")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise Unacceptable("a number has more than 64 bits")


def _ranged(number: int, field: Field) -> int:
    # Other readers cut an enum to 32 bits: 2**32 + 1 would be 1 to them and something else here.
    if field.kind == "enum" and number >= 2**31:
        raise Unacceptable(f"the field {field.name} has the value {number}, which is too large")
    return _signed(number)


def _signed(number: int) -> int:
    if number >= 2**64:
        raise Unacceptable("a number has more than 64 bits")
    return number - 2**64 if number >= 2**63 else number


def with_outputs(content: bytes, names: list[str]) -> bytes:
    """The same model with further outputs: values inside its graph, by name.

    Protobuf merges a field of one message that stands twice, and lists grow by that, so the addition is
    appended and nothing is written anew. :func:`read_model` refuses such a file on purpose; this one is for
    a session in memory, made from a file that was checked.
    """
    outputs = b"".join(
        _length_delimited(12, _length_delimited(1, name.encode("utf-8", "surrogateescape"))) for name in names
    )
    return content + _length_delimited(7, outputs)


def _length_delimited(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    return _spelled(number << 3 | _BYTES) + _spelled(len(content)) + content


def _spelled(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _spelled(rest) if rest else bytes([low])
