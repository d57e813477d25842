"""The outermost layer: ids, headers, and bodies that are not read."""

import time

import httpx
import pytest

from fieldguide.server import middleware
from server_made import RED, get, photo, raw, running, status_of


def test_every_answer_is_data_and_carries_its_id(server):
    with server.client() as client:
        for address in ("/v1/models", "/nothing", "/metrics", "/v2"):
            answer = client.get(address, headers={"X-Request-Id": "mine-1"})
            assert answer.headers["x-request-id"] == "mine-1"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert not answer.headers["content-type"].startswith("text/html")
        for bad in ("a b", "x" * 65, "\x1b[31m", 'a"b'):
            assert client.get("/v1/models", headers={"X-Request-Id": bad}).headers["x-request-id"] != bad


def test_the_guard_is_what_adds_headers(colours, monkeypatch):
    """Without it the tests above would fail: they do not pass by accident."""
    monkeypatch.setattr(middleware, "HEADERS", {})
    with running(colours) as server:
        assert "x-content-type-options" not in httpx.get(f"{server.url}/v1/models").headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_compressed_bodies_are_not_unpacked(server, encoding):
    answer = server.predict(photo(RED), headers={"Content-Encoding": encoding})
    assert answer.status_code == 415 and answer.json()["error"]["code"] == "unsupported_media"


def test_ranges_are_not_looked_at(server):
    ranges = "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(3000))
    begun = time.monotonic()
    assert status_of(raw(server, get("/v1/models", f"Range: {ranges}"))) == 200
    assert time.monotonic() - begun < 2
