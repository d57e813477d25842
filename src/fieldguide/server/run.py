"""Binds, serves, and stops in good order."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import PIL
import uvicorn

from fieldguide.errors import OptionError
from fieldguide.modelfile.session import bound_memory
from fieldguide.server.app import make_app, make_context
from fieldguide.server.connections import protocol_for, sweep
from fieldguide.server.context import Context
from fieldguide.server.logs import event
from fieldguide.server.settings import Settings

LEAST_PILLOW = 13
BACKLOG = 256
FILE_MEMORY = 4
"""How often a model file may be in memory: weights, what is made of them, and those of its successor."""


def serve(
    paths: Mapping[str, Path],
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    started: Callable[[str, int], None] = lambda host, port: None,
) -> int | None:
    """Serve models until the process is told to stop.

    Parameters
    ----------
    paths
        Names of models and their files.
    settings
        Limits, token and further hosts.
    host, port
        Where to listen; port 0 takes a free one.
    started
        Called with the address once requests are answered.

    Returns
    -------
    int or None
        The signal that ended it.

    Raises
    ------
    OptionError
        If the address cannot be had, or other machines could reach it and there is no token.
    ModelFileError
        If a model file cannot be used.
    """
    _check_pillow()
    listener = bind(host, port)
    with contextlib.closing(listener):
        address, taken = listener.getsockname()[:2]
        settings = replace(settings, loopback=ipaddress.ip_address(address).is_loopback)
        if not settings.loopback and settings.token is None:
            raise OptionError(
                f"--host {host}: other machines could reach the server, which needs a token for that; "
                "give one with --token-file or FIELDGUIDE_TOKEN, or stay at --host 127.0.0.1"
            )
        bound_memory(settings.model_bytes + FILE_MEMORY * sum(map(_size, paths.values())))
        context = make_context(paths, settings)
        context.admission.start()
        gc.freeze()  # what was loaded stays, and looking through it would hold requests up for tens of ms
        server = server_of(context)
        event("starting", host=address, port=taken, models=list(paths), token=settings.token is not None)
        server.on_start = lambda: started(address, taken)
        server.run(sockets=[listener])
    event("stopped", signal=server.ended_by)
    return server.ended_by


def server_of(context: Context) -> "Server":
    """The server of a context, not yet running; ``run(sockets=[bind(...)])`` runs it, in any thread."""
    return Server(_configuration(context), context)


class Server(uvicorn.Server):
    """uvicorn's server: sweeps connections, says when it stops, and ends without raising the signal again."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context
        self.ended_by: int | None = None
        self.on_start: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then sweep."""
        await super().startup(sockets)
        self._sweeping = asyncio.create_task(sweep(self.server_state))
        self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what was accepted; the sweep goes on, for slow clients must not hold the end up."""
        self._context.stopping = True
        event("stopping", signal=self.ended_by, waiting=self._context.admission.waiting)
        await super().shutdown(sockets)
        self._sweeping.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while serving, and give them back after."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for number in before:
                signal.signal(number, self.handle_exit)
        except ValueError:  # not the main thread: whoever owns the process sets should_exit
            yield
            return
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to stop; a second Ctrl-C ends at once."""
        self.force_exit: bool = self.should_exit and sig == signal.SIGINT
        self.ended_by = sig
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Take an address; clients are refused until the server listens on it.

    Raises
    ------
    OptionError
        If the address is not this machine's, or taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OptionError(f"--host {host}: is not an address of this machine ({error.strerror})") from error
    try:
        if os.name == "posix":  # elsewhere it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OptionError(
            f"--host {host} --port {port}: cannot be listened on ({error.strerror}); choose another port"
        ) from error
    listener.setblocking(False)
    return listener


def _configuration(context: Context) -> uvicorn.Config:
    settings = context.settings
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return uvicorn.Config(
        make_app(context),
        http=protocol_for(settings, context.metrics),
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # told when it is loaded
        return 0


def _check_pillow() -> None:
    if int(PIL.__version__.partition(".")[0]) < LEAST_PILLOW:
        raise OptionError(
            f"Pillow {PIL.__version__} has known faults in its decoders; a server needs {LEAST_PILLOW} or "
            "newer: pip install --upgrade pillow"
        )
