"""The outermost layer: every request gets an id, every answer the same headers, each event a line in the log.

Pure ASGI, so that nothing between it and the routes copies a body.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fieldguide.server.access import check_access
from fieldguide.server.context import Context
from fieldguide.server.exchange import Exchange, begin, check_length
from fieldguide.server.logs import event
from fieldguide.server.problems import Problem, body_of

SMALL_REST = 1_000_000
"""Bytes of an unread body that are taken in so that a connection can be kept; more cost the connection."""
DRAIN_SECONDS = 1.0
"""For which an unread body is thrown away before the connection is closed: closing at once would often take
the answer with it."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer: it is data, to be shown by nobody as a page."""


class Middleware:
    """Stands in front of the application.

    Parameters
    ----------
    app
        The routes.
    context
        Of the server.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app, self._context = app, context
        self._settings, self._admission, self._metrics = context.settings, context.admission, context.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answered(scope, receive, send)
        else:  # there are no WebSockets here
            await send({"type": "websocket.close", "code": 1008})

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = begin(scope)
        answer = _Answer(exchange, self._context, receive, send)
        try:
            self._admit(exchange, scope)
            await self._app(scope, receive, answer)
        except Problem as problem:
            await refuse(problem, exchange, scope["path"], answer)
        except Exception:
            event("mistake", logging.ERROR, exc_info=True, request_id=exchange.id)
            if not exchange.status:  # else the handler of the routes has answered
                mistake = Problem("internal", "an error in the server; its log says more under this id")
                await refuse(mistake, exchange, scope["path"], answer)
        finally:
            self._admission.release(exchange.held)
            exchange.held = 0
            self._report(exchange, scope)

    def _admit(self, exchange: Exchange, scope: Scope) -> None:
        check_access(exchange, scope["path"], self._settings)
        check_length(exchange, self._settings.body_bytes)
        if exchange.header("content-encoding") not in (None, "identity"):
            raise Problem(
                "unsupported_media", "bodies are read as they are; send it without Content-Encoding"
            )
        if scope["method"] == "POST":
            self._admission.check_room()

    def _report(self, exchange: Exchange, scope: Scope) -> None:
        spent = time.monotonic() - exchange.begun
        # The pattern of the route, never the address itself: a client must not be able to make up series.
        route = getattr(scope.get("route"), "path_format", None) or "none"
        code = exchange.notes.get("code", "")
        self._metrics.requests.labels(route, str(exchange.status), code).inc()
        self._metrics.seconds.labels(route).observe(spent)
        client = scope.get("client") or ("", 0)
        event(
            "request",
            request_id=exchange.id,
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            ms=round(spent * 1000, 1),
            client=client[0],
            **exchange.notes,
        )


async def refuse(problem: Problem, exchange: Exchange, path: str, send: Send) -> None:
    """Send a Problem as the answer."""
    exchange.notes["code"] = problem.code
    body = body_of(problem, exchange.id, path)
    headers: dict[str, str] = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **problem.headers,
    }
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class _Answer:
    """Sends an answer on, with the headers that all have, and sees to what was not read of the request."""

    def __init__(self, exchange: Exchange, context: Context, receive: Receive, send: Send) -> None:
        self._exchange, self._context = exchange, context
        self._receive, self._send = receive, send
        self._closing = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start(message)
        elif self._closing and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _start(self, message: Message) -> None:
        self._exchange.status = message["status"]
        headers = MutableHeaders(raw=message.setdefault("headers", []))
        headers["X-Request-Id"] = self._exchange.id
        for name, value in HEADERS.items():
            headers[name] = value
        # RFC 9112, section 6.1: whoever sends both may have meant two requests, of which one was smuggled.
        ambiguous = {"transfer-encoding", "content-length"} <= self._exchange.headers.keys()
        self._closing = not self._exchange.complete and self._rest() > SMALL_REST
        if self._closing or ambiguous or self._context.stopping:
            headers["Connection"] = "close"

    def _rest(self) -> float:
        try:
            length = self._exchange.length()
        except Problem:
            return float("inf")
        return float("inf") if length is None else length

    async def _drain(self) -> None:
        if "expect" in self._exchange.headers:  # the client sends nothing before it is told to
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                more: Any = True
                while more:
                    message = await self._receive()
                    more = message["type"] == "http.request" and message.get("more_body", False)
