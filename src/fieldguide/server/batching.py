"""Images of all clients meet here: decoded in threads, then through the network in common batches.

A model has one session and one thread that feeds it. A batch leaves when it is full, when nothing more is on
its way from the decoders, or when its first image has waited `batch_wait`. Since the next batch gathers while
the network works on the one before, batches fill by themselves under load, and a lone image never waits.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import Refusal, RefusedInput
from fieldguide.predictor import ImageSource, Outputs


@dataclass(frozen=True, slots=True)
class Row:
    """What the network computed for one image."""

    probabilities: NDArray[np.float32]
    """Of shape (n_classes,)."""
    typicality: np.float32
    """From 0 to 1."""
    embedding: NDArray[np.float32]
    """Of shape (n_features,)."""


@dataclass(eq=False, slots=True)
class Ticket:
    """One image on its way through the server."""

    source: ImageSource | None
    """Taken away once it is decoded, or once nobody waits for it."""
    future: "asyncio.Future[Row | Refusal]"
    """Of the event loop that the request came in on."""
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    """Of shape (size, size, 3), once decoded."""
    ready: float = 0.0
    """When it was decoded, by the monotonic clock."""


Report = Callable[[int, float], None]
"""Told of a batch: its images and its seconds in the network."""


class Batcher:
    """Feeds one network from one thread.

    Parameters
    ----------
    run
        The network, as :meth:`fieldguide.predictor.Predictor.run`.
    size
        Images that go through it together at most.
    wait
        Seconds for which an image waits for others that are being decoded.
    report
        Called after every batch, from the thread.
    """

    def __init__(
        self, run: Callable[[NDArray[np.uint8]], Outputs], size: int, wait: float, report: Report
    ) -> None:
        self._run, self._size, self._wait, self._report = run, size, wait, report
        self._changed = threading.Condition()
        self._ready: deque[Ticket] = deque()
        self._coming = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    def expect(self) -> None:
        """An image is being decoded; either :meth:`put` or :meth:`forget` follows."""
        with self._changed:
            self._coming += 1

    def put(self, ticket: Ticket) -> None:
        """An expected image is ready."""
        ticket.ready = time.monotonic()
        with self._changed:
            self._coming -= 1
            self._ready.append(ticket)
            self._changed.notify()

    def forget(self) -> None:
        """An expected image will not come."""
        with self._changed:
            self._coming -= 1
            self._changed.notify()

    def close(self) -> None:
        """End the thread once what is ready is done; never waits for it."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        while batch := self._next():
            wanted = [ticket for ticket in batch if not ticket.future.done()]
            if wanted:
                settle(list(zip(wanted, self._answers(wanted), strict=True)))

    def _next(self) -> list[Ticket]:
        """The next batch; empty once the batcher is closed and nothing is left."""
        with self._changed:
            while not self._leaves():
                self._changed.wait(self._patience())
            return [self._ready.popleft() for _ in range(min(len(self._ready), self._size))]

    def _leaves(self) -> bool:
        if not self._ready:
            return self._closed
        return len(self._ready) >= self._size or self._coming <= 0 or self._patience() == 0.0

    def _patience(self) -> float | None:
        """Seconds for which the first image may still wait; None where there is none."""
        if not self._ready:
            return None
        return max(0.0, self._ready[0].ready + self._wait - time.monotonic())

    def _answers(self, tickets: list[Ticket]) -> list[Row | Exception]:
        begun = time.monotonic()
        try:
            outputs = self._run(np.stack([ticket.pixels for ticket in tickets if ticket.pixels is not None]))
        except Exception as error:  # an answer to those who wait; the thread must live on
            return [error] * len(tickets)
        self._report(len(tickets), time.monotonic() - begun)
        rows = zip(outputs.probabilities, outputs.typicality, outputs.embedding, strict=True)
        return [Row(*row) for row in rows]


def decode(ticket: Ticket, prepare: Callable[[ImageSource], NDArray[np.uint8]], batcher: Batcher) -> None:
    """Decode a ticket's image and hand it to the network; runs in a thread and raises nothing."""
    source, ticket.source = ticket.source, None
    if source is None or ticket.future.done():
        batcher.forget()
        return
    try:
        ticket.pixels = prepare(source)
    except Exception as error:
        batcher.forget()
        refused = isinstance(error, RefusedInput)
        settle([(ticket, Refusal("", error.code, error.message) if refused else error)])  # type: ignore[attr-defined]
    else:
        batcher.put(ticket)


def settle(results: list[tuple[Ticket, Any]]) -> None:
    """Tell the event loop of results, in one call however many they are."""
    loop = results[0][0].future.get_loop()
    with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all who waited
        loop.call_soon_threadsafe(_settle, results)


def _settle(results: list[tuple[Ticket, Any]]) -> None:
    for ticket, result in results:
        if ticket.future.done():
            continue
        if isinstance(result, Exception):
            ticket.future.set_exception(result)
        else:
            ticket.future.set_result(result)
