"""A Ray of plain calls in this process: actors in any order, and processes that end when they are told to."""

import random
from contextvars import Context
from types import SimpleNamespace


class RayError(Exception):
    """As Ray's."""


class Reference:
    """What `put` gives."""

    def __init__(self, value):
        self.value = value


class InlineRay:
    """Calls are queued for each actor; `wait` does the first of some actor's; `ends` says who dies."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, cpus=2, ends=lambda part: False, seed=0, nodes=()):
        self.cpus, self.ends, self.random = cpus, ends, random.Random(seed)
        self.queues, self.results, self.actors, self.killed, self.worked = [], {}, [], [], []
        self.machines = nodes or ({"CPU": float(cpus)},)
        self.shared, self.asked = [], []
        """What was put, and what each kind of actor was given of a machine."""

    def is_initialized(self):
        return True

    def cluster_resources(self):
        return {"CPU": float(self.cpus)}

    def nodes(self):
        return [{"Alive": True, "Resources": machine} for machine in self.machines]

    def shutdown(self):
        """It was never started."""

    def put(self, value):
        self.shared.append(value)
        return Reference(value)

    def remote(self, **given):
        self.asked.append(given)
        return lambda made: SimpleNamespace(
            remote=lambda *values: self._actor(made(*map(self._resolved, values)))
        )

    def _resolved(self, value):
        return value.value if isinstance(value, Reference) else value

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
            self.results[key] = Context().run(work, *given)  # another process knows no context of this
            queue.pop(0)
        assert key in calls
        return [key], []

    def get(self, call):
        if isinstance(call, Reference):
            return call.value
        if isinstance(self.results[call], Exception):
            raise self.results[call]
        return self.results[call]

    def kill(self, actor):
        self.killed.append(actor)
        actor.queue.clear()
