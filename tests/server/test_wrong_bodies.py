"""Small bodies of wrong types: refused at once, with few words, while others are answered."""

import base64
import json
import subprocess
import sys
import threading
import time
import tracemalloc

import httpx
import pytest

from fieldguide.server.bodies import MOST_NAMES, checked, images_in
from fieldguide.server.inference_protocol.schemas import InferRequest
from fieldguide.server.inference_protocol.tensors import MOST_ITEMS, request_in
from fieldguide.server.problems import Problem
from fieldguide.server.schemas import PredictRequest
from server_made import HEAD, RED, photo, raw, running, status_of

MEGABYTES = 8_000_000


def listed(item, size=MEGABYTES):
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"


def names(item, size=MEGABYTES):
    return b"{" + b",".join(b'"%07d":%s' % (n, item) for n in range(size // (len(item) + 11))) + b"}"


V1 = {
    "numbers": b'{"images":' + listed(b"1") + b"}",
    "nulls": b'{"images":' + listed(b"null") + b"}",
    "lists": b'{"images":' + listed(b"[]") + b"}",
    "objects": b'{"images":' + listed(b"{}") + b"}",
    "texts": b'{"images":' + listed(b'""') + b"}",
    "names": names(b"1"),
    "a list": listed(b"1"),
    "nested": b"[" * MEGABYTES,
    "deep": b'{"images":' + b"[" * 20 + b"]" * 20 + b"}",
}
TENSOR = b'{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,8,8,3],"data":%s}]}'
V2 = {
    "objects": TENSOR % listed(b"{}", 30_000_000),
    "lists": TENSOR % listed(b"[]", 30_000_000),
    "texts": TENSOR % listed(b'""', 3_000_000),
    "shape": TENSOR.replace(b"[1,8,8,3]", listed(b'"x"', 3_000_000)) % b"[]",
    "outputs": b'{"inputs":[],"outputs":' + listed(b"1", 3_000_000) + b"}",
    "inputs": b'{"inputs":' + listed(b"1", 3_000_000) + b"}",
    "tensors": b'{"inputs":' + listed(b"{}", 3_000_000) + b"}",
    "names": names(b"1", 3_000_000),
    "names inside": TENSOR % b"[]" + b"," + names(b"1"),
    "parameters": b'{"parameters":' + names(b"[1]", 3_000_000) + b',"inputs":[]}',
}


def refused(parse, body):
    """How much memory and processor time it costs to refuse a body, and in which words."""
    begun = time.thread_time()
    with pytest.raises(Problem) as problem:
        parse(body)
    spent = time.thread_time() - begun
    tracemalloc.start()
    with pytest.raises(Problem):
        parse(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.value.code == "malformed"
    assert len(problem.value.message) < 800
    return spent, peak


@pytest.mark.parametrize("kind", V1)
def test_a_wrong_body_costs_less_than_a_right_one(kind):
    spent, peak = refused(lambda body: images_in("application/json", body, 32), V1[kind])
    assert spent < 1
    assert peak < 1_000_000


@pytest.mark.parametrize("kind", V2)
def test_nor_does_a_wrong_body_of_the_inference_protocol(kind):
    spent, peak = refused(lambda body: request_in(body, None, 32), V2[kind])
    assert spent < 5
    assert peak < 10 * len(V2[kind])


def test_a_list_ends_at_its_first_mistake():
    with pytest.raises(Problem, match=r"images\.0: [^;]*$") as problem:
        checked(PredictRequest, b'{"images":' + listed(b"1", 60) + b"}", 1000)
    assert "more" not in problem.value.message
    for body in (
        b'{"inputs":' + listed(b"1", 60) + b"}",
        b'{"inputs":[],"outputs":' + listed(b"1", 20) + b"}",
    ):
        with pytest.raises(Problem) as problem:
            checked(InferRequest, body, 1000)
        assert "more" not in problem.value.message


def test_as_many_items_as_are_allowed_are_read():
    image = base64.b64encode(b"image")
    body = b'{"images":' + listed(b'"' + image + b'"', 32 * (len(image) + 3)) + b"}"
    assert images_in("application/json", body, 32) == [b"image"] * 32
    with pytest.raises(Problem, match=rf"more than the {1 + MOST_NAMES} items"):
        images_in("application/json", b'{"images":' + listed(b'""', 3 * 400) + b"}", 1)
    side = 400
    body = TENSOR.replace(b"[1,8,8,3]", b"[1,%d,%d,3]" % (side, side)) % listed(b"7", 2 * 3 * side * side)
    _, (pixels,) = request_in(body, None, 1)
    assert pixels.shape == (side, side, 3)
    assert side * side * 3 < MOST_ITEMS


def test_a_large_wrong_body_holds_nobody_up(colours):
    with running(colours) as server, server.client() as client:
        client.get("/v1/health/live")
        longest, done = [0.0], threading.Event()

        def ask():
            while not done.is_set():
                begun = time.monotonic()
                client.get("/v1/health/live")
                longest[0] = max(longest[0], time.monotonic() - begun)

        asking = threading.Thread(target=ask)
        asking.start()
        for url, body in (
            ("/v1/models/colours:predict", V1["numbers"]),
            ("/v2/models/colours/infer", TENSOR % listed(b"300", 1_900_000)),
        ):
            answer = httpx.post(
                server.url + url, content=body, headers={"Content-Type": "application/json"}, timeout=60
            )
            assert answer.status_code == 400, answer.text
        done.set()
        asking.join()
    assert longest[0] < 2


def test_a_request_with_two_lengths_ends_the_connection(server):
    body = json.dumps({"images": [base64.b64encode(photo(RED)).decode()]}).encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    both = HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + chunked
    answer = raw(server, both + both, 5)
    assert answer is not None, "the connection was kept"
    assert status_of(answer) == 200
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()
    only = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
    ended = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    assert raw(server, only + ended, 5).count(b"HTTP/1.1 200") == 2


GROWING = """
import sys
import numpy as np, onnx
from onnx import TensorProto, helper
from fieldguide.modelfile.session import bound_memory, open_session
if sys.argv[1] == "bounded":
    bound_memory(200_000_000)
nodes = [helper.make_node("ConstantOfShape", ["n"], ["big"]), helper.make_node("ReduceSum", ["big"], ["sum"])]
value = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
asked, summed = value("n", TensorProto.INT64, [1]), value("sum", TensorProto.FLOAT, [1])
graph = helper.make_graph(nodes, "g", [asked], [summed])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
session = open_session(model.SerializeToString(), "m", 1)
for count in (1000, 250_000_000, 1000):
    try:
        session.run(None, {"n": np.array([count])})
        print("answered")
    except Exception as error:
        print("failed")
"""


@pytest.mark.parametrize("way", ["bounded", "free"])
def test_a_graph_that_grows_fails_alone(way):
    done = subprocess.run(
        [sys.executable, "-c", GROWING, way], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["answered", "failed" if way == "bounded" else "answered", "answered"]


def test_the_server_bounds_its_models(colours, monkeypatch):
    from fieldguide.errors import OptionError
    from fieldguide.server import run
    from fieldguide.server.settings import Settings

    said = []
    monkeypatch.setattr(run, "bound_memory", said.append)
    monkeypatch.setattr(run, "make_context", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.serve({"one": colours, "two": colours}, Settings(model_bytes=7), port=0)
    assert said == [7 + 4 * 2 * colours.stat().st_size]
    with pytest.raises(OptionError, match="model_bytes"):
        Settings(model_bytes=0)
