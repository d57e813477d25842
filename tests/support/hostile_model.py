"""What changes the tiny model as an attacker would, and its bytes in protobuf's wire format."""

import numpy as np
import onnx
from onnx import numpy_helper

from fieldguide.modelfile.artifact import load_model_file, seal
from tiny_model import card, with_card


def load(tmp_path, proto_or_bytes):
    """Seal a model, as an attacker would, and load it."""
    content = proto_or_bytes
    if isinstance(content, onnx.ModelProto):
        content = with_card(content, card())
    path = tmp_path / "model.onnx"
    path.write_bytes(seal(content))
    return load_model_file(path)


def constant(proto, name, values):
    """Add a tensor to the graph."""
    proto.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))


def field(number, wire, payload):
    """One field in protobuf's wire format."""
    return varint(number << 3 | wire) + (varint(len(payload)) + payload if wire == 2 else payload)


def varint(number):
    """A number in groups of seven bits."""
    pieces = []
    while number > 0x7F:
        pieces.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*pieces, number])


def graph_with(proto, more):
    """Metadata and a graph that ends with other fields; the graph must be the only one."""
    graph = proto.graph.SerializeToString() + more
    proto.ClearField("graph")
    return with_card(proto, card()) + field(7, 2, graph)
