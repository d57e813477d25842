"""Results come in order, and nothing runs further ahead than allowed."""

import threading

import numpy as np

from fieldguide.threads import in_order, usable_cores


def test_results_come_in_order_and_no_more_is_begun_than_asked_for():
    begun = []
    pauses = np.random.default_rng(0).random(40) / 500

    def work(item):
        begun.append(item)
        threading.Event().wait(pauses[int(item)])
        return item

    items = [str(i) for i in range(40)]
    stream = in_order(work, items, threads=2, ahead=5)
    got = [next(stream)]
    threading.Event().wait(0.3)  # a slow consumer: all that may be begun is done by now
    assert len(begun) == 1 + 5
    got += stream
    assert got == items


def test_an_abandoned_stream_stops_its_threads():
    items = [str(i) for i in range(1000)]
    stream = in_order(lambda item: threading.Event().wait(0.01), items, threads=2, ahead=900)
    next(stream)
    stream.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("prepare")]


def test_endless_items_are_read_no_further_than_needed():
    read = []

    def endless():
        while True:
            read.append(len(read))
            yield read[-1]

    stream = in_order(lambda item: item, endless(), threads=2, ahead=3)
    assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    stream.close()
    assert len(read) <= 5 + 3 + 1


def test_there_is_a_core():
    assert usable_cores() >= 1
