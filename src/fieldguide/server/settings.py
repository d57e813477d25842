"""What can be set of the server, with the reason for each default."""

from dataclasses import dataclass
from typing import Any

from fieldguide.errors import OptionError

LEAST_TOKEN = 16
"""Characters; a shorter token could be guessed by trying."""


@dataclass(frozen=True)
class Settings:
    """All limits of the server. Seconds are wall-clock seconds, sizes are bytes."""

    batch: int = 2
    """Images that go through the network together; more overflow the caches of a core."""
    queue: int = 40
    """Images being decoded, waiting or in the network, of all clients; beyond it is 503. Small on purpose: an
    image that is accepted waits for no more than these."""
    images: int = 32
    """Images in one request; at most `queue`."""
    body_bytes: int = 32_000_000
    """Of one request; beyond it is 413 before the rest is read."""
    buffered_bytes: int = 256_000_000
    """Of all requests that are being read or answered; beyond it is 503."""
    deadline: float = 10.0
    """Seconds from the headers of a request to its answer; beyond it is 503. A client may ask for less."""
    decode_seconds: float = 10.0
    """For one image; a process that decodes for longer is ended, and the image refused."""
    read_seconds: float = 8.0
    """Seconds for a request to arrive whole, from its connection or first byte on, however it drips."""
    write_seconds: float = 8.0
    """Seconds for an answer to be taken away."""
    idle_seconds: int = 5
    """Seconds for which a connection is kept for the next request."""
    connections: int = 512
    """Open at once; beyond it the one that has kept the server waiting longest is closed."""
    stop_seconds: int = 7
    """Seconds for accepted requests to be answered after the order to stop."""
    poll_seconds: float = 0.5
    """Between two looks at whether a model file was replaced."""
    check_seconds: float = 60.0
    """For a new model file to be loaded and tried, in a process of its own."""
    model_bytes: int = 4_000_000_000
    """What all networks together may take beyond their files; one that asks for more fails, alone."""
    threads: int | None = None
    """For decoding and for the network; None takes the cores that this process may use."""
    hosts: tuple[str, ...] = ()
    """Names, besides those of this machine itself, that the Host header may have."""
    token: str | None = None
    """What clients must show; None asks for nothing."""
    loopback: bool = True
    """Whether only this machine can reach the server; decides which Host headers are let in."""

    def __post_init__(self) -> None:
        for name in (
            "batch",
            "queue",
            "images",
            "connections",
            "body_bytes",
            "buffered_bytes",
            "model_bytes",
        ):
            _need(type(getattr(self, name)) is int, name, "a whole number, 1 or more", getattr(self, name))
            _need(getattr(self, name) >= 1, name, "a whole number, 1 or more", getattr(self, name))
        for name in (
            *("deadline", "decode_seconds", "read_seconds", "write_seconds", "poll_seconds", "check_seconds"),
        ):
            _need(0 < getattr(self, name) < float("inf"), name, "a number above 0", getattr(self, name))
        _need(self.images <= self.queue, "images", f"at most queue, which is {self.queue}", self.images)
        if self.token is not None and not _is_token(self.token):
            raise OptionError(
                f"token: must be at least {LEAST_TOKEN} visible ASCII characters without spaces; "
                f"got {len(self.token)}; make one with: openssl rand -hex 32"
            )


def _is_token(text: str) -> bool:
    return len(text) >= LEAST_TOKEN and all("!" <= char <= "~" for char in text)


def _need(right: bool, name: str, allowed: str, got: Any) -> None:
    if not right:
        raise OptionError(f"{name}: must be {allowed}; got {got!r}")
