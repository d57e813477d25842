"""Whole numbers all through a network: near the model's answers, in one FlatBuffer, the same every time."""

import json
import os

import numpy as np
import pytest

pytest.importorskip("ai_edge_quantizer", reason="the extra litert is not installed")

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports.litert import FORMS
from fieldguide.modelfile.exports.litert.rounding import _silent
from fieldguide.prediction.predictor import load
from layered_model import write_layered_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_layered_model(tmp_path_factory.mktemp("model") / "model.onnx")


@pytest.fixture(scope="module")
def squares(model):
    size = load(model).preprocessing.size
    return list(np.random.default_rng(0).integers(0, 256, (12, size, size, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", ["litert-int8", "litert-micro"])
def test_it_answers_nearly_as_the_model(model, squares, form):
    content = FORMS[form].rounded(load_model_file(model), squares[:8])
    runner = Interpreter(model_content=content).get_signature_runner()
    for square in squares[8:]:
        given = (square.astype(np.int16) - 128).astype(np.int8) if form == "litert-micro" else square
        found = runner(pixels=given[None])
        expected = load(model).run(square[None])
        assert np.abs(found["probabilities"] - expected.probabilities).max() < 0.05
        assert found["typicality"].dtype == np.float32


def test_layers_give_whole_numbers_and_the_classifier_keeps_its_bits(model, squares):
    content = FORMS["litert-micro"].rounded(load_model_file(model), squares)
    tensors = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0].tensors
    types = {bytes(one.name).decode(): one.type for one in tensors}
    assert {types[name] for name in ("pixels", "a", "b", "c")} == {schema.TensorType.INT8}
    assert types["probabilities"] == types["typicality"] == schema.TensorType.FLOAT32
    (pixels,) = (one for one in tensors if one.name == b"pixels")
    assert pixels.quantization.scale.tolist() == [1.0] and pixels.quantization.zeroPoint.tolist() == [-128]


def test_weights_lie_inside_the_flatbuffer_where_small_boards_look(model, squares):
    content = FORMS["litert-micro"].rounded(load_model_file(model), squares)
    assert not any(buffer.offset for buffer in schema.ModelT.InitFromPackedBuf(content, 0).buffers)


def test_its_card_is_inside_and_says_what_pixels_are(model, squares):
    content = FORMS["litert-micro"].rounded(load_model_file(model), squares)
    file = schema.ModelT.InitFromPackedBuf(content, 0)
    (entry,) = (one for one in file.metadata if one.name == b"fieldguide")
    exported = json.loads(bytes(file.buffers[entry.buffer].data))["exported"]
    assert exported["to"] == "litert-micro" and exported["pixels"] == "int8: the number of each less 128"


def test_the_same_bytes_every_time_and_not_a_word(model, squares, capfd):
    read = load_model_file(model)
    assert FORMS["litert-int8"].rounded(read, squares) == FORMS["litert-int8"].rounded(read, squares)
    said = capfd.readouterr()
    assert said.out == "" and "uantiz" not in said.err and "Running" not in said.err


def test_small_boards_need_photos(model):
    with pytest.raises(OptionError, match="give --calibrate DATA"):
        FORMS["litert-micro"].convert(load_model_file(model))


def test_what_libraries_say_by_themselves_stays_off_the_terminal(capfd):
    with _silent():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
    assert capfd.readouterr().err == ""
