"""Connections with absolute deadlines, which uvicorn as it comes does not have.

It holds slow and silent ones for as long as they like.

Every connection has a clock for what it is doing now: sending a request, or taking an answer away. A client
that drips a byte now and then does not set it back. A sweep twice a second closes what is overdue.
"""

import asyncio
import contextlib
import time
from typing import Any, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from fieldguide.server.logs import event
from fieldguide.server.metrics import Metrics
from fieldguide.server.problems import Problem, body_of
from fieldguide.server.settings import Settings

SWEEP_SECONDS = 0.5
GRACE_SECONDS = 0.5
"""For which a kept connection may still bring a request after the order to stop; it may be on its way."""
MOST_HEADER_BYTES = 32_768
"""Of a request line with its headers."""
FREE_CHUNKS, LEAST_CHUNK = 500, 256
"""Chunks of a body that may have any size; beyond them, bytes that a chunk must have on average."""


class BoundedParser(h11.Connection):
    """h11's parser, which also refuses bodies in tiny chunks: each takes as long as a large one.

    The head of an answer leaves with the first of its body, in one packet.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MOST_HEADER_BYTES)
        self._chunks = self._bytes = 0
        self._head = b""

    def send(self, event: Any) -> Any:
        """What is to be written for an event now."""
        data = super().send(event)
        if isinstance(event, h11.Response):
            self._head = data or b""
            return b""
        head, self._head = self._head, b""
        return None if data is None else head + data

    def next_event(self) -> Any:
        """The next event, counted."""
        event_ = super().next_event()
        if isinstance(event_, h11.Request):
            self._chunks = self._bytes = 0
        elif isinstance(event_, h11.Data):
            self._chunks += event_.chunk_start
            self._bytes += len(event_.data)
            if self._chunks > FREE_CHUNKS and self._chunks * LEAST_CHUNK > self._bytes:
                raise h11.RemoteProtocolError("tiny chunks")
        return event_


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection, with clocks; :func:`protocol_for` gives it its settings."""

    settings: Settings
    metrics: Metrics

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: BoundedParser = BoundedParser()
        self.reading_since: float | None = None
        self.writing_since: float | None = None
        self._stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock, and make room if there are too many."""
        super().connection_made(transport)
        self.reading_since = time.monotonic()
        if len(self.connections) > self.settings.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Read on; the clock runs from the first byte of a request to its last."""
        if self.reading_since is None:
            self.reading_since = time.monotonic()
        super().data_received(data)
        self._look_at_clock()

    def on_response_complete(self) -> None:
        """Start the clock of the next request, if part of it came already."""
        super().on_response_complete()
        self._look_at_clock()
        if self._stopping:
            self.loop.call_later(GRACE_SECONDS, self._end_if_idle)

    def shutdown(self) -> None:
        """End after the request that is being answered, or that may be on its way.

        The guard tells clients so in each answer from now on; closing without that word would lose a request
        that a client sends at the same time.
        """
        self._stopping = True
        self.loop.call_later(GRACE_SECONDS, self._end_if_idle)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, in the form of all errors."""
        self._end_with(Problem("malformed", "this is not HTTP/1.1 that the server can read"))

    def overdue(self, now: float) -> str | None:
        """Why the connection must be closed now; None where it need not."""
        waiting = bool(self.transport.get_write_buffer_size())
        if not waiting:
            self.writing_since = None
        elif self.writing_since is None:
            self.writing_since = now
        if self.writing_since is not None and now - self.writing_since > self.settings.write_seconds:
            return "slow_reader"
        if self.reading_since is not None and now - self.reading_since > self.settings.read_seconds:
            return "slow_sender"
        return None

    def cut(self, reason: str) -> None:
        """Close the connection whatever is left to send."""
        self.metrics.closed.labels(reason).inc()
        client = self.client[0] if self.client else ""
        event("connection_closed", reason=reason, client=client)
        begun = self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])
        if reason == "slow_sender" and begun:
            self._end_with(Problem("too_slow", "the request did not arrive in time"))
        else:
            self.transport.abort()

    def _look_at_clock(self) -> None:
        state = self.conn.their_state
        arriving = state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))
        if not arriving:
            self.reading_since = None
        elif self.reading_since is None:
            self.reading_since = time.monotonic()

    def _make_room(self) -> None:
        """Close whoever has been sending a request for longest, else an idle one, else this one."""
        others = cast("set[Connection]", self.connections) - {self}
        open_ = [other for other in others if not other.transport.is_closing()]
        sending = [other for other in open_ if other.reading_since is not None]
        idle = [other for other in open_ if other.cycle is None or other.cycle.response_complete]
        oldest = min(sending or idle or [self], key=lambda other: other.reading_since or 0.0)
        oldest.cut("too_many")

    def _end_if_idle(self) -> None:
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()

    def _end_with(self, problem: Problem) -> None:
        """Answer in place of the routes, unless they have begun to, and close the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._write(problem)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
        self.loop.call_later(1.0, self.transport.abort)

    def _write(self, problem: Problem) -> None:
        body = body_of(problem, "none", "")
        head = (
            f"HTTP/1.1 {problem.status} {problem.code}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)


def protocol_for(settings: Settings, metrics: Metrics) -> type[Connection]:
    """The connection class of one server."""
    return type("Connection", (Connection,), {"settings": settings, "metrics": metrics})


async def sweep(state: ServerState) -> None:
    """Close overdue connections, for ever."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = time.monotonic()
        for connection in list(cast("set[Connection]", state.connections)):
            reason = connection.overdue(now)
            if reason is not None:
                with contextlib.suppress(Exception):  # one that is half closed must not save the others
                    connection.cut(reason)
