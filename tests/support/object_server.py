"""A real S3 server on 127.0.0.1 (moto), and a proxy before it that fails as networks do."""

import contextlib
import itertools
import logging
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = "photos"
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "reader",
    "AWS_SECRET_ACCESS_KEY": "of the tests",
    "AWS_REGION": "us-east-1",
}
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=reader/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)
"""moto looks at who asks, not at the signature."""


@dataclass
class Faults:
    """What the proxy does to requests whose path contains `match`."""

    match: str = ""
    kinds: tuple[str, ...] = ()
    """Of `error`, `slow`, `dropped`, `half`: one a request in turn, then none; `always` first repeats all."""
    delay: float = 0.0
    """Seconds before every request."""
    slow_seconds: float = 5.0
    seen: list[str] = field(default_factory=list)
    _turn: dict[str, "itertools.cycle | itertools.chain"] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_for(self, path):
        with self._lock:
            self.seen.append(path)
            if not self.match or self.match not in path or not self.kinds:
                return None
            if path not in self._turn:
                always = self.kinds[0] == "always"
                self._turn[path] = itertools.cycle(self.kinds[1:]) if always else iter(self.kinds)
            return next(self._turn[path], None)


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        faults, behind = self.server.faults, self.server.behind
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = faults.next_for(f"{self.command} {self.path}")
        time.sleep(faults.delay)
        if fault == "slow":
            time.sleep(faults.slow_seconds)
        if fault == "dropped":
            self.drop()
            return
        if fault == "error":
            self.send(500, {}, b"<Error><Code>InternalError</Code></Error>")
            return
        connection = HTTPConnection(*behind, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        connection.request(self.command, self.path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        self.send(reply.status, dict(reply.getheaders()), content, half=fault == "half")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

    def send(self, status, headers, content, half=False):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        length = headers.get("Content-Length", len(content)) if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)
        if half:
            self.drop()

    def drop(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


@dataclass
class ObjectServer:
    """What a test needs of both."""

    address: str
    faults: Faults
    proxy: ThreadingHTTPServer
    direct: tuple[str, int]

    def put(self, key, content, bucket=BUCKET):
        self._ask("PUT", f"/{bucket}/{urllib.parse.quote(key)}".rstrip("/"), content)

    def put_folder(self, folder, prefix):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def get(self, key, bucket=BUCKET):
        return self._ask("GET", f"/{bucket}/{urllib.parse.quote(key)}", None)

    def _ask(self, method, path, body):
        connection = HTTPConnection(*self.direct, timeout=30)
        connection.request(method, path, body, {"Authorization": SIGNED})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        assert reply.status == 200, content
        return content

    def fail(self, match, *kinds, slow_seconds=5.0):
        self.proxy.faults = Faults(match, kinds, slow_seconds=slow_seconds)

    @property
    def seen(self):
        return self.proxy.faults.seen


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that went away is what the tests are about."""


@contextlib.contextmanager
def object_server(set_variable):
    """Both, with one empty bucket; `set_variable(name, value)` puts their address into the environment."""
    from moto.server import ThreadedMotoServer

    from fieldguide.storage import object_store

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    object_store._store.cache_clear()  # another server's address
    for name, value in SETTINGS.items():
        set_variable(name, value)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    behind = moto.get_host_and_port()
    proxy = _Quiet(("127.0.0.1", 0), _Proxy)
    proxy.faults, proxy.behind = Faults(), behind
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{proxy.server_port}"
    set_variable("AWS_ENDPOINT_URL", address)
    server = ObjectServer(address, proxy.faults, proxy, behind)
    try:
        server._ask("POST", "/moto-api/reset", b"")  # its memory is the process's, another server's too
        server.put("", b"")
        yield server
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
        moto.stop()
