"""How a command ends early: Ctrl-C, SIGTERM, a terminal that closes; and standard streams that are closed.

The first Ctrl-C is a KeyboardInterrupt, which training and searches take as the wish to finish with what they
have; another one ends that, too. SIGTERM and SIGHUP end the process within a second, also while a library
computes and Python is not asked: files are written whole or not at all, and what is left over is cleared by
the next command.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

PATIENCE_SECONDS = 0.7
"""For which an order to end may wait for Python; then the process ends as it is."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP, as an exception so that temporary files are removed on the way out.

    Parameters
    ----------
    number
        The signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.code: int = 128 + number
        """The exit code that a shell would give: 143 or 129."""


class Signals:
    """Signals as exceptions, until the command is leaving; then any further one ends the process at once."""

    def __init__(self) -> None:
        self.leaving = False
        """Whether the command has ended already and only cleans up."""
        self.interrupts: int = 0
        """How often Ctrl-C was pressed while it ran."""

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Have signals raised within the ``with`` block, where they have no handler of somebody else's.

        Outside the main thread nothing is done: whoever owns the process decides.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _numbers()}
        ours = [
            number
            for number, handler in before.items()
            if handler in (signal.SIG_DFL, signal.default_int_handler)  # one that is ignored stays ignored
        ]
        for number in ours:
            signal.signal(number, self._end)
        try:
            with self._watched():
                yield
        finally:
            for number in ours:
                signal.signal(number, before[number])

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.leaving:
            leave(128 + number)
        if number == signal.SIGINT:
            self.interrupts += 1
            raise KeyboardInterrupt
        raise Terminated(number)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Have a thread see to it that orders to end are followed soon: Python's own handlers may wait."""
        if sys.platform == "win32":  # where nobody sends them
            yield
            return
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        # A child that was forked must not report its own signals here.
        os.register_at_fork(after_in_child=lambda: _forget(writer))
        threading.Thread(target=self._watch, args=(reader,), daemon=True, name="signals").start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            os.close(writer)

    def _watch(self, reader: int) -> None:
        while byte := os.read(reader, 1):
            number = byte[0]
            if number == signal.SIGINT and not self.leaving:
                continue
            time.sleep(PATIENCE_SECONDS)
            if signal.getsignal(number) == self._end:  # not a server's, which ends in its own time
                if not self.leaving:
                    with contextlib.suppress(OSError):
                        os.write(2, b"fieldguide: terminated; what was finished is kept\n")
                leave(128 + number)
        os.close(reader)


def open_standard_streams() -> None:
    """Give standard streams that are closed a place to go, or files would be opened in their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def let_go(stream_number: int) -> None:
    """Send what is left for a standard stream that nobody reads to nowhere: Python flushes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream_number)
    os.close(nowhere)


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _forget(writer: int) -> None:
    with contextlib.suppress(ValueError, OSError):
        before = signal.set_wakeup_fd(-1)
        if before not in (-1, writer):  # somebody else's, who has reasons
            signal.set_wakeup_fd(before)


def leave(code: int) -> None:
    """End the process as it is: no thread is waited for. Bars had hidden the cursor.

    Parameters
    ----------
    code
        The exit code.
    """
    with contextlib.suppress(OSError):
        if os.isatty(2):
            os.write(2, b"\x1b[?25h")
    os._exit(code)
