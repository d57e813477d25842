"""Commands that run in processes of their own, each with a folder that tells how it goes.

A job outlives the page, the tab and the app that started it. Its folder holds ``job.json`` (the command),
``progress.jsonl``, ``log.txt``, ``result.json`` and ``lock``. The lock is held by the running process and
ends with it, however it ends, so what a job's folder says can be trusted after a crash and after a restart.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import OptionError
from fieldguide.files import atomic_write, lock
from fieldguide.installation import program_line
from fieldguide.workspace.progress_file import RecordedProgress, read_progress

PROGRAM = (sys.executable, "-m", "fieldguide")
HEARING_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Started first: an app that a script put into the background ignores SIGINT, and so would its children."""
HOLDING_THE_LOCK = (
    "import os, signal, sys; from fieldguide.files import lock; lock(os.open(sys.argv[1], os.O_RDWR)); "
    "signal.signal(signal.SIGBREAK, signal.default_int_handler); "
    "from fieldguide.cli import main; sys.exit(main(sys.argv[2:]))"
)
"""The same on Windows, where a process inherits no lock, and Ctrl-Break reaches a group of processes."""
LOCKED_SECONDS = 10.0
"""On Windows a job's process is waited for that long to take its lock."""
RUNNING, STOPPING, DONE, STOPPED, FAILED = "running", "stopping", "done", "stopped", "failed"


@dataclass(frozen=True)
class Job:
    """A folder that :func:`start` made."""

    folder: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows ``fieldguide`` on the command line."""
        return tuple(self._facts["arguments"])

    @property
    def started(self) -> float:
        """Seconds since 1970."""
        return float(self._facts["started"])

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        ended = time.time()
        if self.state not in (RUNNING, STOPPING):
            written = [path.stat().st_mtime for path in (self._log, self._result) if path.is_file()]
            ended = max(written, default=self.started)
        return max(0.0, ended - self.started)

    @property
    def state(self) -> str:
        """`running`, `stopping`, `done`, `stopped` or `failed`."""
        stop_wanted = self._stop.exists()
        if self._alive():
            return STOPPING if stop_wanted else RUNNING
        result = self.result
        if result is not None:
            return STOPPED if result.get("interrupted") else DONE
        return STOPPED if stop_wanted else FAILED

    @property
    def story(self) -> RecordedProgress:
        """Stages and history so far."""
        return read_progress(self.folder / "progress.jsonl")

    @property
    def result(self) -> dict[str, Any] | None:
        """What the command wrote as JSON; None until then."""
        try:
            found = json.loads(self._result.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    @property
    def log(self) -> str:
        """What the command said, its end at least."""
        try:
            return self._log.read_bytes()[-20_000:].decode("utf-8", "replace")
        except OSError:
            return ""

    @property
    def last_words(self) -> str:
        """The last line of the log: where a command fails, the reason."""
        lines = self.log.strip().splitlines()
        return lines[-1].strip() if lines else ""

    def option(self, name: str) -> str | None:
        """The value of an option of the command, such as ``--out``."""
        arguments = self.arguments
        return arguments[arguments.index(name) + 1] if name in arguments[:-1] else None

    def stop(self, *, at_once: bool = False) -> None:
        """Ask the process to end as Ctrl-C does: what was finished is kept.

        Parameters
        ----------
        at_once
            Kill it instead; checkpoints and an older model file stay.
        """
        self._stop.touch()
        if self._alive():
            os.kill(int(self._pid.read_text()), _signal_to_stop(at_once))

    def start_again(self, extra: Sequence[str] = ()) -> None:
        """Run the command again in this folder, with `extra` behind it, such as ``--resume``.

        Raises
        ------
        OptionError
            If it is running.
        """
        if self._alive():
            raise OptionError(f"{self.folder.name}: this job is running; stop it first")
        kept = [argument for argument in self.arguments if argument not in extra]
        _launch(self, [*kept, *extra])

    @property
    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.folder / "job.json").read_text(encoding="ascii"))
        return facts

    def _alive(self) -> bool:
        """Whether the process holds its lock."""
        try:
            descriptor = os.open(self.folder / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            return lock(descriptor) is False
        finally:
            os.close(descriptor)

    @property
    def _stop(self) -> Path:
        return self.folder / "stop"

    @property
    def _pid(self) -> Path:
        return self.folder / "pid"

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def _result(self) -> Path:
        return self.folder / "result.json"


def start(folder: Path, arguments: Sequence[str]) -> Job:
    """Run a command of fieldguide in a process of its own.

    Parameters
    ----------
    folder
        Where jobs lie; the job gets a new folder in it.
    arguments
        What follows ``fieldguide``, without ``--json`` and ``--progress``, which the job adds. The command
        must take both.

    Raises
    ------
    OptionError
        Where processes cannot be watched in this way, which is on Windows.
    """
    if sys.platform == "win32":
        command = shown(arguments)
        raise OptionError(f"the app trains on Linux and macOS only; run this in a terminal: {command}")
    job = Job(folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}")
    job.folder.mkdir(parents=True)
    _launch(job, list(arguments))
    return job


def all_jobs(folder: Path) -> tuple[Job, ...]:
    """The jobs of a folder, the newest first."""
    found = (
        [Job(path) for path in folder.iterdir() if (path / "job.json").is_file()] if folder.is_dir() else []
    )
    return tuple(sorted(found, key=lambda job: job.folder.name, reverse=True))


def shown(arguments: Sequence[str]) -> str:
    """The command as a person types it."""
    return program_line(*arguments)


def _launch(job: Job, arguments: list[str]) -> None:
    for name in ("stop", "result.json", "progress.jsonl"):
        (job.folder / name).unlink(missing_ok=True)
    facts = {"arguments": arguments, "started": time.time()}
    with atomic_write(job.folder / "job.json") as file:
        file.write(json.dumps(facts).encode("ascii"))
    outputs = ["--json", str(job.folder / "result.json"), "--progress", str(job.folder / "progress.jsonl")]
    process = _process(job.folder, [*arguments, *outputs])
    (job.folder / "pid").write_text(str(process.pid))
    threading.Thread(target=process.wait, daemon=True).start()


def _process(folder: Path, arguments: list[str]) -> "subprocess.Popen[bytes]":
    """Start ``fieldguide`` in a process that holds the folder's lock until its own end."""
    held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with (folder / "log.txt").open("wb") as log:
            if sys.platform == "win32":
                process = subprocess.Popen(
                    [sys.executable, "-c", HOLDING_THE_LOCK, str(folder / "lock"), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
                )
                _wait_for_lock(held, process)
                return process
            lock(held)
            return subprocess.Popen(
                [sys.executable, "-ISc", HEARING_CTRL_C, *PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The process inherits the open lock, and holds it until its own end.
                pass_fds=(held,),
                # Ctrl-C in the app's terminal is meant for the app.
                start_new_session=True,
            )
    finally:
        os.close(held)


if sys.platform == "win32":

    def _wait_for_lock(descriptor: int, process: "subprocess.Popen[bytes]") -> None:
        ended = time.monotonic() + LOCKED_SECONDS
        while process.poll() is None and time.monotonic() < ended:
            probe = os.dup(descriptor)
            taken = lock(probe) is False
            os.close(probe)
            if taken:
                return
            time.sleep(0.05)


def _signal_to_stop(at_once: bool) -> int:
    if sys.platform == "win32":
        return signal.SIGTERM if at_once else signal.CTRL_BREAK_EVENT
    return signal.SIGKILL if at_once else signal.SIGINT
