"""The time of a forward pass is measured, not guessed."""

import threading
import time
from types import SimpleNamespace

from fieldguide.backbones import speed


class Slow:
    """Sleeps 20 ms a batch of four images, in two threads at once."""

    kind, batch, at_once = "slow", 4, 2

    def __init__(self):
        self.calls, self.first = 0, True
        self._lock = threading.Lock()

    def __call__(self, pixels):
        assert pixels.shape == (4, 8, 8, 3)
        with self._lock:
            self.calls += 1
            first, self.first = self.first, False
        time.sleep(0.5 if first else 0.02)


def test_two_batches_at_once_of_four_images_in_20_ms_are_2_and_a_half_ms_an_image(monkeypatch):
    runner = Slow()
    monkeypatch.setattr(speed, "best_runner", lambda backbone: runner)
    found = speed.milliseconds_an_image(SimpleNamespace(preprocessing=SimpleNamespace(size=8)))
    assert (
        2.5 <= found < 10
    )  # the first call, of half a second, does not count; a busy machine has its own pace
    assert runner.calls == (speed.ROUNDS + 1) * 4
