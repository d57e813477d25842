"""Work on images in threads, ahead of whatever takes them."""

import threading

import pytest

from fieldguide.errors import Refusal, RefusedInput
from fieldguide.images.read_ahead import read_ahead


def length(path):
    if "broken" in path:
        raise RefusedInput("truncated", "it ends early")
    return len(path)


def test_results_come_in_order_and_a_refusal_in_its_place():
    with read_ahead(length, ["a", "broken.jpg", "ccc"]) as stream:
        assert list(stream) == [(0, 1), (1, Refusal("broken.jpg", "truncated", "it ends early")), (2, 3)]


def test_what_is_no_refusal_ends_the_work():
    def fail(path):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), read_ahead(fail, ["a"]) as stream:
        list(stream)


def test_progress_is_told_now_and_then_and_at_the_end():
    told = []
    paths = [str(number) for number in range(7)]
    with read_ahead(length, paths, stage="look", progress=lambda *now: told.append(now), every=3) as stream:
        list(stream)
    assert told == [("look", 0, 7), ("look", 3, 7), ("look", 6, 7), ("look", 7, 7)]


def test_few_results_wait_and_leaving_stops_the_threads():
    begun = []

    def work(path):
        begun.append(path)
        return path

    before = threading.active_count()
    with read_ahead(work, [str(number) for number in range(1000)], ahead=2) as stream:
        assert next(stream) == (0, "0")
    assert len(begun) < 100
    assert threading.active_count() <= before


def test_no_images_are_no_work():
    with read_ahead(length, []) as stream:
        assert list(stream) == []
