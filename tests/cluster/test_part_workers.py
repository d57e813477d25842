"""part_workers.py with a Ray made of plain calls: who gets what, and what happens when a process ends."""

import random
from types import SimpleNamespace

import pytest

from fieldguide.cluster.part_worker import Part, PartDone
from fieldguide.cluster.part_workers import IN_HAND, MOST_ENDS, PATIENCE, parts_done
from fieldguide.errors import OutputError


class RayError(Exception):
    """As Ray's."""


class FakeRay:
    """Calls are queued for each actor; `wait` does one of some actor's first calls; `ends` says who dies."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, ends=lambda part: False, seed=0):
        self.ends, self.random = ends, random.Random(seed)
        self.queues, self.results, self.killed, self.most = [], {}, [], 0

    def actor(self):
        queue = []
        self.queues.append(queue)

        def call(work):
            def remote(part=None):
                key = object()
                queue.append((key, work, part))
                self.most = max(self.most, len(queue))
                return key

            return SimpleNamespace(remote=remote)

        work = call(lambda part: PartDone(part.number, len(part.items)))
        return SimpleNamespace(ready=call(lambda _: None), work=work, queue=queue)

    def wait(self, calls, num_returns, timeout):
        queue = self.random.choice([queue for queue in self.queues if queue])
        key, work, part = queue[0]
        if part is not None and self.ends(part):
            for key_, _, _ in queue:
                self.results[key_] = RayError("the actor died\nlong text")
            queue.clear()
        else:
            self.results[key] = work(part)
            queue.pop(0)
        assert key in calls
        return [key], []

    def get(self, call):
        if isinstance(self.results[call], Exception):
            raise self.results[call]
        return self.results[call]

    def kill(self, actor):
        self.killed.append(actor)
        actor.queue.clear()


def done_by(ray, parts, workers=3):
    return list(parts_done(ray, ray.actor, workers, parts))


@pytest.mark.parametrize("seed", range(5))
def test_each_part_is_done_once(seed):
    ray = FakeRay(seed=seed)
    done = done_by(ray, [Part(number, ["a"]) for number in range(40)])
    assert sorted(one.number for one in done) == list(range(40))
    assert ray.most == IN_HAND
    assert len(ray.killed) == 3


def test_an_actor_that_a_busy_cluster_never_starts_is_not_waited_for():
    ray = FakeRay()
    made = ray.actor

    def actor():
        one = made()
        if len(ray.queues) == 2:
            ray.queues.pop()
        return one

    done = list(parts_done(ray, actor, 2, [Part(number, ["a"]) for number in range(9)]))
    assert sorted(one.number for one in done) == list(range(9))
    assert len(ray.killed) == 2


def test_parts_are_read_only_as_far_as_they_are_handed_out():
    read = []
    parts = (read.append(number) or Part(number, ["a"]) for number in range(100))
    ray = FakeRay()
    stream = parts_done(ray, ray.actor, 3, parts)
    next(stream)
    assert len(read) <= 3 * IN_HAND
    stream.close()
    assert len(ray.killed) == 3


def test_waiting_for_cores_that_others_have_is_said_until_a_process_starts():
    ray, told = FakeRay(), []
    wait, waits = ray.wait, []

    def busy(calls, num_returns, timeout):
        waits.append(timeout)
        return ([], calls) if len(waits) in (1, 2, 5) else wait(calls, num_returns, timeout)

    ray.wait = busy
    parts = [Part(number, ["a"]) for number in range(4)]
    assert len(list(parts_done(ray, ray.actor, 1, parts, waited=told.append))) == 4
    assert waits[0] == PATIENCE
    assert told == [PATIENCE, 2 * PATIENCE]  # a long part is no waiting


@pytest.mark.parametrize("seed", range(20))
def test_what_a_process_that_ended_had_in_hand_is_done_again(seed):
    chance = random.Random(seed)
    ray = FakeRay(lambda part: chance.random() < 0.2, seed)
    done = done_by(ray, [Part(number, ["a"]) for number in range(60)])
    assert sorted(one.number for one in done) == list(range(60))


def test_a_part_that_ends_every_process_stops_the_run():
    ray = FakeRay(lambda part: part.number == 7)
    with pytest.raises(OutputError, match=r"the process for part 7 ended 6 times \(the actor died\)"):
        done_by(ray, [Part(number, ["a"]) for number in range(20)])
    assert MOST_ENDS == 5


def test_a_part_that_cannot_be_written_stops_the_run():
    ray = FakeRay()
    made = ray.actor

    def actor():
        one = made()

        def remote(part):
            key = object()
            one.queue.append((key, lambda _: PartDone(0, failed="parts: no room"), part))
            return key

        one.work = SimpleNamespace(remote=remote)
        return one

    with pytest.raises(OutputError, match="parts: no room"):
        list(parts_done(ray, actor, 1, [Part(0, ["a"])]))


@pytest.mark.parametrize("seed", range(20))
def test_few_parts_are_handed_out_before_one_that_is_late(seed):
    chance = random.Random(seed)
    ray, late, furthest = FakeRay(lambda part: chance.random() < 0.2, seed), set(range(60)), 0
    for done in parts_done(ray, ray.actor, 3, (Part(number, ["a"]) for number in range(60)), ahead=7):
        furthest = max(furthest, done.number - min(late))
        late.remove(done.number)
    assert not late
    assert furthest < 7
