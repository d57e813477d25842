"""A request while it is answered: its body is bounded before and while it is read."""

import asyncio
import re
import time

import pytest

from fieldguide.server import middleware
from fieldguide.server.admission import Admission
from fieldguide.server.exchange import begin, check_length, of, read_body
from fieldguide.server.problems import Problem
from fieldguide.server.settings import Settings
from server_made import HEAD, raw, read_all, running, status_of, until


def test_a_large_body_is_refused_by_its_header(hasty):
    request = HEAD + b"Content-Length: 900000000000\r\nExpect: 100-continue\r\n\r\n"
    begun = time.monotonic()
    answer = raw(hasty, request)
    assert status_of(answer) == 413 and b"100 Continue" not in answer
    assert time.monotonic() - begun < 5


def endless_chunks(server, most=50_000_000):
    """Send chunks until the server stops taking them; what it took, and its answer."""
    with server.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        sent, chunk = 0, b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        try:
            while sent < most:
                connection.sendall(chunk)
                sent += len(chunk)
        except ConnectionError:
            pass
        return sent, read_all(connection)


def test_a_body_without_a_length_is_refused_when_it_is_too_large(hasty, monkeypatch):
    held, codes = [], []
    before = Admission.hold
    monkeypatch.setattr(Admission, "hold", lambda self, size: (before(self, size), held.append(self.held))[0])
    monkeypatch.setattr(middleware, "event", lambda *_, **fields: codes.append(fields.get("code")))
    endless_chunks(hasty)
    until(lambda: codes)
    assert set(codes) == {"too_large"} and max(held) <= 200_000


def test_bodies_in_memory_are_bounded_over_all_clients(colours):
    with running(colours, body_bytes=1_000_000, buffered_bytes=1_500_000) as server:
        connections_ = [server.connect() for _ in range(4)]
        for connection in connections_:
            connection.sendall(HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000)
        time.sleep(0.5)
        assert server.context.admission.held <= 1_500_000
        for connection in connections_:
            connection.sendall(b"x" * 300_000)
        answers = [connection.recv(4096) for connection in connections_]
        assert sorted({status_of(answer) for answer in answers}) == [400, 503]
        for connection in connections_:
            connection.close()
        until(lambda: server.context.admission.held == 0)


def scope(*headers):
    return {"headers": [(name.encode(), value.encode("latin-1")) for name, value in headers]}


@pytest.mark.parametrize(
    ("given", "kept"), [("mine-1", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_an_id_is_the_clients_own_where_it_is_harmless(given, kept):
    whole = scope(("X-Request-Id", given))
    exchange = begin(whole)
    assert (exchange.id == given) == kept and exchange.id
    assert of(whole) is exchange


@pytest.mark.parametrize("second", ["mine-2", "mine-1", ""])
def test_of_two_ids_neither_is_the_clients_own(second):
    """Else a log before the server might have one, and the server's the other."""
    exchange = begin(scope(("X-Request-Id", "mine-1"), ("x-request-id", second)))
    assert re.fullmatch("[0-9a-f]{32}", exchange.id)


def test_a_header_that_comes_twice_is_refused():
    exchange = begin(scope(("Host", "a"), ("host", "b")))
    with pytest.raises(Problem, match="the host header comes 2 times; send it once"):
        exchange.header("host")
    assert exchange.header("origin") is None


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([], 0),
        ([("Content-Length", "12")], 12),
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "12")], None),
    ],
)
def test_the_length_is_what_the_headers_say(headers, length):
    assert begin(scope(*headers)).length() == length


@pytest.mark.parametrize("text", ["-1", "1.5", "²", "x"])
def test_a_length_is_a_whole_number(text):
    with pytest.raises(Problem, match="must be a whole number"):
        begin(scope(("Content-Length", text))).length()


def exchange_of(*headers):
    return begin({"type": "http", "headers": list(headers)})


def received(*messages):
    """What a server hands on, message by message."""
    left = list(messages)

    async def receive():
        return {"type": "http.request", **left.pop(0)}

    return receive


def test_a_body_may_fill_its_limit_to_the_last_byte():
    admission = Admission(Settings())
    for chunks, limit in (([b"abc", b"de"], 5), ([b""], 0), ([b"x" * 9], 9)):
        messages = [{"body": chunk, "more_body": True} for chunk in chunks[:-1]] + [{"body": chunks[-1]}]
        found = asyncio.run(read_body(received(*messages), exchange_of(), admission, limit))
        assert found == b"".join(chunks)
    with pytest.raises(Problem) as caught:
        asyncio.run(read_body(received({"body": b"abcdef"}), exchange_of(), admission, 5))
    assert caught.value.code == "too_large"
    admission.close()


@pytest.mark.parametrize(("length", "limit", "right"), [(b"5", 5, True), (b"6", 5, False), (None, 0, True)])
def test_a_stated_length_may_be_the_limit(length, limit, right):
    exchange = exchange_of(*([(b"content-length", length)] if length else []))
    if right:
        check_length(exchange, limit)
        return
    with pytest.raises(Problem) as caught:
        check_length(exchange, limit)
    assert caught.value.code == "too_large"
