"""The command: addresses, tokens, exit codes, and a stop in good order under load."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from fieldguide.cli import main
from fieldguide.errors import OptionError
from fieldguide.server import connections, run
from fieldguide.server.settings import Settings
from server_made import RED, TOKEN, photo, read_all, running, until
from tiny_model import write_tiny_model

ADDRESS = "/v1/models/colours:predict"


@pytest.fixture
def path(tmp_path):
    return write_tiny_model(tmp_path / "colours.onnx")


@contextlib.contextmanager
def served(*arguments, **environment):
    """The command in a process of its own; its address and the process."""
    command = [sys.executable, "-m", "fieldguide", "serve", *map(str, arguments), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def test_it_listens_on_this_machine_alone_and_ends_at_sigterm(path):
    with served(path) as (address, process):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
        assert httpx.get(f"{address}/v1/models").status_code == 200
        listening = subprocess.run(
            ["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True
        ).stdout
        port = f"{int(address.rpartition(':')[2]):04X}"
        assert re.findall(rf": ([0-9A-F]{{8}}):{port} 00000000:0000 0A", listening) == ["0100007F"]
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=12)
        assert process.returncode == 0 and time.monotonic() - begun < 10
        events = [json.loads(line)["event"] for line in log.splitlines()]
        assert events[0] == "starting" and events[-2:] == ["stopping", "stopped"]


def test_ctrl_c_is_130(path):
    with served(path) as (_, process):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=12)
        assert process.returncode == 130


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_are_let_in_only_with_a_token(path, host, tmp_path, capsys):
    if host == "::" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    assert main(["serve", str(path), "--host", host, "--port", "0"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "--token-file" in lines[0]
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    with served(path, "--host", host, "--token-file", secret) as (address, _):
        port = address.rpartition(":")[2]
        local = f"http://127.0.0.1:{port}/v1/models"
        assert httpx.get(local).status_code == 401
        assert httpx.get(local, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        named = {"Authorization": f"Bearer {TOKEN}", "Host": "192.168.0.9"}
        assert httpx.get(local, headers=named).status_code == 200
        assert httpx.get(local, headers={**named, "Host": "evil.test"}).status_code == 400


def test_a_token_may_come_from_the_environment_and_is_in_no_log(path):
    with served(path, FIELDGUIDE_TOKEN=TOKEN) as (address, process):
        assert httpx.get(f"{address}/v1/models").status_code == 401
        httpx.get(f"{address}/v1/models", headers={"Authorization": f"Bearer {TOKEN}"})
        process.terminate()
        assert TOKEN not in process.communicate(timeout=12)[1]


def test_what_cannot_start_is_one_line_and_2(path, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("FIELDGUIDE_TOKEN", raising=False)
    short, taken = tmp_path / "token", socket.create_server(("127.0.0.1", 0))
    short.write_text("secret")
    with taken:
        cases = {
            "check the path": ["none.onnx"],
            "NAME=PATH": [path, path],
            "choose another port": [path, "--port", taken.getsockname()[1]],
            "openssl rand": [path, "--token-file", short],
            "check the path ": [path, "--token-file", tmp_path / "none"],
            "0 to 65535": [path, "--port", 99999],
            "not an address of this machine": [path, "--host", "no.such.host.invalid"],
        }
        for what, arguments in cases.items():
            assert main(["serve", *map(str, arguments)]) == 2, arguments
            lines = capsys.readouterr().err.splitlines()
            assert len(lines) == 1 and what.strip() in lines[0], lines


def test_an_old_pillow_is_not_served_with(path, monkeypatch):
    monkeypatch.setattr(run.PIL, "__version__", "12.3.0")
    with pytest.raises(OptionError, match="Pillow 12"):
        run.serve({"colours": path}, Settings())


# --- 59: stopping under load


class Load:
    """Clients that send requests one after the other, and what became of each."""

    def __init__(self, port, clients):
        self.port = port
        self.over = threading.Event()
        self.lost, self.statuses = [], []
        self.threads = [threading.Thread(target=self.client) for _ in range(clients)]
        request = httpx.Request("POST", "http://localhost/x", files=[("images", ("a", photo(RED)))])
        self.body, self.kind = request.read(), request.headers["content-type"]
        for thread in self.threads:
            thread.start()

    def client(self):
        """Keep a connection as long as the server does; a request that is sent must be answered."""
        while not self.over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=12)
            with contextlib.closing(connection):
                try:
                    connection.connect()
                except OSError:
                    return
                while self.ask(connection):
                    pass

    def ask(self, connection):
        try:
            connection.request("POST", ADDRESS, self.body, {"Content-Type": self.kind})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.lost.append(time.monotonic())
            return False
        self.statuses.append(answer.status)
        return not answer.will_close and not self.over.is_set()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def stopped_under_load(path, clients=16):
    """What a stop did to requests; how long it took."""
    with running(path, stop_seconds=7) as server:
        batcher = server.context.registry.get("colours").batcher
        before = batcher._run
        batcher._run = lambda *given: (time.sleep(0.05), before(*given))[1]
        load = Load(server.port, clients)
        until(lambda: len(load.statuses) > clients)
        begun = time.monotonic()
        server.server.should_exit = True
        until(lambda: not server.server.server_state.connections and server.context.stopping, 10)
        spent = time.monotonic() - begun
        load.end()
    return load, spent


def test_a_stop_loses_no_request_that_came_in(path):
    load, spent = stopped_under_load(path)
    assert load.lost == [] and set(load.statuses) == {200}
    assert spent < 10


def test_without_grace_requests_on_their_way_are_lost(path, monkeypatch):
    """What uvicorn does as it comes: connections between two requests are closed at once."""

    def at_once(self):
        self.transport.abort()

    monkeypatch.setattr(connections.Connection, "shutdown", at_once)
    load, _ = stopped_under_load(path)
    assert load.lost != []


def test_a_silent_connection_does_not_hold_the_end_up(path):
    begun_request = f"POST {ADDRESS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx".encode()
    with (
        running(path, read_seconds=5.0, stop_seconds=3) as server,
        server.connect() as silent,
        server.connect() as half,
    ):
        half.sendall(begun_request)
        time.sleep(0.1)
        begun = time.monotonic()
        server.server.should_exit = True
        silent.settimeout(10)
        assert read_all(silent) == b""
        until(lambda: not server.server.server_state.tasks, 10)
        assert time.monotonic() - begun < 9


def test_while_it_stops_it_is_not_ready(path):
    with running(path) as server:
        server.context.stopping = True
        with server.client() as client:
            for address in ("/v1/health/ready", "/v2/health/ready"):
                answer = client.get(address)
                assert answer.status_code == 503 and answer.json()["ready"] is False
            assert client.get("/v1/health/live").status_code == 200
