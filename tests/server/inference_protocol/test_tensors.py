"""Tensors of the Open Inference Protocol, and requests whose lengths lie."""

import json

import httpx
import pytest

from inference_made import PHOTO, tensor


def post(server, body, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    return httpx.post(f"{server.url}/v2/models/colours/infer", content=content, headers=headers, timeout=20)


def test_plain_json_is_enough(server):
    answer = post(server, {"inputs": [tensor()]}).json()
    label = next(output for output in answer["outputs"] if output["name"] == "label")
    assert label == {"name": "label", "datatype": "BYTES", "shape": [1], "data": ["red"]}
    flat = tensor(datatype="UINT8", shape=[1, 2, 1, 3], data=[220, 30, 30] * 2)
    nested = tensor(datatype="UINT8", shape=[1, 2, 1, 3], data=[[[[220, 30, 30]], [[220, 30, 30]]]])
    assert post(server, {"inputs": [flat]}).json() == post(server, {"inputs": [nested]}).json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": []},
        {"inputs": [tensor(), tensor()]},
        {"inputs": [tensor(name="pixels")]},
        {"inputs": [tensor(datatype="FP32")]},
        {"inputs": [tensor(shape=[2])]},
        {"inputs": [tensor(shape=[0])]},
        {"inputs": [tensor(shape=[1, 1])]},
        {"inputs": [tensor(shape=[99], data=[PHOTO] * 99)]},
        {"inputs": [tensor(shape=[1e9])]},
        {"inputs": [tensor(data=["*"])]},
        {"inputs": [tensor(data=[1])]},
        {"inputs": [tensor(data=None)]},
        {"inputs": [tensor(parameters={"binary_data_size": 5})]},
        {"inputs": [tensor(data=None, parameters={"binary_data_size": 5})]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 3], data=[1, 2, 256])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 3], data=[1, 2, True])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 3], data=[1, 2, 3.0])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 3], data=[[1, 2], 3])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 4], data=[1, 2, 3, 4])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 9999, 9999, 3], data=[1])]},
        {"inputs": [tensor(datatype="UINT8", shape=[1, 1, 1, 3], data=[])]},
        {"inputs": [tensor()], "outputs": [{"name": "scores"}]},
        {"inputs": [tensor()], "id": 7},
        {"inputs": [tensor()], "more": 1},
        b'{"inputs": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_a_request_that_is_not_as_documented(server, body):
    answer = post(server, body)
    assert answer.status_code == 400 and isinstance(answer.json()["error"], str)


def binary_request(binary, size=None, **changes):
    parameters = {"binary_data_size": len(binary) if size is None else size}
    head = tensor(parameters=parameters, **changes)
    del head["data"]
    return json.dumps({"inputs": [head]}).encode(), binary


@pytest.mark.parametrize(
    ("head", "binary", "length"),
    [
        (*binary_request(b"\1\0\0\0x"), "-1"),
        (*binary_request(b"\1\0\0\0x"), "99999"),
        (*binary_request(b"\1\0\0\0x"), "9" * 4000),
        (*binary_request(b"\1\0\0\0x"), "seven"),
        (*binary_request(b"\1\0\0\0x", size=4), None),
        (*binary_request(b"\xff\xff\xff\xffx"), None),
        (*binary_request(b"\1\0"), None),
        (*binary_request(b"\0\0\0\0" * 5000), None),
        (*binary_request(b"\1\0\0\0x" * 2), None),
        (*binary_request(b"xx", datatype="UINT8", shape=[1, 1, 1, 3]), None),
    ],
)
def test_a_binary_request_whose_lengths_lie(server, head, binary, length):
    headers = {"Inference-Header-Content-Length": length or str(len(head))}
    answer = post(server, head + binary, **headers)
    assert answer.status_code == 400
