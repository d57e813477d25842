"""Images are decoded in processes of their own: a file that crashes a decoder has no answer, all others have.

Pillow stands on libraries in C, and the next hole in one of them is a matter of time. Only POSIX hands a
socket to a child as simply as this; elsewhere images are decoded in the server itself.
"""

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import RefusedInput
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.prediction.predictor import ImageSource
from fieldguide.server.decoder_process import READY, exactly, order_of, received, sent

SEPARATE = os.name == "posix"
"""Whether there are such processes."""
START_SECONDS = 60.0
"""For a process to begin; a machine may be busy."""
ATTEMPTS = 2
"""A process may have been ended for what another file left in it, or by a machine short of memory."""

OnEnd = Callable[[int | None], None]
"""Told of the exit code of a process that ended by itself; None for one that hung."""


class Decoders:
    """So many processes, each of them started when it is first needed.

    Parameters
    ----------
    count
        Processes; as many threads may call at once.
    seconds
        For one image; a process that takes longer is ended.
    told
        Called, from any thread, when a process ended.
    """

    def __init__(self, count: int, seconds: float, on_end: OnEnd = lambda code: None) -> None:
        self._all = [_Process(seconds, on_end) for _ in range(count)]
        self._free: queue.LifoQueue[_Process] = queue.LifoQueue()
        for process in self._all:
            self._free.put(process)

    def start(self) -> None:
        """Start all now, so that the first images find them; waits for none."""
        if SEPARATE:
            for process in self._all:
                process.start()

    def prepare(self, source: ImageSource, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """Decode one image and shrink it to the network's square.

        Returns
        -------
        ndarray of shape (size, size, 3), uint8

        Raises
        ------
        RefusedInput
            If the image cannot be read; with ``decoder_failed`` if decoding it ended the process, twice.
        """
        if not SEPARATE or not isinstance(source, bytes):
            return network_pixels(source, preprocessing)
        process = self._free.get()
        try:
            return process.prepare(source, preprocessing)
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End all processes, and what waits for them."""
        for process in self._all:
            process.kill()
        ended = []
        for _ in self._all:
            with contextlib.suppress(queue.Empty):
                ended.append(self._free.get(timeout=1.0))
        for process in ended:
            process.hang_up()
            self._free.put(process)  # whoever comes late is told so


class _Process:
    """One process; one thread at a time speaks with it."""

    def __init__(self, seconds: float, on_end: OnEnd) -> None:
        self._seconds, self._on_end = seconds, on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._begun = self._closed = False

    def start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                # -P: what lies in the working directory is not to be imported.
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", program(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            except OSError:
                ours.close()
                raise
        self._connection, self._begun = ours, False

    def prepare(self, content: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        for _ in range(ATTEMPTS):
            try:
                return self._asked(content, preprocessing)
            except TimeoutError:
                self._end(hung=True)
                break
            except (EOFError, OSError):  # of the socket: whatever the file's fault, it comes as an answer
                self._end()
        raise RefusedInput("decoder_failed", "decoding this image crashed or took too long; save it again")

    def kill(self) -> None:
        self._closed = True
        if self._process is not None:
            self._process.kill()  # whoever waits for its answer sees the socket end
            self._process.wait()

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _asked(self, content: bytes, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        if self._closed:
            raise RuntimeError("the server has ended")
        if self._connection is None:
            self._start_or_fail()
        assert self._connection is not None
        if not self._begun:
            self._connection.settimeout(START_SECONDS)
            exactly(self._connection, len(READY))
            self._begun = True
        self._connection.settimeout(self._seconds)
        sent(self._connection, order_of(preprocessing), content)
        return _pixels(*received(self._connection))

    def _start_or_fail(self) -> None:
        try:
            self.start()
        except OSError as error:  # no fault of the image
            raise RuntimeError(f"no process could be started to decode ({error.strerror})") from error

    def _end(self, hung: bool = False) -> None:
        self.hang_up()
        if self._process is not None and not self._closed:
            if hung:
                self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)  # it closes its socket a little before it has ended
            self._process.kill()
            self._on_end(None if hung else self._process.wait())


def program(descriptor: int) -> str:
    """What the process runs. Its numpy is to start no threads: each would take of its address space."""
    threads = "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'"
    return f"{threads}; from fieldguide.server.decoder_process import work; work({descriptor})"


def _pixels(answer: bytes, pixels: bytearray) -> NDArray[np.uint8]:
    said = json.loads(answer)
    if "shape" in said:
        return np.frombuffer(pixels, np.uint8).reshape(said["shape"])
    if "code" in said:
        raise RefusedInput(said["code"], said["message"])
    if "memory" in said:
        raise MemoryError
    raise RuntimeError(said["mistake"])
