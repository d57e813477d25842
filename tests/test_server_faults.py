"""What clients do to a server that they should not: rows 53 to 68 of the list of faults, over real sockets.

Each attack is also run with the guard against it taken out, and must then succeed: a test of a guard that
cannot fail proves nothing.
"""

import time

import httpx
import pytest

from fieldguide.server import entrance, guard
from fieldguide.server.desk import Desk
from fieldguide.server.problems import Problem
from server_made import HEAD, RED, TOKEN, get, photo, raw, read_all, running, status_of, until

# --- 63: DNS rebinding


EVIL_HOSTS = [
    "evil.test",
    "evil.test:8000",
    "evil.test.",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "127.0.0.1@evil.test",
    "localhost,evil.test",
    "192.168.0.9",
    "[2001:db8::1]:80",
    "0x7f.1",
    "2130706433",
    "",
    "localhost:99999999",
    "local host",
]


@pytest.mark.parametrize("host", EVIL_HOSTS)
@pytest.mark.parametrize(
    "address", ["/v1/models", "/v1/health/live", "/metrics", "/openapi.json", "/nothing"]
)
def test_a_host_that_is_not_ours_is_kept_out(server, host, address):
    assert status_of(raw(server, get(address, host=host))) == 400


def test_no_host_at_all_or_two_are_kept_out(server):
    assert status_of(raw(server, get("/v1/models", host=None))) == 400
    assert status_of(raw(server, b"GET /v1/models HTTP/1.0\r\n\r\n")) == 400
    assert status_of(raw(server, get("/v1/models", "Host: evil.test"))) == 400


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:1", "127.8.9.1", "[::1]:80"]
)
def test_our_own_hosts_are_let_in(server, host):
    assert status_of(raw(server, get("/v1/models", host=host))) == 200


def test_further_hosts_can_be_named(colours):
    with running(colours, hosts=("photos.example.org",)) as server:
        assert status_of(raw(server, get("/v1/models", host="photos.example.org:443"))) == 200
        assert status_of(raw(server, get("/v1/models", host="other.example.org"))) == 400


def test_without_the_check_a_rebound_name_is_answered(server, monkeypatch):
    monkeypatch.setattr(entrance, "host_allowed", lambda *_: True)
    assert status_of(raw(server, get("/v1/models", host="evil.test"))) == 200


# --- 62: requests that a web page makes a browser send


def cross_site(server, **headers):
    return server.predict(photo(RED), headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Origin": "file://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_is_kept_out(server, headers):
    answer = cross_site(server, **headers)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "origin_not_allowed"
    assert "access-control-allow-origin" not in answer.headers


def test_our_own_origin_is_let_in(server):
    assert cross_site(server, Origin=server.url).status_code == 200
    assert cross_site(server, **{"Sec-Fetch-Site": "none"}).status_code == 200


def test_without_the_check_a_page_is_answered(server, monkeypatch):
    monkeypatch.setattr(entrance, "_origin_allowed", lambda *_: True)
    assert cross_site(server, Origin="https://evil.test").status_code == 200


def test_a_browsers_question_before_a_request_gets_no_permission(server):
    answer = httpx.options(f"{server.url}/v1/models/colours:predict", headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


# --- the token


def test_a_token_is_asked_for_wherever_something_can_be_learned(colours):
    with running(colours, token=TOKEN) as server, server.client() as client:
        right = {"Authorization": f"Bearer {TOKEN}"}
        for address in ("/v1/models", "/metrics", "/openapi.json", "/v2", "/nothing"):
            for wrong in (
                {},
                {"Authorization": TOKEN},
                {"Authorization": "Bearer x"},
                {"Authorization": "Basic é"},
            ):
                answer = client.get(address, headers={k: v.encode("latin-1") for k, v in wrong.items()})
                assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert client.get(address, headers=right).status_code in (200, 404)
        assert server.predict(photo(RED)).status_code == 401
        assert server.predict(photo(RED), headers=right).status_code == 200
        for address in entrance.OPEN_TO_ALL:
            assert client.get(address).status_code == 200
        document = client.get("/openapi.json", headers=right).json()
        assert document["paths"]["/v1/models"]["get"]["security"] == [{"token": []}]


def test_without_the_check_no_token_is_asked_for(colours, monkeypatch):
    monkeypatch.setattr(entrance, "_token_shown", lambda *_: True)
    with running(colours, token=TOKEN) as server:
        assert server.predict(photo(RED)).status_code == 200


# --- 55, 56: large and malformed bodies


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
    before = Desk.hold
    monkeypatch.setattr(Desk, "hold", lambda self, size: (before(self, size), held.append(self.held))[0])
    monkeypatch.setattr(guard, "event", lambda *_, **fields: codes.append(fields.get("code")))
    endless_chunks(hasty)
    until(lambda: codes)
    assert set(codes) == {"too_large"} and max(held) <= 200_000


def test_many_tiny_chunks_cost_no_more_than_large_ones(hasty):
    body = b"".join(b"1\r\nx\r\n" for _ in range(65_537)) + b"0\r\n\r\n"
    begun = time.monotonic()
    answer = raw(hasty, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert status_of(answer) in (400, 408, 413)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_compressed_bodies_are_not_unpacked(server, encoding):
    answer = server.predict(photo(RED), headers={"Content-Encoding": encoding})
    assert answer.status_code == 415 and answer.json()["error"]["code"] == "unsupported_media"


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 100 + b"\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nabcde",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n",
        HEAD + b"Content-Type: application/json\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nX-Deadline-Ms: soon\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_once_and_ends(hasty, request_):
    answer = raw(hasty, request_)
    assert answer is not None
    if answer:
        # An upgrade may be ignored, as HTTP says; then the request is answered as it stands.
        assert 400 <= status_of(answer) < 500 or (b"websocket" in request_ and status_of(answer) == 200)
        assert b"Traceback" not in answer and b"/work" not in answer
    assert httpx.get(f"{hasty.url}/v1/health/live").status_code == 200


def test_ranges_are_not_looked_at(server):
    ranges = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(3000))
    begun = time.monotonic()
    assert status_of(raw(server, get("/v1/models", f"Range: {ranges}"))) == 200
    assert time.monotonic() - begun < 2


def test_bodies_in_memory_are_bounded_over_all_clients(colours):
    with running(colours, body_bytes=1_000_000, buffered_bytes=1_500_000) as server:
        connections_ = [server.connect() for _ in range(4)]
        for connection in connections_:
            connection.sendall(HEAD + b"Content-Length: 900000\r\n\r\n" + b"x" * 600_000)
        time.sleep(0.5)
        assert server.context.desk.held <= 1_500_000
        for connection in connections_:
            connection.sendall(b"x" * 300_000)
        answers = [connection.recv(4096) for connection in connections_]
        assert sorted({status_of(answer) for answer in answers}) == [400, 503]
        for connection in connections_:
            connection.close()
        until(lambda: server.context.desk.held == 0)


# --- 66: what errors say


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
