"""How many passes there is time for, and that by hand the same comes out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn import run as cnn_run
from fieldguide.recipes.cnn.run import CnnRun
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan


def images(count=64, size=16):
    random = np.random.default_rng(0)
    numbers = np.arange(count) % 2
    pixels = random.integers(0, 200, (count, size, size, 3)).astype(np.uint8)
    pixels[numbers == 1, :, :, 0] += 55
    return SimpleNamespace(
        table=SimpleNamespace(images=pixels),
        numbers=numbers,
        classes=("a", "b"),
        learn=np.arange(count - 16),
        held=np.arange(count - 16, count),
        fingerprint="of these",
        task=Task.SINGLE,
    )


def trained(folder=None, minutes=None, epochs=None, **settings):
    settings |= {"minutes": minutes} if minutes else {}
    settings |= {"epochs": epochs} if epochs else {}
    options = Options(settings=settings)
    plan = Plan(images=48, epochs=epochs or 6, batch_size=16, keep="last", average=0.9)
    course = CnnRun(images(), Preprocessing(16), plan, Augmentation(), TimeBudget.of(options, begun=0.0))
    made = course.train(options, Run(folder=folder))
    return made.network, made.trained, made.planned


@pytest.fixture
def slow(monkeypatch):
    """A step of a second, and 100 seconds in all."""
    asked = []
    monkeypatch.setattr(cnn_run, "_step_seconds", lambda *given: asked.append(1) or 1.0)
    monkeypatch.setattr(cnn_run, "_look_seconds", lambda network: 0.0)
    monkeypatch.setattr(TimeBudget, "left", lambda self: 9.0)
    return asked


def weights(network):
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


def test_there_are_as_many_passes_as_there_is_time_for(slow, tmp_path):
    network, how, said = trained(tmp_path / "run", minutes=3)
    # 3 steps a pass; windows make the mean pass of six cheaper: 9 s are more than three whole ones.
    passes = len(how.history)
    assert 3 <= passes <= 4
    (sentence,) = said
    assert sentence.startswith(f"{passes} of these passes: what 3 minutes, asked for allow;")
    assert sentence.endswith(f"the same again: --epochs {passes}")
    again, _, none = trained(tmp_path / "other", epochs=passes)
    torch.testing.assert_close(weights(again), weights(network), rtol=0, atol=0)
    assert none == ()
    assert len(slow) == 1


def test_with_time_enough_all_passes_are_taken(monkeypatch):
    monkeypatch.setattr(TimeBudget, "left", lambda self: 1e6)
    _, how, (said,) = trained()
    assert len(how.history) == 6
    assert said.startswith("all of these passes: what 15 minutes, usual for this preset allow")


def test_what_is_timed_changes_nothing_of_what_is_trained(monkeypatch):
    monkeypatch.setattr(TimeBudget, "left", lambda self: 1e6)
    timed, _, _ = trained()
    by_hand, _, _ = trained(epochs=6)
    torch.testing.assert_close(weights(timed), weights(by_hand), rtol=0, atol=0)


def test_how_far_each_stage_moved_is_measured():
    plan = Plan(images=48, epochs=1, batch_size=16, keep="last")
    budget = TimeBudget.of(Options(), begun=0.0)
    course = CnnRun(images(), Preprocessing(16), plan, Augmentation(), budget)
    made = course.train(Options(settings={"epochs": 1}), Run())
    moved = {stage.stage: stage.moved for stage in made.outcome.stages}
    assert [*moved][:1] + [*moved][-1:] == ["whiten", "classifier"]
    assert all(value > 0 for name, value in moved.items() if name.startswith("blocks."))
    assert made.outcome.handed_back is None
