"""Images of all clients meet here: decoded beside each other, then through the network in common batches.

A model has a thread a core that feeds it. A batch with nothing beside it goes through the network on all
cores; where there is more to do, each thread takes a batch on one core, which answers more in the same time
(docs/log.md). Nothing waits for others to come: a thread that is free takes what is ready, and the next batch
gathers while the network works on those before. On one core two images take twice as long as one, and
the first of them is answered with the last; batches therefore grow only where several would wait anyway.
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
from fieldguide.prediction.predictor import ImageSource, Outputs


@dataclass(frozen=True, slots=True)
class OutputRow:
    """What the network computed for one image."""

    probabilities: NDArray[np.float32]
    """Of shape (n_classes,)."""
    typicality: np.float32
    """From 0 to 1."""
    embedding: NDArray[np.float32]
    """Of shape (n_features,)."""


@dataclass(eq=False, slots=True)
class PendingImage:
    """One image on its way through the server."""

    source: ImageSource | None
    """Taken away once it is decoded, or once nobody waits for it."""
    future: "asyncio.Future[OutputRow | Refusal]"
    """Of the event loop that the request came in on."""
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    """Of shape (size, size, 3), once decoded."""


TURNS = 2
"""Images that each thread takes by themselves before batches grow."""
Run = Callable[[NDArray[np.uint8], bool], Outputs]
"""A network: pixels, and whether all cores may work on them."""
Report = Callable[[int, float], None]
"""Told of a batch: its images and its seconds in the network."""


class Batcher:
    """Feeds one network.

    Parameters
    ----------
    run
        The network: pixels, and whether nothing else is to be done beside them.
    size
        Images that go through it together at most.
    report
        Called after every batch, from its thread.
    threads
        Batches that go through the network beside each other.
    """

    def __init__(self, run: Run, size: int, report: Report, threads: int = 1) -> None:
        self._run, self._size, self._report = run, size, report
        self._changed = threading.Condition()
        self._ready: deque[PendingImage] = deque()
        self._coming = self._busy = 0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name="network", daemon=True) for _ in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def expect(self) -> None:
        """An image is being decoded; either :meth:`put` or :meth:`forget` follows."""
        with self._changed:
            self._coming += 1

    def put(self, ticket: PendingImage) -> None:
        """An expected image is ready."""
        with self._changed:
            self._coming -= 1
            self._ready.append(ticket)
            self._changed.notify()

    def forget(self) -> None:
        """An expected image will not come."""
        with self._changed:
            self._coming -= 1

    def close(self) -> None:
        """End the threads once what is ready is done; never waits for it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def alive(self) -> bool:
        """Whether any of its threads still runs."""
        return any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (found := self._next())[0]:
            batch, alone = found
            wanted = [ticket for ticket in batch if not ticket.future.done()]
            if wanted:
                settle(list(zip(wanted, self._answers(wanted, alone), strict=True)))
            with self._changed:
                self._busy -= 1

    def _next(self) -> tuple[list[PendingImage], bool]:
        """The next batch, and whether it is alone; empty once the batcher is closed and nothing is left."""
        with self._changed:
            while not self._ready and not self._closed:
                self._changed.wait()
            batch = [self._ready.popleft() for _ in range(self._share())]
            self._busy += 1
            self._changed.notify()  # another thread takes what is left
            return batch, self._busy == 1 and not self._ready and self._coming <= 0

    def _share(self) -> int:
        """Images of the next batch: more than one only where each thread would have two turns with them."""
        turns = TURNS * len(self._threads)
        return min(-(-len(self._ready) // turns), self._size)

    def _answers(self, tickets: list[PendingImage], alone: bool) -> list[OutputRow | Exception]:
        begun = time.monotonic()
        try:
            pixels = np.stack([ticket.pixels for ticket in tickets if ticket.pixels is not None])
            outputs = self._run(pixels, alone)
        except Exception as error:  # an answer to those who wait; the thread must live on
            return [error] * len(tickets)
        self._report(len(tickets), time.monotonic() - begun)
        rows = zip(outputs.probabilities, outputs.typicality, outputs.embedding, strict=True)
        return [OutputRow(*row) for row in rows]


def decode(
    ticket: PendingImage, prepare: Callable[[ImageSource], NDArray[np.uint8]], batcher: Batcher
) -> None:
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


def settle(results: list[tuple[PendingImage, Any]]) -> None:
    """Tell the event loop of results, in one call however many they are."""
    loop = results[0][0].future.get_loop()
    with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all who waited
        loop.call_soon_threadsafe(_settle, results)


def _settle(results: list[tuple[PendingImage, Any]]) -> None:
    for ticket, result in results:
        if ticket.future.done():
            continue
        if isinstance(result, Exception):
            ticket.future.set_exception(result)
        else:
            ticket.future.set_result(result)
