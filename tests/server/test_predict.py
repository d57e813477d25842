"""Images in, predictions out."""

import base64
import json

import httpx

import fieldguide
from server_made import BLUE, GREEN, RED, photo, running
from tiny_model import CLASSES, write_tiny_model


def as_json(*images):
    return {"images": [base64.b64encode(image).decode() for image in images]}


def test_files_and_base64_are_answered_like_the_python_call(server, colours):
    images = [photo(RED), photo(GREEN, "PNG"), photo(BLUE, "WEBP")]
    expected = [row.as_row() for row in fieldguide.load(colours).predict(images)]
    for row in expected:
        del row["path"]
    by_form = server.predict(*images)
    by_json = httpx.post(f"{server.url}/v1/models/colours:predict", json=as_json(*images))
    assert by_form.status_code == by_json.status_code == 200
    assert by_form.json() == by_json.json()
    assert by_form.json()["predictions"] == expected
    assert [row["label"] for row in expected] == ["red", "green", "blue"]
    version = fieldguide.load(colours).digest[:16]
    assert by_form.json()["model"] == {"name": "colours", "version": version}


def test_top_lists_as_many_classes_as_asked_for(server):
    for top in (0, 1, 3, 1000):
        answer = server.predict(photo(RED), params={"top": top}).json()["predictions"][0]
        assert len(answer["top"]) == min(top, len(CLASSES))


def test_an_unreadable_image_stops_no_other(server):
    rows = server.predict(photo(RED), b"<html>", photo(BLUE)[:-200], b"", photo(BLUE)).json()["predictions"]
    assert [row["label"] for row in rows] == ["red", None, None, None, "blue"]
    codes = [row["error"] and row["error"]["code"] for row in rows]
    assert codes == [None, "not_an_image", "truncated", "empty", None]
    assert rows[1]["top"] == rows[1]["set"] == []


def test_class_names_that_are_no_text_are_answered(tmp_path):
    path = write_tiny_model(tmp_path / "colours.onnx", classes=["r\udcff\n", "<b>", "blå"])
    with running(path) as server:
        answer = server.predict(photo(RED), photo(GREEN))
        assert answer.content.isascii()
        assert [row["label"] for row in json.loads(answer.text)["predictions"]] == ["r\udcff\n", "<b>"]
