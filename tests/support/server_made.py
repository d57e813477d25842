"""A server for tests: a real one, on a free port, in a thread, with a model of three colours."""

import contextlib
import io
import socket
import threading
import time
from dataclasses import dataclass

import httpx
import numpy as np
from PIL import Image

from fieldguide.server.app import make_context
from fieldguide.server.run import bind, server_of
from fieldguide.server.settings import Settings

RED, GREEN, BLUE = (220, 30, 30), (30, 220, 30), (30, 30, 220)
TOKEN = "correct-horse-battery-staple"
HEAD = b"POST /v1/models/colours:predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
"""Of a request, up to what says how its body comes."""


def get(address, *headers, host="localhost"):
    """The bytes of a GET request, after whose answer the connection ends."""
    lines = [f"GET {address} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), *headers]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")


def photo(colour, kind="JPEG", size=(40, 30)):
    """The bytes of an image file."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def noisy(size=(533, 400)):
    """The bytes of a JPEG that takes some time to decode."""
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80)
    return file.getvalue()


@dataclass
class Running:
    """A server that runs."""

    port: int
    context: object
    server: object

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, **settings):
        return httpx.Client(base_url=self.url, timeout=20, **settings)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def predict(self, *images, name="colours", **settings):
        files = [("images", ("photo", image)) for image in images]
        address = f"{self.url}/v1/models/{name}:predict"
        return httpx.post(address, files=files, **{"timeout": 20, **settings})


@contextlib.contextmanager
def running(path, **changes):
    """Serve the model file at `path` under the name `colours`."""
    settings = Settings(**{"poll_seconds": 0.05, "threads": 1, **changes})
    context = make_context({"colours": path}, settings)
    listener = bind("127.0.0.1", 0)
    server = server_of(context)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield Running(listener.getsockname()[1], context, server)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


def until(true, seconds=10.0):
    """Wait until something is true; how long that took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - begun


def raw(server, request, seconds=15.0):
    """Send bytes, and read until the server closes the connection or `seconds` have passed."""
    with server.connect() as connection:
        connection.settimeout(seconds)
        connection.sendall(request)
        return read_all(connection)


def read_all(connection):
    """All that comes until the connection is closed; None where it stays open."""
    pieces = []
    try:
        while piece := connection.recv(65_536):
            pieces.append(piece)
    except TimeoutError:
        return None
    except ConnectionError:
        pass
    return b"".join(pieces)


def status_of(answer):
    """The status of the first HTTP answer in bytes."""
    return int(answer.split(b" ", 2)[1]) if answer else None
