"""A model of tags behind HTTP, in both protocols."""

import base64
import json

import httpx
import pytest

import fieldguide
from server_made import BLUE, RED, photo, running
from tiny_model import tiny_tag_model


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "colours.onnx"
    path.write_bytes(tiny_tag_model())
    return path


@pytest.fixture(scope="module")
def server(path):
    with running(path) as server:
        yield server


def test_tags_are_answered_like_the_python_call(server, path):
    images = [photo(RED), photo((240, 240, 20)), photo((9, 9, 9))]
    expected = [row.as_row() for row in fieldguide.load(path).predict(images)]
    rows = server.predict(*images).json()["predictions"]
    for row in expected:
        del row["path"]
    assert rows == expected
    assert [row["labels"] for row in rows] == [["red"], ["red", "green"], []]


def test_an_unreadable_image_has_no_tags(server):
    rows = server.predict(photo(BLUE), b"<html>").json()["predictions"]
    assert rows[1]["labels"] == []
    assert rows[1]["answer"] == "refused"


def test_the_document_knows_the_tags(server):
    row = httpx.get(f"{server.url}/openapi.json").json()["components"]["schemas"]["PredictionRow"]
    assert "labels" in row["properties"]


def test_the_inference_protocol_says_the_thresholds(server):
    metadata = httpx.get(f"{server.url}/v2/models/colours").json()
    parameters = metadata["parameters"]
    assert parameters["task"] == "multiple"
    assert json.loads(parameters["tags"]) == ["red", "green", "blue"]
    data = [base64.b64encode(photo((240, 240, 20))).decode()]
    body = {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": data}]}
    outputs = httpx.post(f"{server.url}/v2/models/colours/infer", json=body).json()["outputs"]
    probabilities = next(one["data"] for one in outputs if one["name"] == "probabilities")
    least = json.loads(parameters["thresholds"])
    given = [chance >= floor for chance, floor in zip(probabilities, least, strict=True)]
    assert given == [True, True, False]
