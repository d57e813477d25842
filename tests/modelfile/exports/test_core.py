"""The part of fixed size: the same answers, one input, nothing of the preprocessing left."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import load_model_file, seal
from fieldguide.modelfile.exports import core
from fieldguide.modelfile.exports.conversion import export
from fieldguide.prediction.predictor import load
from layered_model import layered
from tiny_model import card, with_card


def test_its_answers_are_those_of_the_model(model, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    whole = load(model)
    size = whole.preprocessing.size
    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(done.path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert names == ["probabilities", "typicality", "embedding"]
    found, expected = session.run(None, {"pixels": pixels}), vars(whole.run(pixels)).values()
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(own, other)


def test_nothing_of_what_other_runtimes_refuse_is_left(model, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    proto = onnx.load(done.path)
    assert not {node.op_type for node in proto.graph.node} & {"If", "Loop", "Scan", "Range", "Shape"}
    kinds = {tensor.data_type for tensor in proto.graph.initializer}
    assert onnx.TensorProto.DOUBLE not in kinds
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 18)]
    (given,) = proto.graph.input
    sides = [side.dim_value for side in given.type.tensor_type.shape.dim]
    assert (given.name, sides[1:]) == ("pixels", [load_model_file(model).preprocessing.size] * 2 + [3])


def test_its_card_lies_beside_it(model, tmp_path):
    done = export(model, "core", tmp_path / "core.onnx")
    assert done.beside == tmp_path / "core.json"
    told, read = json.loads(done.beside.read_bytes()), load_model_file(model)
    assert told["classes"] == list(read.classes)
    assert told["exported"] == {"to": "core", "from": read.digest}
    assert told["thresholds"] == read.card["thresholds"]
    assert "contents" not in told["data"]


def test_names_that_are_no_utf8_are_kept(model, tmp_path):
    names = ("caf\udce9", "ä", "tea")
    model.write_bytes(seal(with_card(layered()[0], json.dumps(card(classes=names)))))
    done = export(model, "core", tmp_path / "core.onnx")
    assert tuple(json.loads(done.beside.read_bytes())["classes"]) == names


def test_the_same_model_gives_the_same_bytes(model):
    read = load_model_file(model)
    assert core.convert(read) == core.convert(read)
    assert core.beside(read) == core.beside(read)


def test_a_graph_without_a_part_of_its_own_is_refused(model):
    proto = onnx.load(model)
    for node in proto.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                names[place] = "squares" if name == "pixels" else name
    read = load_model_file(model)
    other = type(read)(**{**vars(read), "content": proto.SerializeToString()})
    with pytest.raises(OptionError, match="to core: must hold its preprocessing as a part of its own"):
        core.convert(other)
