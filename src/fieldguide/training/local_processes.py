"""Processes that a training starts on its machine, and ends: each has a GPU, or its share of the cores."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import torch

from fieldguide.errors import ProcessEnded
from fieldguide.files import scratch_folder
from fieldguide.training.devices import Place, loopback_only
from fieldguide.training.processes import Processes, of_connections

END_SECONDS = 10.0
"""For a process to end, or for its end to be seen."""
READY = b"ready"
_PROGRAM = "import sys; sys.path[:] = {path!r}; from {module} import work; work({place!r}, {meeting!r})"


class LocalProcesses(Processes):
    """The process that leads, and others that it started.

    Parameters
    ----------
    place
        Of the process that leads.
    started
        The others, in the order of their ranks.
    """

    def __init__(self, place: Place, started: list["StartedProcess"]) -> None:
        super().__init__(place)
        self.others: list[StartedProcess] = started

    def look_for_ended(self, seconds: float) -> None:
        """Say which process has ended, if one does so within some seconds.

        Raises
        ------
        ProcessEnded
            With the signal or exit code, and what it said last.
        """
        until = time.monotonic() + seconds
        while True:
            for number, process in enumerate(self.others, start=2):
                if process.ended:
                    raise ProcessEnded(
                        f"training: process {number} of {self.place.size} {process.reason()}; "
                        "what was learned up to the last checkpoint is kept"
                    )
            if time.monotonic() > until:
                return
            time.sleep(0.05)


class StartedProcess:
    """One of them; it ends when this process does, however that ends.

    Parameters
    ----------
    module
        Has a function ``work(place, meeting)``: fields of a :class:`Place`, and where to meet, as a URL.
    place
        Of the process.
    meeting
        A file that does not exist yet, where they find each other.
    """

    def __init__(self, module: str, place: Place, meeting: Path) -> None:
        told = {"module": module, "place": tuple(vars(place).values()), "meeting": meeting.as_uri()}
        program = _PROGRAM.format(path=sys.path, **told)
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # Nothing is written into its standard input, which closes when this process ends, however that ends.
        # In a session of its own it gets no Ctrl-C from the terminal: this process decides when it ends.
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            start_new_session=True,
        )

    @property
    def number(self) -> int:
        """By which the system knows it."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def wait_until_ready(self) -> bool:
        """Wait until it has begun, or ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip() == READY

    def reason(self) -> str:
        """How it ended, with the last line that it said."""
        code = self._process.wait()
        self._said.seek(0)
        lines = self._said.read()[-2000:].decode(errors="replace").strip().splitlines()
        said = f": {lines[-1].strip()}" if lines else ""
        if code < 0:
            return f"was ended by signal {-code} ({signal.Signals(-code).name}){said}"
        return f"ended with exit code {code}{said}"

    def let_go(self) -> None:
        """Close what ties it to this process, as the system does when this process ends."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def end(self, seconds: float) -> None:
        """Wait for its end, and end it where that takes longer."""
        self.let_go()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


@contextlib.contextmanager
def local_processes(devices: int, module: str) -> Iterator[LocalProcesses]:
    """Start processes that train together with this one until the ``with`` block ends.

    Each has its share of the cores, or a GPU of its own where there are GPUs.

    Parameters
    ----------
    devices
        How many in all, this one included; at least 2.
    module
        What the others run, as :class:`StartedProcess` says.

    Raises
    ------
    OptionError
        If there are GPUs, but fewer.
    ProcessEnded
        If one ends before it has begun.
    """
    place = Place.on_this_machine(devices)
    cores = torch.get_num_threads()
    with scratch_folder() as folder, contextlib.ExitStack() as started:
        others: list[StartedProcess] = []
        team = LocalProcesses(replace(place, threads=max(1, cores // devices)), others)
        for rank in range(1, devices):
            own = replace(team.place, rank=rank, local_rank=rank)
            others.append(StartedProcess(module, own, folder / "meeting"))
            started.callback(others[-1].end, 0.0)
        if not all(process.wait_until_ready() for process in others):
            team.look_for_ended(END_SECONDS)
        torch.set_num_threads(team.place.threads)
        try:
            with loopback_only():
                team.meet((folder / "meeting").as_uri())
            yield team
        except RuntimeError as error:
            team.look_for_ended(END_SECONDS if of_connections(error) else 0.0)
            raise
        finally:
            torch.set_num_threads(cores)
            with contextlib.suppress(RuntimeError):  # from those that ended there is no parting in order
                team.part()


def end_with_the_first() -> None:
    """Say that this process has begun, and end it when the one that started it ends; returns at once."""
    threading.Thread(target=_wait_for_the_end, daemon=True, name="end").start()
    os.write(1, READY + b"\n")
    os.dup2(2, 1)  # nobody reads the pipe from here on, and a full one would stop whatever writes into it


def _wait_for_the_end() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)
