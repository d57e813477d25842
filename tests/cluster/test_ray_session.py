"""ray_session.py: what is started is stopped, what is joined is left; test_predict.py runs on a real one."""

import contextlib
import os
import signal
import sys
from types import SimpleNamespace

import pytest

from fieldguide.cluster.ray_session import ray_session
from fieldguide.errors import OptionError


class FakeRay(SimpleNamespace):
    def __init__(self, joined=False, error=None):
        super().__init__(joined=joined, error=error, begun=[], ended=0)

    def is_initialized(self):
        return self.joined

    def init(self, **given):
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))  # as Ray does
        if self.error is not None:
            raise self.error
        self.begun.append(given)

    def shutdown(self):
        self.ended += 1


@pytest.fixture
def fake(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def put(**given):
        ray = FakeRay(**given)
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
        return ray

    yield put
    signal.signal(signal.SIGTERM, before)


def test_a_cluster_of_this_machine_is_started_silent_and_stopped(fake):
    ray = fake()
    with ray_session(cores=2):
        assert ray.begun == [
            {"address": "local", "log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
            | {"num_cpus": 2}
        ]
        assert ray.ended == 0
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert ray.ended == 1


@pytest.mark.parametrize("error", [None, ConnectionError("none there")])
def test_an_order_to_end_is_still_followed_by_whom_it_was(fake, error):
    def ours(number, frame):
        pass

    before = signal.signal(signal.SIGTERM, ours)
    try:
        fake(error=error)
        with contextlib.suppress(OptionError), ray_session():
            pass
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


def test_it_is_stopped_after_an_error_too(fake):
    ray = fake()
    with pytest.raises(KeyboardInterrupt), ray_session():
        raise KeyboardInterrupt
    assert ray.ended == 1


def test_a_cluster_at_an_address_is_joined_as_it_is(fake):
    ray = fake()
    with ray_session("10.0.0.1:6379"):
        assert set(ray.begun[0]) == {"address", "log_to_driver", "logging_level"}


def test_one_that_this_process_is_in_is_left_as_it_is(fake):
    ray = fake(joined=True)
    with ray_session():
        pass
    assert (ray.begun, ray.ended) == ([], 0)


def test_what_cannot_be_had_is_said_in_one_line(fake, monkeypatch):
    fake(error=ConnectionError("could not find any\nrunning instance"))
    with pytest.raises(OptionError, match=r"^--cluster auto: the cluster cannot be had: could not find any$"):
        ray_session("auto").__enter__()
    with pytest.raises(OptionError, match=r"must be local, auto or HOST:PORT"):
        ray_session("ray://head:10001").__enter__()
    with pytest.raises(OptionError, match=r"--cluster photos: must be local, auto or HOST:PORT"):
        ray_session("photos").__enter__()
    for other in (True, 2, ""):
        with pytest.raises(OptionError, match=rf"cluster: must be 'local', 'auto' or .*, got {other!r}"):
            ray_session(other).__enter__()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionError, match=r"--cluster needs Ray, which is not installed; run: pip install"):
        ray_session().__enter__()
