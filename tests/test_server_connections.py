"""Slow, silent and too many connections: row 54 of the list of faults, over real sockets.

As in test_server_faults.py, uvicorn without the guard is shown to give in.
"""

import contextlib
import socket
import time

import h11
import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from fieldguide.server import connections, guard
from fieldguide.server import run as running_module
from server_made import HEAD, RED, get, photo, raw, running, status_of, until

SLOW = {
    "silent": b"",
    "half a line": b"GET /v1/mod",
    "half the headers": HEAD,
    "half the body": HEAD + b'Content-Length: 50\r\n\r\n{"images"',
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\nabc",
    "a body of an unknown page": b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nx",
    "a second request": get("/v1/models").replace(b"Connection: close\r\n", b"") + b"GET /v1/mod",
}


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW)
def test_a_connection_that_goes_silent_is_closed(hasty, begun):
    before = time.monotonic()
    assert raw(hasty, begun, seconds=4) is not None
    assert time.monotonic() - before < 3


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW)
def test_dripping_does_not_set_the_clock_back(hasty, begun):
    before = time.monotonic()
    with hasty.connect() as connection, pytest.raises(OSError, match=r"reset|pipe|closed"):
        connection.sendall(begun)
        connection.settimeout(0.05)
        while time.monotonic() - before < 4:
            connection.sendall(b"a" if b"a second" not in begun else b"\r\n")
            try:
                if not connection.recv(4096):
                    raise ConnectionResetError("closed")
            except TimeoutError:
                pass
    assert time.monotonic() - before < 3


def test_uvicorn_as_it_comes_holds_them(colours, monkeypatch):
    monkeypatch.setattr(running_module, "protocol_for", lambda *_: H11Protocol)
    monkeypatch.setattr(running_module, "sweep", lambda _: __import__("asyncio").sleep(0))
    with running(colours, read_seconds=0.6, idle_seconds=1, stop_seconds=1) as server:
        assert raw(server, SLOW["half the headers"], seconds=3) is None
        assert raw(server, SLOW["half the body"], seconds=2) is None


def test_who_is_too_slow_is_told_so(hasty):
    answer = raw(hasty, SLOW["half the body"], seconds=4)
    assert status_of(answer) == 408 and b'"too_slow"' in answer
    assert raw(hasty, b"", seconds=4) == b""


def test_a_slow_reader_is_cut_off(hasty):
    """Asks for much and takes nothing away."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with connection:
        connection.connect(("127.0.0.1", hasty.port))
        request = get("/openapi.json").replace(b"Connection: close\r\n", b"")
        cut = hasty.context.metrics.closed.labels("slow_reader")._value.get
        before, begun = cut(), time.monotonic()
        connection.settimeout(0.2)
        while cut() == before and time.monotonic() - begun < 10:
            try:
                connection.sendall(request * 20)
            except OSError:
                time.sleep(0.05)
        assert cut() == before + 1


def test_honest_clients_are_served_between_two_hundred_slow_ones(colours):
    with contextlib.ExitStack() as stack, running(colours, read_seconds=2.0) as server:
        kinds = list(SLOW.values())[:5]
        slow = [stack.enter_context(server.connect()) for _ in range(200)]
        for number, connection in enumerate(slow):
            connection.sendall(kinds[number % len(kinds)])
        begun = time.monotonic()
        with server.client() as client:
            for _ in range(20):
                files = [("images", ("a", photo(RED)))]
                assert client.post("/v1/models/colours:predict", files=files).status_code == 200
        assert time.monotonic() - begun < 10.0, "each of 20 that waits for the slow takes 2 s"
        until(lambda: len(server.server.server_state.connections) == 0, 8)


def test_too_many_connections_cost_the_one_that_has_sent_for_longest(colours):
    with contextlib.ExitStack() as stack, running(colours, connections=20) as server:
        for _ in range(60):
            stack.enter_context(server.connect())
        cut = server.context.metrics.closed.labels("too_many")._value.get
        until(lambda: cut() == 40)
        until(lambda: len(server.server.server_state.connections) <= 21)
        assert server.predict(photo(RED)).status_code == 200
        assert "too_many" in httpx.get(f"{server.url}/metrics").text


def test_the_rest_of_a_body_is_thrown_away_before_the_connection_is_closed(hasty, monkeypatch):
    """Otherwise the reset that follows often overtakes the answer."""
    request = HEAD + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
    assert all(status_of(raw(hasty, request)) == 413 for _ in range(5))
    assert guard.DRAIN_SECONDS < connections.GRACE_SECONDS * 4


def test_the_head_of_an_answer_leaves_with_its_body():
    parser = connections.Parser()
    parser.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    parser.next_event()
    assert parser.send(h11.Response(status_code=200, headers=[("content-length", "2")])) == b""
    whole = parser.send(h11.Data(data=b"ok"))
    assert whole.startswith(b"HTTP/1.1 200") and whole.endswith(b"\r\n\r\nok")
    assert parser.send(h11.EndOfMessage()) == b""
