"""Model files in other forms: smaller, nearly the same answers, and still model files."""

import json

import pytest

from fieldguide.errors import ModelFileError, OptionError, OutputError
from fieldguide.modelfile.artifact import load_model_file, seal
from fieldguide.modelfile.exports import int8
from fieldguide.modelfile.exports.conversion import export
from layered_model import WIDTH, layered
from tiny_model import card, with_card


def test_the_file_is_smaller_and_the_model_stays(model, tmp_path):
    content = model.read_bytes()
    done = export(model, "int8", tmp_path / "small.onnx")
    assert model.read_bytes() == content
    assert (done.bytes_before, done.bytes_after) == (len(content), done.path.stat().st_size)
    assert len(content) - done.bytes_after > 4 * WIDTH * (WIDTH * 3 - 40)


def test_the_card_says_what_it_came_from(model, tmp_path):
    export(model, "int8", tmp_path / "small.onnx")
    before, after = load_model_file(model), load_model_file(tmp_path / "small.onnx")
    assert after.card["exported"] == {"to": "int8", "from": before.digest}
    assert after.card["choices"][:-1] == before.card["choices"]
    assert "weights of 4 layers rounded to 8 bits" in after.card["choices"][-1]
    same = {key: value for key, value in after.card.items() if key not in ("exported", "choices")}
    assert same == {key: value for key, value in before.card.items() if key != "choices"}


def test_names_that_are_no_utf8_are_kept(model, tmp_path):
    content = json.dumps(card(classes=("caf\udce9", "ä", "tea")))
    model.write_bytes(seal(with_card(layered()[0], content)))
    export(model, "int8", tmp_path / "small.onnx")
    assert load_model_file(tmp_path / "small.onnx").classes == ("caf\udce9", "ä", "tea")


def test_the_same_model_gives_the_same_bytes(model):
    read = load_model_file(model)
    assert int8.convert(read) == int8.convert(read)


def test_mistakes_are_told(model, tmp_path):
    with pytest.raises(OptionError, match=r"to: must be one of int8, core, litert, .*; got 'float8'"):
        export(model, "float8", tmp_path / "small.onnx")
    with pytest.raises(OutputError, match="is the model itself"):
        export(model, "int8", model)
    (tmp_path / "bad.onnx").write_bytes(b"\x80\x04")
    with pytest.raises(ModelFileError, match="pickle"):
        export(tmp_path / "bad.onnx", "int8", tmp_path / "small.onnx")
    assert load_model_file(model).classes
