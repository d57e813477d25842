"""Requests for tests of the server, and what its errors must hold."""


def error_of(answer):
    """The code of an error that is as documented."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert answer.headers["x-request-id"] == error["request_id"]
    return error["code"]
