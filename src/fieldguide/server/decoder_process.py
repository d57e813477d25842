"""What a process that decodes does: image files come in, squares for the network go out, and that is all.

It reads from one socket that it was born with, and ends when the other side does. A decoder that crashes or
runs away takes this process along and not the server (`decoders` starts another).
"""

import contextlib
import functools
import json
import signal
import socket
import struct
import sys
import traceback
from typing import Any

from fieldguide.errors import RefusedInput
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing

MEMORY_BYTES = 3_000_000_000
"""Address space; an image may take 280 MB, and libraries reserve more than they fill."""
READY = b"+"
"""Sent once the process can decode."""
LENGTHS = struct.Struct("<II")
"""Of the two parts that each message has: JSON, and bytes of a file or pixels."""


def work(descriptor: int) -> None:
    """Answer until the server is gone.

    Parameters
    ----------
    descriptor
        Of the socket. An order and a file come; what became of it goes back, with pixels if there are any.
    """
    _confine()
    with socket.socket(fileno=descriptor) as server, contextlib.suppress(EOFError, OSError):
        server.sendall(READY)
        while True:
            order, content = received(server)
            said, pixels = _answer(order, content)
            sent(server, said, pixels)


def sent(to: socket.socket, text: bytes, content: bytes) -> None:
    """Send a message."""
    to.sendall(LENGTHS.pack(len(text), len(content)) + text)
    to.sendall(content)


def received(source: socket.socket) -> tuple[bytes, bytearray]:
    """Wait for a message.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    text, content = LENGTHS.unpack(exactly(source, LENGTHS.size))
    return bytes(exactly(source, text)), exactly(source, content)


def exactly(source: socket.socket, count: int) -> bytearray:
    """So many bytes, or EOFError."""
    whole = bytearray(count)
    rest = memoryview(whole)
    while rest:
        taken = source.recv_into(rest)
        if not taken:
            raise EOFError
        rest = rest[taken:]
    return whole


def _answer(order: bytes, content: bytearray) -> tuple[bytes, bytes]:
    pixels = b""
    said: dict[str, Any]
    try:
        square = network_pixels(bytes(content), preprocessing_of(order))
        said, pixels = {"shape": square.shape}, square.tobytes()
    except RefusedInput as error:
        said = {"code": error.code, "message": error.message}
    except MemoryError:
        said = {"memory": True}
    except Exception:  # a mistake of ours, which the server's log should tell
        said = {"mistake": traceback.format_exc()}
    return json.dumps(said).encode("ascii"), pixels


@functools.lru_cache(maxsize=16)
def order_of(preprocessing: Preprocessing) -> bytes:
    """How a square is asked for."""
    return json.dumps(preprocessing.as_dict()).encode("ascii")


@functools.lru_cache(maxsize=16)
def preprocessing_of(order: bytes) -> Preprocessing:
    """The other way round."""
    fields = json.loads(order)
    return Preprocessing(**{**fields, "mean": tuple(fields["mean"]), "std": tuple(fields["std"])})


def _confine() -> None:
    """Take limits on, and leave signals to the server: what stops it goes to all processes of a terminal."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "win32":
        return
    import resource

    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit holds already
            resource.setrlimit(kind, (most, most))
