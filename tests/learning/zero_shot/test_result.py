"""What comes of ``zero-shot``, as JSON and as a model."""

import json
from pathlib import Path

from fieldguide.errors import Refusal
from fieldguide.learning.zero_shot.result import ZeroShotResult
from tiny_model import write_tiny_model

CARD = {
    "backbone": {"name": "colours"},
    "classes": ["ash", "oak"],
    "prompts": ["a photo of a ash", "a photo of a oak"],
    "data": {"images": 3},
    "choices": ["compared with texts"],
    "limits": ["never unknown"],
}


def result_of(out):
    refused = (Refusal("b.jpg", "empty", "the file holds no bytes"),)
    return ZeroShotResult(out, CARD, None, refused, ("2 files skipped",))


def test_json_holds_what_was_made_and_what_was_not_measured():
    answer = json.loads(json.dumps(result_of(Path("m.onnx")).as_dict()))
    assert answer["model"] == "m.onnx" and answer["validation"] is None
    assert answer["images"] == {"used": 3, "refused": 1} and answer["refused"][0]["code"] == "empty"
    assert answer["limits"] == ["never unknown"] and answer["notes"] == ["2 files skipped"]


def test_the_model_is_loaded_from_its_file(tmp_path):
    write_tiny_model(tmp_path / "m.onnx")
    result = result_of(tmp_path / "m.onnx")
    assert result.model is result.model and len(result.model.classes) > 1
