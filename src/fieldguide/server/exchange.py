"""One request while it is answered: its id, its clock, what it holds, and what the log will say of it."""

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Scope

from fieldguide.server.admission import Admission
from fieldguide.server.problems import Problem

KEY = "fieldguide.exchange"
"""Under which a request's scope holds it."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Exchange:
    """What the layers of the server know of one request."""

    headers: dict[str, list[str]]
    """By name in lower case; a name may come more than once."""
    id: str
    """The client's own `X-Request-Id` where it is harmless and the only one, else a new one."""
    begun: float
    """By the monotonic clock."""
    held: int = 0
    """Bytes of its body in memory."""
    complete: bool = False
    """Whether its body has been read to the end."""
    status: int = 0
    """Of the answer; 0 before there is one."""
    notes: dict[str, Any] = field(default_factory=dict)
    """For the log: model, version, images, code of an error."""

    def header(self, name: str) -> str | None:
        """A header that may come once; None where it does not come.

        Raises
        ------
        Problem
            ``malformed``, if it comes twice: two readers might take different ones.
        """
        values = self.headers.get(name, [])
        if len(values) > 1:
            raise Problem("malformed", f"the {name} header comes {len(values)} times; send it once")
        return values[0] if values else None

    def length(self) -> int | None:
        """Bytes that the body will have, 0 where there is none, None where that is not said."""
        if "transfer-encoding" in self.headers:
            return None
        text = self.header("content-length") or "0"
        if not (text.isascii() and text.isdigit()):
            raise Problem("malformed", "the Content-Length header must be a whole number")
        return int(text[:18])


def begin(scope: Scope) -> Exchange:
    """Make the exchange of a request and hang it into its scope."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    # Several lines of one header are the same as one with commas (RFC 9110, 5.3), which no harmless id has.
    given = ",".join(headers.get("x-request-id", []))
    name = given if _ID.fullmatch(given) else uuid.uuid4().hex
    exchange = Exchange(headers, name, time.monotonic())
    scope[KEY] = exchange
    return exchange


def of(scope: Scope) -> Exchange:
    """The exchange of a request."""
    exchange: Exchange = scope[KEY]
    return exchange


async def read_body(receive: Receive, exchange: Exchange, admission: Admission, limit: int) -> bytes:
    """Read a body whole, in memory, never more than `limit` bytes of it.

    Raises
    ------
    Problem
        ``too_large``, ``overloaded``, or ``client_gone``.
    """
    check_length(exchange, limit)
    body = bytearray()
    while not exchange.complete:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("client_gone", "the client closed the connection")
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > limit:
            raise too_large(limit)
        admission.hold(len(chunk))
        exchange.held += len(chunk)
        body += chunk
        exchange.complete = not message.get("more_body", False)
    return bytes(body)


def check_length(exchange: Exchange, limit: int) -> None:
    """Refuse a body by what its header says, before any of it is read."""
    if (exchange.length() or 0) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Problem:
    """The refusal of a body."""
    return Problem("too_large", f"a request may have {limit:,} bytes; send fewer or smaller images")
