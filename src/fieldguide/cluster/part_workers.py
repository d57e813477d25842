"""Parts handed to processes of a cluster, few at a time; what a process left undone is done again."""

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from fieldguide.errors import OutputError

IN_HAND = 2
"""Parts that a process has at once: one is worked on, one waits, so that it never stands idle."""
MOST_ENDS = 5
"""Times that the process of a part may end before the run stops."""

PATIENCE = 30
"""Seconds that a process may be started in without a word."""


class PartOfWork(Protocol):
    """What a process is given at once."""

    @property
    def number(self) -> int:
        """Tells it from other parts."""

    @property
    def title(self) -> str:
        """What a person calls it."""


class DoneWork(Protocol):
    """What came of a part."""

    @property
    def number(self) -> int:
        """The part's."""

    @property
    def failed(self) -> str:
        """Why the whole run cannot go on; empty where it can."""


Given = TypeVar("Given", bound=PartOfWork)
Done = TypeVar("Done", bound=DoneWork)


@dataclass(frozen=True)
class Handing(Generic[Given, Done]):
    """How parts are handed out."""

    in_hand: int = IN_HAND
    """Parts that a process has at once."""
    ahead: int | None = None
    """Parts handed out from the first on that is not done, so that whoever puts them in order holds no more;
    None sets no bound."""
    waited: Callable[[int], None] | None = None
    """Told every :data:`PATIENCE` seconds for how many no process has had work: others have all cores."""
    given_up: Callable[[Given, str], Done] | None = None
    """What takes the place of a part whose process ended too often, and why that is; None stops the run."""


def parts_done(
    ray: Any,
    make_worker: Callable[[], Any],
    workers: int,
    parts: Iterable[Given],
    *,
    ahead: int | None = None,
    waited: Callable[[int], None] | None = None,
) -> Generator[Done]:
    """Have parts done by actors, which end with the last of them.

    Parameters
    ----------
    ray
        From :func:`fieldguide.cluster.ray_session.ray_session`.
    make_worker
        Starts an actor with the methods `ready` and `work` of
        :class:`~fieldguide.cluster.part_worker.PartWorker`.
    workers
        How many at once.
    parts
        Read only as far as they are handed out.
    ahead, waited
        As :class:`Handing` has them.

    Yields
    ------
    what `work` returns
        One a part, in the order in which they are done.

    Raises
    ------
    OutputError
        If a process says that the run cannot go on, or that of a part ended more than :data:`MOST_ENDS`
        times.
    """
    handing: Handing[Given, Done] = Handing(ahead=ahead, waited=waited)
    pool: PartWorkers[Given, Done] = PartWorkers(ray, make_worker, handing)
    with contextlib.closing(pool):
        pool.have(workers)
        yield from pool.done(parts)


class PartWorkers(Generic[Given, Done]):
    """Actors, and what each has in hand.

    Parameters
    ----------
    ray, make_worker
        As for :func:`parts_done`.
    handing
        How parts are handed out.
    """

    def __init__(self, ray: Any, make_worker: Callable[[], Any], handing: Handing[Given, Done]) -> None:
        self.ray: Any = ray
        self.make_worker: Callable[[], Any] = make_worker
        self.handing: Handing[Given, Done] = handing
        self.parts: Iterator[Given] = iter(())
        self.calls: dict[Any, tuple[Any, Given | None]] = {}
        """Call under way → its actor, and its part; None while the actor starts."""
        self.again: deque[Given] = deque()
        self.open: dict[int, bool] = {}
        """Parts from the first on that is not done, in the order handed out → whether they are done."""
        self.all_read: bool = False
        self.waiting: list[tuple[Any, int]] = []
        """Actors that got fewer parts than they could have, and how many fewer."""
        self.ends: Counter[int] = Counter()
        self.failed_starts: int = 0
        self.actors: list[Any] = []
        self.idle: int = 0

    def have(self, workers: int) -> None:
        """Start actors until there are so many."""
        for _ in range(workers - len(self.actors)):
            self._start()

    def done(self, parts: Iterable[Given]) -> Generator[Done]:
        """Have parts done, and keep the actors for more; yields and raises what :func:`parts_done` does.

        Where it is left early, all actors are ended.
        """
        self.parts, self.all_read, self.open = iter(parts), False, {}
        self.ends, self.failed_starts = Counter(), 0
        try:
            self._hand_out()
            while self.calls and not self._finished:
                yield from self._step()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all actors."""
        for actor in self.actors:
            self.ray.kill(actor)
        self.actors, self.waiting, self.calls = [], [], {}
        self.again.clear()

    @property
    def _finished(self) -> bool:
        """Whether all is done, though a busy cluster may still have actors wait to be started."""
        return self.all_read and not self.open

    def _start(self) -> None:
        """Start an actor; it gets work once it is there, for a busy cluster may have it wait."""
        actor = self.make_worker()
        self.actors.append(actor)
        self.calls[actor.ready.remote()] = (actor, None)

    def _step(self) -> Iterator[Done]:
        """Wait for a call to end, and hand out more."""
        ended, _ = self.ray.wait(list(self.calls), num_returns=1, timeout=PATIENCE)
        at_work = any(part is not None for _, part in self.calls.values())
        self.idle = 0 if ended or at_work else self.idle + PATIENCE
        if self.idle and self.handing.waited is not None:
            self.handing.waited(self.idle)
        for call in ended:
            if call not in self.calls:  # of an actor that was found dead in the meantime
                continue
            actor, part = self.calls[call]
            try:
                done = self.ray.get(call)
            except self.ray.exceptions.RayError as error:
                yield from self._replace(actor, error)
                continue
            del self.calls[call]
            if done is not None:
                if done.failed:
                    raise OutputError(done.failed)
                self._close(done.number)
                yield done
            self.waiting.append((actor, 1 if part is not None else self.handing.in_hand))
            self._hand_out()

    def _hand_out(self) -> None:
        """Give actors what they can have."""
        waiting, self.waiting = self.waiting, []
        for actor, count in waiting:
            for place in range(count):
                part = self._next_part()
                if part is None:
                    self.waiting.append((actor, count - place))
                    break
                self.calls[actor.work.remote(part)] = (actor, part)

    def _next_part(self) -> Given | None:
        """What is to be done next; None where there is nothing, or not yet."""
        if self.again:
            return self.again.popleft()
        if self.handing.ahead is not None and len(self.open) >= self.handing.ahead:
            return None
        part = next(self.parts, None)
        if part is None:
            self.all_read = True
        else:
            self.open[part.number] = False
        return part

    def _close(self, number: int) -> None:
        """Remember that a part is done."""
        self.open[number] = True
        while self.open and self.open[first := next(iter(self.open))]:
            del self.open[first]

    def _replace(self, actor: Any, error: Exception) -> Iterator[Done]:
        """Take back what an actor had in hand, and start another in its place."""
        lost = [call for call, (owner, _) in self.calls.items() if owner is actor]
        held = [part for _, part in map(self.calls.pop, lost) if part is not None]
        if held:
            self.ends[held[0].number] += 1
        else:
            self.failed_starts += 1
        if self.failed_starts > MOST_ENDS or (held and self.ends[held[0].number] > MOST_ENDS):
            yield self._gives_up(held, error)
            del held[0]
        self.again.extend(held)
        self.actors = [other for other in self.actors if other is not actor]
        self.waiting = [(other, count) for other, count in self.waiting if other is not actor]
        self.ray.kill(actor)  # it may live and only have failed
        self._start()
        self._hand_out()  # to one that has nothing to do, for the cluster may have lost the cores of this one

    def _gives_up(self, held: list[Given], error: Exception) -> Done:
        """What takes the place of the first of these parts; raises OutputError where nothing does."""
        reason = str(error).strip().partition("\n")[0]
        ended = (
            f"the process for {held[0].title if held else 'a model'} ended {MOST_ENDS + 1} times ({reason})"
        )
        if held and self.handing.given_up is not None:
            self._close(held[0].number)
            return self.handing.given_up(held[0], f"{ended}; give each process more memory")
        raise OutputError(
            f"{ended}; parts that are done are kept, give each process more memory and run the same command "
            "again"
        )
