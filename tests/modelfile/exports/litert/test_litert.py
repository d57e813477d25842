"""The whole file for phones: the answers of the model, its card inside, the same bytes every time."""

import json

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the extra litert is not installed")

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import litert
from fieldguide.modelfile.exports.conversion import export
from fieldguide.prediction.predictor import load
from layered_model import write_layered_model

NAMES = ["probabilities", "typicality", "embedding"]


@pytest.fixture
def model(tmp_path):
    return write_layered_model(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("form", "apart"), [("litert", 1e-5), ("litert-float16", 2e-2), ("litert-int8", 0.2)]
)
def test_it_answers_as_the_model(model, tmp_path, form, apart):
    done = export(model, form, tmp_path / "m.tflite")
    whole = load(model)
    size = whole.preprocessing.size
    runner = Interpreter(model_path=str(done.path)).get_signature_runner()
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
        found = runner(pixels=pixels)
        for name, expected in zip(NAMES, vars(whole.run(pixels)).values(), strict=True):
            assert found[name].shape == expected.shape
            assert np.abs(found[name] - expected).max() <= apart * max(1, np.abs(expected).max())


def test_its_card_is_inside_and_beside(model, tmp_path):
    done = export(model, "litert", tmp_path / "m.tflite")
    file = schema.ModelT.InitFromPackedBuf(done.path.read_bytes(), 0)
    (entry,) = file.metadata
    inside = bytes(file.buffers[entry.buffer].data)
    assert entry.name == b"fieldguide"
    assert json.loads(inside) == json.loads(done.beside.read_bytes())
    told = json.loads(inside)
    assert told["exported"] == {"to": "litert", "from": load_model_file(model).digest}
    assert told["classes"] == list(load_model_file(model).classes)
    assert done.path.read_bytes()[4:8] == b"TFL3"


def test_smaller_weights_are_smaller(model, tmp_path):
    forms = [name for name, form in litert.FORMS.items() if not form.micro]
    sizes = [export(model, form, tmp_path / f"{form}.tflite").bytes_after for form in forms]
    assert sizes[0] > 1.6 * sizes[1] and sizes[1] > 1.4 * sizes[2]


def test_the_same_bytes_every_time(model):
    read = load_model_file(model)
    form = litert.FORMS["litert-int8"]
    assert form.convert(read) == form.convert(read)


def test_a_model_that_cannot_be_translated_is_refused_by_name(model, monkeypatch):
    from fieldguide.modelfile.exports.litert import translation

    monkeypatch.delitem(translation.OPERATORS, "Softmax")
    with pytest.raises(
        OptionError, match=r"holds the operator Softmax .*, which is not translated; use --to core"
    ):
        litert.FORMS["litert"].convert(load_model_file(model))


def test_what_was_rounded_before_is_refused_with_the_model_to_give(model, tmp_path):
    export(model, "int8", tmp_path / "small.onnx")
    with pytest.raises(OptionError, match=r"got an export to int8; give the model that it was made from"):
        export(tmp_path / "small.onnx", "litert", tmp_path / "m.tflite")
