"""What a process that decodes does: image files come in, squares for the network go out, and that is all.

It reads from one socket that it was born with, and ends when the other side does. A decoder that crashes or
runs away takes this process along and not the server (`decoders` starts another).
"""

import contextlib
import functools
import json
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

from fieldguide.errors import RefusedInput
from fieldguide.images import open_image
from fieldguide.preprocess import Preprocessing

MEMORY_BYTES = 3_000_000_000
"""Address space; an image may take 280 MB, and libraries reserve more than they fill."""
READY = b"ready"


def work(descriptor: int) -> None:
    """Answer until the server is gone.

    Parameters
    ----------
    descriptor
        Of the socket. Two messages come, an order (JSON) and the bytes of a file; one or two go back: what
        became of it (JSON), and the pixels if there are any.
    """
    _confine()
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError):
        connection.send_bytes(READY)
        while True:
            order, content = connection.recv_bytes(), connection.recv_bytes()
            _answer(connection, order, content)


def _answer(connection: Connection, order: bytes, content: bytes) -> None:
    pixels = None
    said: dict[str, Any]
    try:
        pixels = preprocessing_of(order).resize(open_image(content))
        said = {"shape": pixels.shape}
    except RefusedInput as error:
        said = {"code": error.code, "message": error.message}
    except MemoryError:
        said = {"memory": True}
    except Exception:  # a mistake of ours, which the server's log should tell
        said = {"mistake": traceback.format_exc()}
    connection.send_bytes(json.dumps(said).encode("ascii"))
    if pixels is not None:
        connection.send_bytes(memoryview(pixels).cast("B"))


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
    import resource

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit holds already
            resource.setrlimit(kind, (most, most))
