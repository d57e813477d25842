"""Batches: a lone image has all cores and never waits, many share them, none is lost."""

import asyncio
import threading
import time

import numpy as np

from fieldguide.prediction.predictor import Outputs
from fieldguide.server.batching import Batcher, PendingImage
from server_made import RED, photo, running, until

PIXELS = np.zeros((4, 4, 3), np.uint8)


def outputs(pixels):
    count = len(pixels)
    return Outputs(
        np.ones((count, 2), np.float32), np.ones(count, np.float32), np.ones((count, 3), np.float32)
    )


def answered(images, threads, *, seconds=0.05):
    """Put so many images in at once; (images, alone) of every batch, and the seconds that it took."""
    found, lock = [], threading.Lock()

    def run(pixels, alone):
        with lock:
            found.append((len(pixels), alone))
        time.sleep(seconds)
        return outputs(pixels)

    async def main():
        batcher = Batcher(run, 2, lambda *_: None, threads)
        loop = asyncio.get_running_loop()
        tickets = [PendingImage(None, loop.create_future(), PIXELS) for _ in range(images)]
        for _ in tickets:
            batcher.expect()
        begun = time.monotonic()
        for ticket in tickets:
            batcher.put(ticket)
        await asyncio.gather(*[ticket.future for ticket in tickets])
        batcher.close()
        return time.monotonic() - begun

    return found, asyncio.run(main())


def test_a_lone_image_has_all_cores_and_does_not_wait():
    found, spent = answered(1, 2)
    assert found == [(1, True)] and spent < 1.0


def test_many_share_the_cores():
    found, spent = answered(20, 2, seconds=0.2)
    assert sum(images for images, _ in found) == 20
    assert [alone for _, alone in found].count(False) >= 8
    assert spent < 1.9, "ten batches one after the other would take 2 s"


def test_batches_grow_only_where_several_would_wait_anyway():
    assert [images for images, _ in answered(4, 2)[0]] == [1] * 4
    assert max(images for images, _ in answered(9, 2)[0]) == 2


def test_a_network_that_fails_fails_only_those_in_the_batch():
    async def main():
        broken = [True]

        def run(pixels, alone):
            if broken.pop() if broken else False:
                raise RuntimeError("no")
            return outputs(pixels)

        batcher = Batcher(run, 1, lambda *_: None)
        loop = asyncio.get_running_loop()
        tickets = [PendingImage(None, loop.create_future(), PIXELS) for _ in range(2)]
        for ticket in tickets:
            batcher.expect()
            batcher.put(ticket)
        results = await asyncio.gather(*[ticket.future for ticket in tickets], return_exceptions=True)
        batcher.close()
        return results

    first, second = asyncio.run(main())
    assert isinstance(first, RuntimeError) and second.typicality == 1


def test_batches_hold_the_images_of_several_clients(colours):
    sizes = []
    patient = {"deadline": 120.0, "decode_seconds": 120.0, "read_seconds": 120.0, "write_seconds": 120.0}
    with running(colours, batch=4, threads=1, **patient) as server:
        batcher = server.context.registry.get("colours").batcher
        batcher._report = lambda images, seconds: sizes.append(images)
        before, gate, begun = batcher._run, threading.Event(), threading.Event()
        batcher._run = lambda *given: (begun.set(), gate.wait(120), before(*given))[2]
        asked = {"target": server.predict, "args": (photo(RED),), "kwargs": {"timeout": 120}}
        threads = [threading.Thread(**asked) for _ in range(9)]
        threads[0].start()
        assert begun.wait(120)  # it went alone; the others gather meanwhile
        for thread in threads[1:]:
            thread.start()
        until(lambda: len(batcher._ready) == 8, 120)
        gate.set()
        for thread in threads:
            thread.join()
    assert sizes == [1, 4, 2, 1, 1]
