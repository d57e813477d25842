"""A Ray of plain calls in this process: actors in any order, and processes that end when they are told to."""

import random
from types import SimpleNamespace


class RayError(Exception):
    """As Ray's."""


class InlineRay:
    """Calls are queued for each actor; `wait` does the first of some actor's; `ends` says who dies."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, cpus=2, ends=lambda part: False, seed=0):
        self.cpus, self.ends, self.random = cpus, ends, random.Random(seed)
        self.queues, self.results, self.actors, self.killed, self.worked = [], {}, [], [], []

    def is_initialized(self):
        return True

    def cluster_resources(self):
        return {"CPU": float(self.cpus)}

    def put(self, value):
        return value

    def remote(self, **given):
        assert given == {"num_cpus": 1}
        return lambda made: SimpleNamespace(remote=lambda *values: self._actor(made(*values)))

    def _actor(self, worker):
        queue = []
        self.queues.append(queue)

        def call(work):
            def remote(*given):
                key = object()
                queue.append((key, work, given))
                return key

            return SimpleNamespace(remote=remote)

        actor = SimpleNamespace(ready=call(worker.ready), work=call(worker.work), queue=queue)
        self.actors.append(actor)
        return actor

    def wait(self, calls, num_returns, timeout):
        queue = self.random.choice([queue for queue in self.queues if queue])
        key, work, given = queue[0]
        if given and self.ends(given[0]):
            for lost, _, _ in queue:
                self.results[lost] = RayError("the actor died\nlong text")
            queue.clear()
        else:
            self.worked += [part.number for part in given]
            self.results[key] = work(*given)
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
