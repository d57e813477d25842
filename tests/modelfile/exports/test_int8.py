"""Weights of 8 bits: rounded by channel, nearly the same answers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import fieldguide
from fieldguide.errors import ModelFileError, OptionError
from fieldguide.modelfile.artifact import load_model_file, seal
from fieldguide.modelfile.exports import int8
from fieldguide.modelfile.exports.conversion import export
from layered_model import layered
from tiny_model import card, tiny_proto, with_card, write_tiny_model


def initializers(path):
    return {tensor.name: tensor for tensor in onnx.load_model(path).graph.initializer}


def photos(count=6):
    random = np.random.default_rng(1)
    return [random.integers(0, 256, (20, 24, 3), dtype=np.uint8) for _ in range(count)]


def test_large_layers_are_rounded_by_channel_and_all_else_is_kept(model, tmp_path):
    done = export(model, "int8", tmp_path / "small.onnx")
    _, tensors = layered()
    kept, found = initializers(done.path), {"wide", "matrix", "turned", "plain"}
    assert {name.removesuffix("/int8") for name in kept if name.endswith("/int8")} == found
    for name, values in tensors.items():
        if name not in found:
            np.testing.assert_array_equal(numpy_helper.to_array(kept[name]), values)
            continue
        numbers, scales = (numpy_helper.to_array(kept[f"{name}/{part}"]) for part in ("int8", "scale"))
        assert numbers.dtype == np.int8
        axis = 1 if name in ("matrix", "plain") else 0
        along = scales.reshape([-1 if side == axis else 1 for side in range(values.ndim)])
        assert (np.abs(numbers * along - values) <= along * 0.5001).all()
        assert (np.abs(numbers).max(tuple(side for side in range(values.ndim) if side != axis)) == 127).all()


def test_answers_are_nearly_the_same(model, tmp_path):
    export(model, "int8", tmp_path / "small.onnx")
    known, got = (_embeddings(tmp_path / name) for name in ("model.onnx", "small.onnx"))
    apart = np.linalg.norm(got - known, axis=1) / np.linalg.norm(known, axis=1)
    assert 0 < apart.max() < 0.02
    before, after = (fieldguide.load(tmp_path / name) for name in ("model.onnx", "small.onnx"))
    first, second = before.predict(photos()), after.predict(photos())
    assert [answer.label for answer in first] == [answer.label for answer in second]


def _embeddings(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["embedding"], {"image": photo[None]})[0] for photo in photos()])


def test_a_channel_of_zeros_stays_zero():
    weights = np.zeros((2, 3), dtype=np.float32)
    weights[1] = 1, -2, 0.5
    numbers, scales = int8._rounded(weights, 0)
    assert numbers.tolist() == [[0, 0, 0], [64, -127, 32]]
    assert scales[0] == 1


def test_what_has_nothing_to_shrink_is_told(model, tmp_path):
    export(model, "int8", tmp_path / "small.onnx")
    for path in (write_tiny_model(tmp_path / "tiny.onnx"), tmp_path / "small.onnx"):
        with pytest.raises(OptionError, match=r"at least 16,384 weights of 32 bits.*use the file as it is"):
            export(path, "int8", tmp_path / "again.onnx")
    assert not (tmp_path / "again.onnx").exists()


def test_weights_that_two_layers_share_are_left(model, tmp_path):
    proto, _ = layered()
    node = next(node for node in proto.graph.node if "plain" in node.input)
    node.input[1] = "matrix"
    proto.graph.initializer.remove(next(t for t in proto.graph.initializer if t.name == "plain"))
    model.write_bytes(seal(with_card(proto, card())))
    export(model, "int8", tmp_path / "small.onnx")
    assert "matrix" in initializers(tmp_path / "small.onnx")


def test_numbers_restored_from_8_bits_may_not_be_made_without_end(tmp_path):
    """What a file states to be restored counts as large as its first operand, and no larger."""
    proto = tiny_proto()
    for name, values in (("n", np.ones((9000, 9000), np.int8)), ("s", np.ones(9000, np.float32))):
        proto.graph.initializer.append(numpy_helper.from_array(values, name))
    proto.graph.node.insert(0, helper.make_node("DequantizeLinear", ["n", "s"], ["restored"], axis=0))
    path = tmp_path / "model.onnx"
    path.write_bytes(seal(with_card(proto, card())))
    assert load_model_file(path).classes  # 81 million elements of at most 134 million
    proto.graph.node.insert(1, helper.make_node("Mul", ["restored", "restored"], ["squared"]))
    path.write_bytes(seal(with_card(proto, card())))
    with pytest.raises(ModelFileError, match="Mul would make"):
        load_model_file(path)
