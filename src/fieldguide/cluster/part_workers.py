"""Parts handed to processes of a cluster, few at a time; what a process left undone is done again."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fieldguide.cluster.part_worker import Part, PartDone
from fieldguide.errors import OutputError

IN_HAND = 2
"""Parts that a process has at once: one is worked on, one waits, so that it never stands idle."""
MOST_ENDS = 5
"""Times that the process of a part may end before the run stops."""


def parts_done(
    ray: Any, make_worker: Callable[[], Any], workers: int, parts: Iterable[Part]
) -> Iterator[PartDone]:
    """Have parts done by actors.

    Parameters
    ----------
    ray
        From :func:`fieldguide.cluster.ray_session.ray_session`.
    make_worker
        Starts an actor with the methods of :class:`~fieldguide.cluster.part_worker.PartWorker`.
    workers
        How many at once.
    parts
        Read only as far as they are handed out.

    Yields
    ------
    PartDone
        One a part, in the order in which they are done.

    Raises
    ------
    OutputError
        If a part cannot be written, or its process ended :data:`MOST_ENDS` times.
    """
    pool = _Pool(ray, make_worker, iter(parts))
    try:
        for _ in range(workers):
            pool.start()
        while pool.calls:
            yield from pool.step()
    finally:
        pool.stop()


class _Pool:
    """Actors, and what each has in hand."""

    def __init__(self, ray: Any, make_worker: Callable[[], Any], parts: Iterator[Part]) -> None:
        self.ray, self.make_worker, self.parts = ray, make_worker, parts
        self.calls: dict[Any, tuple[Any, Part | None]] = {}
        """Call under way → its actor, and its part; None while the actor starts."""
        self.again: deque[Part] = deque()
        self.ends: Counter[int] = Counter()
        self.failed_starts = 0
        self.actors: list[Any] = []

    def start(self) -> None:
        """Start an actor; it gets work once it is there, for a busy cluster may have it wait."""
        actor = self.make_worker()
        self.actors.append(actor)
        self.calls[actor.ready.remote()] = (actor, None)

    def step(self) -> Iterator[PartDone]:
        """Wait for a call to end, and hand out more."""
        ended, _ = self.ray.wait(list(self.calls), num_returns=1)
        for call in ended:
            if call not in self.calls:  # of an actor that was found dead in the meantime
                continue
            actor, part = self.calls[call]
            try:
                done = self.ray.get(call)
            except self.ray.exceptions.RayError as error:
                self.replace(actor, error)
                continue
            del self.calls[call]
            if done is not None:
                if done.failed:
                    raise OutputError(done.failed)
                yield done
            self.hand_out(actor, 1 if part is not None else IN_HAND)

    def hand_out(self, actor: Any, count: int) -> None:
        for _ in range(count):
            part = self.again.popleft() if self.again else next(self.parts, None)
            if part is None:
                return
            self.calls[actor.work.remote(part)] = (actor, part)

    def replace(self, actor: Any, error: Exception) -> None:
        """Take back what an actor had in hand, and start another in its place."""
        lost = [call for call, (owner, _) in self.calls.items() if owner is actor]
        held = [part for _, part in map(self.calls.pop, lost) if part is not None]
        if held:
            self.ends[held[0].number] += 1
        else:
            self.failed_starts += 1
        if self.failed_starts > MOST_ENDS or (held and self.ends[held[0].number] > MOST_ENDS):
            what = f"part {held[0].number}" if held else "a model"
            reason = str(error).strip().partition("\n")[0]
            raise OutputError(
                f"the process for {what} ended {MOST_ENDS + 1} times ({reason}); parts that are done are "
                "kept, give each process more memory and run the same command again"
            )
        self.again.extend(held)
        self.actors = [other for other in self.actors if other is not actor]
        self.ray.kill(actor)  # it may live and only have failed
        self.start()

    def stop(self) -> None:
        """End all actors."""
        for actor in self.actors:
            self.ray.kill(actor)
