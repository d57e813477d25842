"""What errors say, and what they do not."""

import json

import httpx
import pytest

from fieldguide.server.problems import Problem, body_of, encoded


def test_no_error_names_a_place_of_the_machine(server, colours):
    requests = [
        ("GET", "/v1/models/none", None),
        ("POST", "/v1/models/colours:predict", b"{"),
        ("GET", "/x", None),
    ]
    for method, address, content in requests:
        text = httpx.request(method, server.url + address, content=content).text
        assert str(colours.parent) not in text and "Traceback" not in text and "site-packages" not in text


def test_every_problem_has_a_status_that_clients_know():
    from fieldguide.server.problems import PROBLEMS

    for code, (status, meaning) in PROBLEMS.items():
        assert meaning and Problem(code, "x").status == status
        assert status != 503 or "Retry-After" in Problem(code, "x").headers
    assert {status for status, _ in PROBLEMS.values() if status >= 500} == {500, 503}


def test_below_v2_an_error_is_a_text():
    problem = Problem("deadline", "too late")
    assert json.loads(body_of(problem, "id1", "/v1/models")) == {
        "error": {"code": "deadline", "message": "too late", "request_id": "id1"}
    }
    for path in ("/v2", "/v2/models/x/infer"):
        assert json.loads(body_of(problem, "id1", path)) == {"error": "too late (deadline, request id1)"}
    assert isinstance(json.loads(body_of(problem, "id1", "/v2x"))["error"], dict)


def test_answers_are_ascii_and_hold_numbers_alone():
    assert encoded({"label": "r\udcff"}) == b'{"label":"r\\udcff"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"probability": float("nan")})
