"""Live: what is said of a frame, and that anything a browser may send is no mistake."""

import base64
import io
from types import SimpleNamespace

import pytest
from PIL import Image

import fieldguide
from fieldguide.app import live
from tiny_model import write_tiny_model


def frame(colour):
    memory = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(memory, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What is said of a frame."""
    model = fieldguide.load(write_tiny_model(tmp_path / "colours.onnx"))

    def answer(sent):
        state = {"live-model": model, "camera": SimpleNamespace(frame=sent)}
        monkeypatch.setattr(live, "st", SimpleNamespace(session_state=state))
        live._answer_frame("camera")
        return state.get("live-answer")

    return answer


def test_a_frame_is_answered_under_its_number(said):
    found = said({"number": 7, "image": frame((220, 30, 30))})
    assert (found["number"], found["label"]) == (7, "red")
    assert "sure," in found["words"] and 0 < found["share"] <= 1


def test_what_is_none_of_the_classes_is_unknown(said):
    assert said({"number": 1, "image": frame((128, 128, 128))})["label"] == "unknown"


@pytest.mark.parametrize("image", [None, 7, "x", "data:image/jpeg;base64,????", frame((1, 2, 3))[:60]])
def test_a_frame_that_cannot_be_read_is_said_to_be_so(said, image):
    assert said({"number": 2, "image": image})["words"] == "this frame cannot be read"


@pytest.mark.parametrize("sent", [None, [], "x"])
def test_what_is_no_frame_is_passed_over(said, sent):
    assert said(sent) is None
