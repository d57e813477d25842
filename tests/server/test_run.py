"""Binds, serves, and stops in good order."""

import signal
import socket

import PIL
import pytest

from fieldguide.errors import OptionError
from fieldguide.server import run
from fieldguide.server.run import bind, serve
from fieldguide.server.settings import Settings
from server_made import running


def test_a_free_port_is_taken_and_one_that_is_taken_is_said():
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(OptionError, match=rf"--host 127\.0\.0\.1 --port {port}: cannot be listened on"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_said():
    with pytest.raises(OptionError, match=r"--host (no such name|192\.0\.2\.1)"):
        bind("192.0.2.1", 0)


def test_without_a_token_other_machines_are_kept_out_before_a_model_is_loaded(tmp_path):
    with pytest.raises(
        OptionError, match=r"--host 0\.0\.0\.0: other machines could reach the server, .*token"
    ):
        serve({"m": tmp_path / "none.onnx"}, Settings(), "0.0.0.0", 0)


def test_an_old_pillow_does_not_serve(monkeypatch):
    monkeypatch.setattr(PIL, "__version__", "12.1.0")
    with pytest.raises(OptionError, match=r"Pillow 12\.1\.0 has known faults"):
        serve({}, Settings())


def test_a_second_interrupt_ends_at_once(colours):
    with running(colours) as server:
        made = server.server
        made.handle_exit(signal.SIGTERM, None)
        assert made.should_exit and not made.force_exit and made.ended_by == signal.SIGTERM
        made.handle_exit(signal.SIGINT, None)
        assert made.force_exit and made.ended_by == signal.SIGINT


def test_once_told_to_stop_it_says_so_and_takes_nobody(colours):
    with running(colours) as server:
        port = server.port
        assert not server.context.stopping
    assert server.context.stopping
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), 2):
        pass


def test_signals_are_given_back(colours):
    before = signal.getsignal(signal.SIGTERM)
    server = run.server_of(run.make_context({"colours": colours}, Settings()))
    with server.capture_signals():
        assert signal.getsignal(signal.SIGTERM) == server.handle_exit
    assert signal.getsignal(signal.SIGTERM) == before
    server._context.admission.close()
    server._context.registry.close()
