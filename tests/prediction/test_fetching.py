"""fetching.py: objects arrive in order, many at once, and files are left alone."""

import threading
import time

from fieldguide.errors import Refusal, RefusedInput
from fieldguide.prediction import fetching
from fieldguide.prediction.fetching import FETCHED_AT_ONCE, FetchedObject, with_objects_fetched
from fieldguide.storage.object_store import ObjectUrl


def test_objects_arrive_in_order_many_at_once_and_few_ahead(monkeypatch):
    asked, together, lock = [], [], threading.Lock()

    def read(url):
        with lock:
            asked.append(url)
            together.append(threading.active_count())
        time.sleep(0.02 if url.endswith("0") else 0.001)
        if url.endswith("3"):
            raise RefusedInput("unreachable", "no answer in time")
        return url.encode()

    monkeypatch.setattr(fetching, "read_bytes", read)
    urls = [ObjectUrl(f"s3://b/{number}") for number in range(60)]
    stream = with_objects_fetched(iter([*urls, "a.jpg"]), urls[:2])
    first = next(stream)
    assert first == FetchedObject("s3://b/0", b"s3://b/0")
    assert len(asked) <= FETCHED_AT_ONCE + 2
    rest = list(stream)
    assert [getattr(one, "name", None) or getattr(one, "path", one) for one in rest] == [*urls[1:], "a.jpg"]
    assert rest[2] == Refusal("s3://b/3", "unreachable", "no answer in time")
    assert max(together) > FETCHED_AT_ONCE // 2


def test_nothing_is_done_where_no_object_is_asked_for():
    before = threading.active_count()
    assert list(with_objects_fetched(iter(["a.jpg", "s3://b/a.jpg"]), ["a.jpg"])) == ["a.jpg", "s3://b/a.jpg"]
    assert threading.active_count() == before
