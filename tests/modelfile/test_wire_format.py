"""A strict reader of protobuf: one spelling of every model."""

import struct

import onnxruntime
import pytest
from onnx import TensorProto

from fieldguide.errors import ModelFileError
from fieldguide.modelfile import wire_format
from hostile_model import field, graph_with, load, varint
from tiny_model import card, tiny_proto, with_card


def test_a_file_of_too_many_fields_is_refused_early(tmp_path, monkeypatch):
    monkeypatch.setattr(wire_format, "MAX_FIELDS", 5_000)
    with pytest.raises(ModelFileError, match="more than 5,000 fields"):
        load(tmp_path, with_card(tiny_proto(), card()) + field(14, 2, b"") * 5_000)
    entries = field(14, 2, b"") * 5_000
    assert len(wire_format.read_model(entries)["metadata_props"]) == 5_000
    with pytest.raises(wire_format.Unacceptable, match="more than 5,000 fields"):
        wire_format.read_model(entries + field(14, 2, b""))


def nested(graphs):
    """A model of graphs within graphs; each lies three messages deeper than the one around it."""
    graph = b""
    for _ in range(graphs - 1):
        graph = field(1, 2, field(5, 2, field(6, 2, graph)))
    return field(7, 2, graph)


def test_graphs_within_graphs_are_read_to_a_depth():
    deepest = (wire_format.MAX_DEPTH - 1) // 3 + 1
    assert wire_format.read_model(nested(deepest))
    with pytest.raises(wire_format.Unacceptable, match="nested too deeply"):
        wire_format.read_model(nested(deepest + 1))


@pytest.mark.parametrize(("number", "wire", "code", "kind"), [(4, 5, "<f", "float"), (10, 1, "<d", "double")])
def test_fractions_are_read_packed_and_single(number, wire, code, kind):
    one, other = struct.pack(code, 0.5), struct.pack(code, -3)
    for spelled in (field(number, 2, one + other), field(number, wire, one) + field(number, wire, other)):
        model = wire_format.read_model(field(7, 2, field(5, 2, spelled)))
        (tensor,) = model["graph"]["initializer"]
        assert wire_format.fixed(tensor[f"{kind}_data"], kind) == one + other
    with pytest.raises(wire_format.Unacceptable, match=f"the field {kind}_data ends within a number"):
        wire_format.read_model(field(7, 2, field(5, 2, field(number, 2, one + other[:-1]))))


def test_packed_and_single_numbers_read_the_same(tmp_path):
    proto = tiny_proto()
    packed = TensorProto(name="x", data_type=TensorProto.INT64, dims=[2], int64_data=[-5, 2**62])
    single = field(1, 0, varint(2)) + field(2, 0, varint(7)) + field(8, 2, b"y")
    single += field(7, 0, varint(2**64 - 5)) + field(7, 0, varint(2**62))
    proto.graph.initializer.append(packed)
    content = graph_with(proto, field(5, 2, single))
    assert load(tmp_path, content).classes
    tensors = {bytes(t["name"]): t for t in wire_format.read_model(content)["graph"]["initializer"]}
    assert wire_format.integers(tensors[b"x"]["int64_data"]) == [-5, 2**62]
    assert wire_format.integers(tensors[b"y"]["int64_data"]) == [-5, 2**62]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (field(1, 0, varint(8)) * 2, "the field ir_version stands twice"),
        (field(25, 2, b""), "it holds functions of its own"),
        (field(99, 0, varint(1)), "it holds field 99 of model, which is not known"),
        (b"\x12\x7f", "a field is longer than what holds it"),
        (b"\x08\x08\x12\x03ab", "a field is longer than what holds it"),
        (b"\x08\x80", "it ends within a number"),
        (b"\x08" + b"\xff" * 9 + b"\x02", "a number has more than 64 bits"),
        (field(2, 0, varint(1)), "the field producer_name has wire type 0, not 2"),
    ],
)
def test_another_spelling_is_refused_by_name(content, told):
    with pytest.raises(wire_format.Unacceptable, match=told):
        wire_format.read_model(content)


def test_weights_are_views_and_no_copies():
    content = tiny_proto().SerializeToString()
    tensors = wire_format.read_model(content)["graph"]["initializer"]
    assert all(tensor["raw_data"].obj is content for tensor in tensors if tensor["raw_data"])


def test_a_session_gets_further_outputs_that_a_reader_of_files_refuses():
    content = tiny_proto().SerializeToString()
    more = wire_format.with_outputs(content, ["scores"])
    session = onnxruntime.InferenceSession(more, providers=["CPUExecutionProvider"])
    assert "scores" in [output.name for output in session.get_outputs()]
    with pytest.raises(wire_format.Unacceptable, match="the field graph stands twice"):
        wire_format.read_model(more)


def test_negative_numbers_and_names_come_back():
    assert wire_format.integers([memoryview(varint(2**64 - 1))]) == [-1]
    assert wire_format.text_of(b"caf\xe9") == r"caf\xe9"
