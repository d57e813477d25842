"""Who is let in: so many images, so many bytes, so long. What is accepted is answered soon or not at all."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fieldguide.errors import Refusal
from fieldguide.prediction.predictor import ImageSource
from fieldguide.server.batching import OutputRow, PendingImage, decode
from fieldguide.server.decoder_pool import Decoders, OnEnd
from fieldguide.server.models import Model
from fieldguide.server.problems import Problem
from fieldguide.server.settings import Settings
from fieldguide.threads import usable_cores

MOST_DECODERS = 4
"""Images decoded at once: each may take 280 MB, and four keep up with a network on some twenty cores."""
LARGE_BODY = 500_000
"""Bytes; taking so many apart costs about a millisecond."""

Parsed = TypeVar("Parsed")


class Admission:
    """The bounded queue of the server, shared by its models.

    Parameters
    ----------
    settings
        For `queue`, `buffered_bytes`, `threads` and `decode_seconds`.
    told
        Called for each decoder that ended, from any thread.
    """

    def __init__(self, settings: Settings, on_end: OnEnd = lambda code: None) -> None:
        self._settings = settings
        self._seats = settings.queue
        self._held = 0
        threads = min(settings.threads or usable_cores(), MOST_DECODERS)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._decoders = Decoders(threads, settings.decode_seconds, on_end)

    @property
    def waiting(self) -> int:
        """Images accepted and not yet answered."""
        return self._settings.queue - self._seats

    @property
    def held(self) -> int:
        """Bytes of bodies in memory."""
        return self._held

    def start(self) -> None:
        """Start the decoders, which otherwise begin with the first images."""
        self._decoders.start()

    def check_room(self) -> None:
        """Refuse a request before its body is read, if it could not be accepted now.

        Raises
        ------
        Problem
            ``overloaded``.
        """
        if self._seats <= 0:
            raise _overloaded(f"{self.waiting} images are being worked on, which is as many as may wait")

    def hold(self, size: int) -> None:
        """Count bytes that came in; :meth:`release` gives them back."""
        if self._held + size > self._settings.buffered_bytes:
            raise _overloaded("requests that are being read fill the memory set aside for them")
        self._held += size

    def release(self, size: int) -> None:
        """Give bytes back."""
        self._held -= size

    @contextlib.contextmanager
    def seats(self, count: int) -> Iterator[None]:
        """Take seats for so many images, or raise ``overloaded``."""
        if count > self._seats:
            self.check_room()
            raise _overloaded(f"only {self._seats} of the {count} images would find room now")
        self._seats -= count
        try:
            yield
        finally:
            self._seats += count

    async def answer(self, model: Model, sources: Sequence[ImageSource]) -> list[OutputRow | Refusal]:
        """Decode images and run the network over them; one answer an image, in order.

        Cancelling it takes back whatever has not begun.
        """
        loop = asyncio.get_running_loop()
        tickets = [PendingImage(source, loop.create_future()) for source in sources]
        prepare = functools.partial(self._decoders.prepare, preprocessing=model.predictor.preprocessing)
        try:
            for ticket in tickets:
                model.batcher.expect()
                self._pool.submit(decode, ticket, prepare, model.batcher)
            return [await ticket.future for ticket in tickets]
        finally:
            for ticket in tickets:
                ticket.source = None
                # A second failure is looked at, too, or asyncio would complain that nobody did.
                if not ticket.future.cancel() and not ticket.future.cancelled():
                    ticket.future.exception()

    async def parsed(self, parse: Callable[[], Parsed], size: int) -> Parsed:
        """Take a body apart, or write one: a small one at once, a large one in a thread; nobody waits."""
        if size <= LARGE_BODY:
            return parse()
        return await asyncio.get_running_loop().run_in_executor(self._pool, parse)

    def close(self) -> None:
        """End the threads and the decoders."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()


def _overloaded(why: str) -> Problem:
    return Problem("overloaded", f"the server is busy: {why}; try again in a moment")
