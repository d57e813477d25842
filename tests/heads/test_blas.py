"""Problems of linear algebra side by side: in order, one thread each, within memory."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from fieldguide.heads import blas
from fieldguide.heads.blas import MEMORY, side_by_side


def most_at_once(numbers):
    lock, at_work, most = threading.Lock(), [0], [0]

    def work(item):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        time.sleep(0.02)
        with lock:
            at_work[0] -= 1
        return item

    assert list(side_by_side(work, range(12), numbers)) == list(range(12))
    return most[0]


@pytest.mark.parametrize(
    ("numbers", "expected"), [(1, 3), (MEMORY // 4 // 2, 2), (MEMORY // 4, 1), (MEMORY, 1)]
)
def test_as_many_at_once_as_cores_and_memory_allow(numbers, expected, monkeypatch):
    monkeypatch.setattr(blas, "usable_cores", lambda: 3)
    assert most_at_once(numbers) == expected


def test_a_problem_has_one_thread():
    np.ones((2, 2)) @ np.ones((2, 2))
    seen = list(side_by_side(lambda _: [pool["num_threads"] for pool in threadpool_info()], range(2), 1))
    assert all(set(threads) <= {1} for threads in seen)
    assert seen[0]


def test_a_mistake_in_one_problem_is_not_lost():
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda item: 1 // item, [1, 0, 1], 1))
