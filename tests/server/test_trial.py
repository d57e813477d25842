"""A model file is tried in a process of its own."""

import os

import pytest

from fieldguide.errors import ModelFileError
from fieldguide.server import trial
from fieldguide.server.trial import Trial


def test_the_trial_passes_what_works_and_gives_the_reason_where_it_does_not(path):
    Trial()(path, 60)
    path.write_bytes(b"junk")
    with pytest.raises(ModelFileError, match=r"colours\.onnx: not a model file that may be used"):
        Trial()(path, 60)


def test_a_trial_that_hangs_is_ended(path, monkeypatch):
    monkeypatch.setattr(trial, "attempt_code", lambda path: "import time; time.sleep(60)")
    with pytest.raises(ModelFileError, match="within 1 s"):
        Trial()(path, 1)


@pytest.mark.skipif(os.name != "posix", reason="signals and limits of memory are POSIX's")
def test_a_trial_that_crashes_or_eats_memory_is_only_refused(path, monkeypatch):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(trial, "attempt_code", lambda path: crash)
    with pytest.raises(ModelFileError, match="code -11"):
        Trial()(path, 20)
    hungry = "from fieldguide.server.trial import _limit; _limit(); bytearray(20_000_000_000)"
    monkeypatch.setattr(trial, "attempt_code", lambda path: hungry)
    with pytest.raises(ModelFileError, match="MemoryError"):
        Trial()(path, 20)
