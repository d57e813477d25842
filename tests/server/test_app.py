"""The server put together: addresses, mistakes, models that will not do."""

import json
import logging

import pytest

from answers_made import error_of
from fieldguide.errors import ModelFileError
from fieldguide.server import predict
from fieldguide.server.app import make_context
from fieldguide.server.logs import JsonLines
from fieldguide.server.settings import Settings
from server_made import RED, photo, raw, running, status_of


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


def test_a_model_that_answers_no_numbers_is_not_served(tmp_path):
    import numpy as np

    from tiny_model import card, seal, tiny_proto, with_card

    path = tmp_path / "colours.onnx"
    path.write_bytes(seal(with_card(tiny_proto(weights=np.full((3, 3), 3e38, np.float32)), card())))
    with pytest.raises(ModelFileError):
        make_context({"colours": path}, Settings())
