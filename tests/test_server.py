"""The server as a client sees it: answers, errors, document, metrics, logs."""

import base64
import io
import json
import logging
import threading

import httpx
import pytest

import fieldguide
from fieldguide.errors import ModelFileError, OptionError
from fieldguide.server import guard, predict
from fieldguide.server.app import make_context
from fieldguide.server.logs import JsonLines, event
from fieldguide.server.models import named
from fieldguide.server.settings import Settings
from server_made import BLUE, GREEN, RED, photo, raw, running, status_of, until
from tiny_model import CLASSES, write_tiny_model


def as_json(*images):
    return {"images": [base64.b64encode(image).decode() for image in images]}


def error_of(answer):
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert answer.headers["x-request-id"] == error["request_id"]
    return error["code"]


def test_files_and_base64_are_answered_like_the_python_call(server, colours):
    images = [photo(RED), photo(GREEN, "PNG"), photo(BLUE, "WEBP")]
    expected = [row.as_dict() for row in fieldguide.load(colours).predict(images)]
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


def test_models_are_listed_with_their_cards(server, colours):
    with server.client() as client:
        (entry,) = client.get("/v1/models").json()["models"]
        assert entry["name"] == "colours" and entry["classes"] == 3 and entry["recipe"] == "linear-probe"
        card = client.get("/v1/models/colours").json()
        assert card["card"] == fieldguide.load(colours).card and card["version"] == entry["version"]
        assert error_of(client.get("/v1/models/other")) == "not_found"


def test_health_and_metrics(server):
    server.predict(photo(RED), b"junk")
    with server.client() as client:
        assert client.get("/v1/health/live").json() == {"live": True}
        ready = client.get("/v1/health/ready").json()
        assert ready["ready"] is True and ready["models"][0]["name"] == "colours"
        page = client.get("/metrics").text
    assert 'fieldguide_images_total{model="colours",outcome="refused"}' in page
    assert "fieldguide_queue_limit_images 40.0" in page
    assert "process_open_fds" in page
    labels = [line for line in page.splitlines() if line.startswith("fieldguide_requests_total")]
    assert any('route="/v1/models/{name}:predict"' in line for line in labels)


def test_clients_cannot_make_up_series_of_metrics(server):
    for number in range(30):
        httpx.get(f"{server.url}/v1/models/made-up-{number}")
        httpx.get(f"{server.url}/made-up-{number}")
    assert "made-up" not in httpx.get(f"{server.url}/metrics").text


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "malformed"),
        (b"", "application/json", "malformed"),
        (b"[" * 10_000 + b"]" * 10_000, "application/json", "malformed"),
        (b'{"images": NaN}', "application/json", "malformed"),
        (b'{"images": [1e400]}', "application/json", "malformed"),
        (b'{"images": []}', "application/json", "malformed"),
        (b'{"images": ["*"]}', "application/json", "malformed"),
        (b'{"images": ["AAA"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA\\n"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA="]}', "application/json", "malformed"),
        ('{"images": ["Ää=="]}'.encode(), "application/json", "malformed"),
        (b'{"images": ["http://127.0.0.1/photo.jpg"]}', "application/json", "malformed"),
        (b'{"images": ["AAAA"], "url": "x"}', "application/json", "malformed"),
        (b'{"images": {"b64": "AAAA"}}', "application/json", "malformed"),
        (json.dumps({"images": ["AAAA"] * 33}).encode(), "application/json", "malformed"),
        (b"x", "multipart/form-data", "malformed"),
        (b"x", "multipart/form-data; boundary=", "malformed"),
        (b"x", "multipart/form-data; boundary=" + "b" * 9000, "malformed"),
        (b"x", "multipart/form-data; boundary=b", "malformed"),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", "malformed"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", "malformed"),
        (photo(RED), "image/jpeg", "unsupported_media"),
        (b"images=x", "application/x-www-form-urlencoded", "unsupported_media"),
        (b"{}", ';;;="', "unsupported_media"),
    ],
)
def test_a_body_that_is_not_as_documented(server, body, kind, code):
    headers = {"Content-Type": kind}
    answer = httpx.post(f"{server.url}/v1/models/colours:predict", content=body, headers=headers)
    assert error_of(answer) == code
    assert answer.status_code in (400, 415)


def form(*parts):
    pieces = [b"--b\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts]
    return b"".join(pieces) + b"--b--\r\n"


FILE = b'Content-Disposition: form-data; name="images"; filename="a.jpg"'


@pytest.mark.parametrize(
    "body",
    [
        form((b'Content-Disposition: form-data; name="other"; filename="a.jpg"', b"x")),
        form((b'Content-Disposition: form-data; name="images"', b"http://127.0.0.1/")),
        form(*[(FILE, b"x")] * 1001),
        form((FILE + b"\r\nX: " + b"y" * 100_000, b"x")),
        form((FILE + b"\r\nX: y" * 500, b"x")),
        form((FILE, b"x"))[:-4],
        form((FILE, b"x")).replace(b"--b", b"--c"),
    ],
)
def test_a_form_that_is_not_as_documented(server, body):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = httpx.post(f"{server.url}/v1/models/colours:predict", content=body, headers=headers)
    assert error_of(answer) == "malformed" and answer.status_code == 400


def test_names_of_files_reach_nothing(server):
    for name in (
        "../../etc/passwd",
        "..\\x",
        "\x00",
        "/abs",
        "//host/share",
        "<img onerror=1>.html",
        "a" * 3000,
    ):
        files = [("images", (name, photo(RED)))]
        answer = httpx.post(f"{server.url}/v1/models/colours:predict", files=files)
        assert answer.status_code == 200 and "passwd" not in answer.text and "<img" not in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "/v1/models/..%2f..%2fetc:predict",
        "/v1/models/%2e%2e/card",
        "//v1/models",
        "/v1/models/a%00b",
        "/v1/../x",
    ],
)
def test_names_in_addresses_reach_nothing(server, target):
    answer = raw(server, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (400, 404, 405)


def test_methods_and_addresses_that_there_are_not(server):
    with server.client() as client:
        answer = client.get("/v1/models/colours:predict")
        assert error_of(answer) == "method_not_allowed" and answer.headers["allow"] == "POST"
        assert error_of(client.delete("/v1/models/colours")) == "method_not_allowed"
        assert error_of(client.get("/docs")) == "not_found"
        assert error_of(client.get("/v1/models/")) == "not_found"
        assert error_of(client.get("/v1/models/a%20b")) == "malformed"
        assert error_of(client.post("/v1/models/colours:predict?top=-1")) == "malformed"


def test_every_answer_is_data_and_carries_its_id(server):
    with server.client() as client:
        for address in ("/v1/models", "/nothing", "/metrics", "/v2"):
            answer = client.get(address, headers={"X-Request-Id": "mine-1"})
            assert answer.headers["x-request-id"] == "mine-1"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert not answer.headers["content-type"].startswith("text/html")
        for bad in ("a b", "x" * 65, "\x1b[31m", 'a"b'):
            assert client.get("/v1/models", headers={"X-Request-Id": bad}).headers["x-request-id"] != bad


def test_a_mistake_of_the_server_says_nothing_of_it(colours, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("/secret/place: no")

    monkeypatch.setattr(predict, "row_of", broken)
    with caplog.at_level(logging.INFO), running(colours) as server:
        answer = server.predict(photo(RED))
    assert answer.status_code == 500 and error_of(answer) == "internal"
    assert "secret" not in answer.text and "Traceback" not in answer.text
    (record,) = [record for record in caplog.records if record.getMessage() == "mistake"]
    line = JsonLines().format(record)
    assert "/secret/place" in line and "\n" not in line
    assert json.loads(line)["request_id"] == answer.headers["x-request-id"]


def test_one_line_an_event_whatever_a_name_holds(server, caplog):
    with caplog.at_level(logging.INFO, "fieldguide.server"):
        httpx.get(f"{server.url}/v1/models/%0d%0a%1b%5d0;x%07%7f%e2%80%ae%c2%9b")
        until(lambda: caplog.records)  # it is written once the answer is out
    line = JsonLines().format(caplog.records[-1])
    assert json.loads(line)["path"] == "/v1/models/\r\n\x1b]0;x\x07\x7f\u202e\x9b"
    assert all(" " <= char <= "~" for char in line)


def test_the_plain_formatter_would_have_broken_the_line():
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", ("a\r\n\x1b[31m",), None)
    assert "\n" in logging.Formatter().format(record)
    assert all(" " <= char <= "~" for char in JsonLines().format(record))


def test_a_long_text_in_an_event_is_cut():
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("fieldguide.server")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    event("test", text="x" * 100_000)
    logger.removeHandler(handler)
    assert len(JsonLines().format(records[0])) < 3000


def test_batches_hold_the_images_of_several_clients(colours):
    sizes = []
    with running(colours, batch=4, threads=1) as server:
        batcher = server.context.shelf.get("colours").batcher
        batcher._report = lambda images, seconds: sizes.append(images)
        before, gate = batcher._run, threading.Event()
        batcher._run = lambda *given: (gate.wait(5), before(*given))[1]
        threads = [threading.Thread(target=server.predict, args=(photo(RED),)) for _ in range(9)]
        for thread in threads:
            thread.start()
        until(lambda: len(batcher._ready) == 8)
        gate.set()
        for thread in threads:
            thread.join()
    assert sizes == [1, 4, 2, 1, 1]


def test_names_of_models():
    assert list(named(["a/b.onnx", "x=c d.onnx"])) == ["b", "x"]
    for wrong in (["a b.onnx"], ["a.onnx", "c/a.onnx"], ["ü.onnx"]):
        with pytest.raises(OptionError, match="NAME=PATH"):
            named(wrong)


@pytest.mark.parametrize(
    "wrong", [{"queue": 0}, {"deadline": 0.0}, {"token": "short"}, {"token": "a" * 20 + " b"}, {"images": 99}]
)
def test_settings_that_are_not_allowed(wrong):
    with pytest.raises(OptionError, match=f"{next(iter(wrong))}: must be"):
        Settings(**wrong)


def test_a_model_that_answers_no_numbers_is_not_served(tmp_path):
    import numpy as np

    from tiny_model import card, seal, tiny_proto, with_card

    path = tmp_path / "colours.onnx"
    path.write_bytes(seal(with_card(tiny_proto(weights=np.full((3, 3), 3e38, np.float32)), card())))
    with pytest.raises(ModelFileError):
        make_context({"colours": path}, Settings())


def test_class_names_that_are_no_text_are_answered(tmp_path):
    path = write_tiny_model(tmp_path / "colours.onnx", classes=["r\udcff\n", "<b>", "blå"])
    with running(path) as server:
        answer = server.predict(photo(RED), photo(GREEN))
        assert answer.content.isascii()
        assert [row["label"] for row in json.loads(answer.text)["predictions"]] == ["r\udcff\n", "<b>"]


def test_the_guard_is_what_adds_headers(colours, monkeypatch):
    """Without it the tests above would fail: they do not pass by accident."""
    monkeypatch.setattr(guard, "HEADERS", {})
    with running(colours) as server:
        assert "x-content-type-options" not in httpx.get(f"{server.url}/v1/models").headers


def test_a_large_form_is_taken_apart_in_a_thread(server):
    file = io.BytesIO()
    from PIL import Image

    Image.effect_noise((900, 900), 100).convert("RGB").save(file, "PNG")
    assert len(file.getvalue()) > 600_000
    assert server.predict(file.getvalue()).json()["predictions"][0]["error"] is None
