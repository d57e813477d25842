"""Who may speak to the server: checks of Host, Origin and token, before a route or a body is looked at.

A web page can make a browser send requests to this machine. Two headers tell: Host holds the name that the
browser thinks it speaks to (a name that an attacker points at 127.0.0.1 stays the attacker's), and Origin
holds the page that sends. See "DNS rebinding" and "Cross-site request forgery" at OWASP.
"""

import hmac
import ipaddress
import re

from fieldguide.server.exchange import Exchange
from fieldguide.server.problems import Problem
from fieldguide.server.settings import Settings

OPEN_TO_ALL = frozenset({"/v1/health/live", "/v1/health/ready", "/v2/health/live", "/v2/health/ready"})
"""What a supervisor may ask without a token; they say whether the server works and nothing else."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")


def check_access(exchange: Exchange, path: str, settings: Settings) -> None:
    """Let a request in, or raise the Problem that keeps it out."""
    host = exchange.header("host") or ""
    if not host_allowed(host, settings):
        raise Problem(
            "host_not_allowed",
            "this server does not answer for the host that the Host header names; whoever runs it can add a "
            "name with --allow-host",
        )
    if not _origin_allowed(exchange, host):
        raise Problem("origin_not_allowed", "web pages of other origins may not use this server")
    if settings.token is not None and path not in OPEN_TO_ALL and not _token_shown(exchange, settings.token):
        raise Problem(
            "token_missing",
            "send the token of this server: Authorization: Bearer TOKEN",
            {"WWW-Authenticate": "Bearer"},
        )


def host_allowed(host: str, settings: Settings) -> bool:
    """Whether a Host header names this server; the port is not looked at, for tunnels change it.

    Addresses in digits are let in where the server can be reached from other machines: it may have several,
    and no attacker can point one elsewhere.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].lower().strip("[]").removesuffix(".")
    if name == "localhost" or name in {allowed.lower() for allowed in settings.hosts}:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not settings.loopback


def _origin_allowed(exchange: Exchange, host: str) -> bool:
    """Only the server's own origin; programs send none. The scheme does not count: a proxy may speak TLS."""
    origin = exchange.header("origin")
    if origin is None:
        return exchange.header("sec-fetch-site") in (None, "same-origin", "none")
    scheme, _, place = origin.partition("://")
    return scheme in ("http", "https") and place.lower() == host.lower()


def _token_shown(exchange: Exchange, token: str) -> bool:
    scheme, _, shown = (exchange.header("authorization") or "").partition(" ")
    right = hmac.compare_digest(shown.strip().encode("latin-1"), token.encode("ascii"))
    return scheme.lower() == "bearer" and right
