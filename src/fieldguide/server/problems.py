"""What a request is answered when it cannot be served: a code, a sentence and the request's id, nothing else.

No path, no traceback, no text of a library leaves the server; the log has them, under the same id.
"""

import json
from collections.abc import Mapping
from typing import Any

RETRY_SECONDS = 1
"""What Retry-After says: a full queue is empty well within it."""

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "the request is not what the document at /openapi.json asks for"),
    "host_not_allowed": (400, "the Host header names a host that this server does not answer for"),
    "token_missing": (401, "the Authorization header has no token, or not the right one"),
    "origin_not_allowed": (403, "a web page of another origin sent the request"),
    "not_found": (404, "there is no such model, version or page"),
    "method_not_allowed": (
        405,
        "this page does not allow the method; the Allow header names those that it does",
    ),
    "too_slow": (408, "the request did not arrive in time"),
    "too_large": (413, "the body has more bytes than are read"),
    "unsupported_media": (415, "the body is of a kind, or compressed in a way, that is not read"),
    "refused_image": (422, "an image of a v2 request cannot be read; v1 answers image by image instead"),
    "client_gone": (499, "the client closed the connection; never sent, only logged"),
    "internal": (500, "an error in the server itself"),
    "overloaded": (503, "too much is being worked on"),
    "deadline": (503, "the deadline passed before there was an answer"),
    "stopping": (503, "the server is stopping"),
    "no_memory": (503, "there is not enough memory now"),
    "no_answer": (503, "the model gave no usable answer"),
}
"""Code to HTTP status and meaning."""


class Problem(Exception):
    """A request cannot be served.

    Parameters
    ----------
    code
        One of :data:`PROBLEMS`.
    message
        One sentence for a person; holds nothing of the machine, and little of the request.
    headers
        Further headers of the answer.
    """

    def __init__(self, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code: str = code
        self.message: str = message
        self.status: int = PROBLEMS[code][0]
        self.headers: dict[str, str] = dict(headers or {})
        if self.status == 503:
            self.headers.setdefault("Retry-After", str(RETRY_SECONDS))


def encoded(answer: Any) -> bytes:
    """JSON in ASCII: names of classes may hold what UTF-8 cannot."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode("ascii")


def body_of(problem: Problem, request_id: str, path: str) -> bytes:
    """The body of an error.

    Below ``/v2`` the Open Inference Protocol wants a text where everything else has an object.
    """
    if path == "/v2" or path.startswith("/v2/"):
        return encoded({"error": f"{problem.message} ({problem.code}, request {request_id})"})
    error = {"code": problem.code, "message": problem.message, "request_id": request_id}
    return encoded({"error": error})
