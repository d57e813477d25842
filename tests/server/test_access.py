"""Who may speak to the server: Host, Origin and token; each guard also taken out."""

import httpx
import pytest

from fieldguide.server import access
from server_made import RED, TOKEN, get, photo, raw, running, status_of

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
    monkeypatch.setattr(access, "host_allowed", lambda *_: True)
    assert status_of(raw(server, get("/v1/models", host="evil.test"))) == 200


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
    monkeypatch.setattr(access, "_origin_allowed", lambda *_: True)
    assert cross_site(server, Origin="https://evil.test").status_code == 200


def test_a_browsers_question_before_a_request_gets_no_permission(server):
    answer = httpx.options(f"{server.url}/v1/models/colours:predict", headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


def test_a_token_is_asked_for_wherever_something_can_be_learned(colours):
    with running(colours, token=TOKEN) as server, server.client() as client:
        right = {"Authorization": f"Bearer {TOKEN}"}
        for address in ("/v1/models", "/metrics", "/openapi.json", "/v2", "/nothing"):
            for wrong in (
                {},
                {"Authorization": TOKEN},
                {"Authorization": "Bearer x"},
                {"Authorization": f"Basic {TOKEN}"},
                {"Authorization": f"Token {TOKEN}"},
                {"Authorization": "Basic é"},
            ):
                answer = client.get(address, headers={k: v.encode("latin-1") for k, v in wrong.items()})
                assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert client.get(address, headers=right).status_code in (200, 404)
            assert client.get(address, headers={"Authorization": f"BEARER {TOKEN}"}).status_code in (200, 404)
        assert server.predict(photo(RED)).status_code == 401
        assert server.predict(photo(RED), headers=right).status_code == 200
        for address in access.OPEN_TO_ALL:
            assert client.get(address).status_code == 200
        document = client.get("/openapi.json", headers=right).json()
        assert document["paths"]["/v1/models"]["get"]["security"] == [{"token": []}]


def test_without_the_check_no_token_is_asked_for(colours, monkeypatch):
    monkeypatch.setattr(access, "_token_shown", lambda *_: True)
    with running(colours, token=TOKEN) as server:
        assert server.predict(photo(RED)).status_code == 200
