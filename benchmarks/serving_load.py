"""Servers in processes of their own and clients that cost little: what `serving.py` measures with."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

BOUNDARY = "benchmark-boundary"


@dataclass
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen
    port: int
    address: str
    """Of the page that takes photos."""
    log: Path
    temporary: Path
    """What it takes for the folder of temporary files."""

    def processes(self) -> list[Path]:
        """The server itself and those that decode for it, as folders of /proc."""
        own = Path(f"/proc/{self.process.pid}")
        kids = [pid for task in (own / "task").iterdir() for pid in (task / "children").read_text().split()]
        return [own, *(Path("/proc") / pid for pid in kids)]

    def memory(self, field: str = "VmRSS") -> float:
        """Megabytes that all of them hold."""
        texts = [(process / "status").read_text() for process in self.processes()]
        # Of a process that has just ended nothing is said.
        held = [text.split(f"{field}:")[1].split()[0] for text in texts if f"{field}:" in text]
        return sum(map(int, held)) / 1024

    def peak(self) -> float:
        """Megabytes that each held at most, added up."""
        return self.memory("VmHWM")

    def descriptors(self) -> int:
        """Files that they hold open."""
        return sum(len(list((process / "fd").iterdir())) for process in self.processes())

    def threads(self) -> int:
        """Threads that they have."""
        return sum(len(list((process / "task").iterdir())) for process in self.processes())


@contextlib.contextmanager
def fieldguide(model: Path, *arguments: str) -> Iterator[Running]:
    """`fieldguide serve`."""
    command = [sys.executable, "-m", "fieldguide", "serve", f"model={model}", "--port", "0", *arguments]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        here = {**os.environ, "TMPDIR": str(temporary)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=here)
        port = int(process.stdout.readline().rpartition(":")[2])
        with ended(process):
            yield Running(process, port, "/v1/models/model:predict", Path(folder) / "log", temporary)


@contextlib.contextmanager
def ended(process: subprocess.Popen, whole_group: bool = False) -> Iterator[None]:
    """End a process after use."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM) if whole_group else process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL) if whole_group else process.kill()
            process.wait()


@dataclass
class Found:
    """What clients found."""

    seconds: list[float] = field(default_factory=list)
    """Of requests answered with 200."""
    statuses: Counter = field(default_factory=Counter)
    lost: int = 0
    """Requests without an answer."""
    spent: float = float("nan")
    """Seconds from the first request to the last answer."""

    def add(self, status: int | None, seconds: float) -> None:
        """One request."""
        if status is None:
            self.lost += 1
            return
        self.statuses[status] += 1
        if status == 200:
            self.seconds.append(seconds)

    @property
    def asked(self) -> int:
        """All requests."""
        return sum(self.statuses.values()) + self.lost

    def rate(self) -> float:
        """Requests answered with 200, a second."""
        return self.statuses[200] / self.spent

    def percentile(self, share: float) -> float:
        """Milliseconds within which that share of the accepted was answered."""
        return round(float(np.percentile(self.seconds, share)) * 1000, 1) if self.seconds else float("nan")


def request_of(address: str, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> bytes:
    """The bytes of a request."""
    head = (
        f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    )
    return f"{head}\r\n\r\n".encode() + body


def form_of(photo: bytes) -> bytes:
    """A form with one photo."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n'
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bool]:
    """Send a request; its status, and whether the connection lives on."""
    writer.write(request)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), b"connection: close" not in head


async def client(
    port: int, requests: Iterator[bytes], found: Found, until: Callable[[], bool], pause: float
) -> None:
    """One client with one connection, one request after the other."""
    while not until():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        alive = True
        try:
            while alive and not until():
                begun = time.perf_counter()
                try:
                    status, alive = await ask(reader, writer, next(requests))
                except (OSError, asyncio.IncompleteReadError):
                    found.add(None, 0.0)
                    break
                found.add(status, time.perf_counter() - begun)
                if pause:
                    await asyncio.sleep(random.expovariate(1 / pause))
        except StopIteration:
            return
        finally:
            writer.close()


def load(server: Running, photos: list[bytes], clients: int, seconds: float, pause: float = 0.0) -> Found:
    """Let so many clients send photos for so long; `pause` is the mean between two requests of one."""
    found = Found()
    requests = itertools.cycle([request_of(server.address, form_of(photo)) for photo in photos])

    async def all_clients() -> None:
        end = time.monotonic() + seconds
        over = lambda: time.monotonic() >= end  # noqa: E731
        await asyncio.gather(*[client(server.port, requests, found, over, pause) for _ in range(clients)])

    found.spent = timed(all_clients())
    return found


def timed(work: Coroutine) -> float:
    """Run it; the seconds that it took."""
    begun = time.monotonic()
    asyncio.run(work)
    return time.monotonic() - begun


def open_load(server: Running, photos: list[bytes], rate: float, seconds: float) -> Found:
    """Send photos at a rate, whether or not earlier ones are answered: each on a free connection."""
    found = Found()
    requests = itertools.cycle([request_of(server.address, form_of(photo)) for photo in photos])
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def kept() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A free connection that the server has not closed meanwhile for having been idle."""
        while free:
            reader, writer = free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def one(begun: float) -> None:
        try:
            pair = kept() or await asyncio.open_connection("127.0.0.1", server.port)
            status, alive = await ask(*pair, next(requests))
        except (OSError, asyncio.IncompleteReadError):
            found.add(None, 0.0)
            return
        found.add(status, time.monotonic() - begun)
        free.append(pair) if alive else pair[1].close()

    async def all_requests() -> None:
        tasks, due = set(), time.monotonic()
        end = due + seconds
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(one(time.monotonic()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += random.expovariate(rate)
        await asyncio.gather(*tasks)
        for _, writer in free:
            writer.close()

    found.spent = timed(all_requests())
    return found
