"""Where fine-tuning starts, and where it need not."""

from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.heads.tag_probe import TagProbe
from fieldguide.recipes.finetune.presets import PRESETS
from fieldguide.recipes.finetune.start import Start, hyperparameters_of, nothing_to_gain
from fieldguide.tasks.tags import NOT_KNOWN
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation


@pytest.mark.parametrize(("batch", "times"), [(32, 1), (8, 0.5), (128, 2)])
def test_the_rate_grows_with_the_root_of_the_batch(batch, times):
    shares = SimpleNamespace(shares=lambda: np.array([0.5, 0.5]), task=Task.SINGLE)
    way = hyperparameters_of(shares, Augmentation(), batch, PRESETS["balanced"])
    assert way.rate == pytest.approx(1e-3 * times)
    assert way.head_rate == pytest.approx(0.3e-3 * times)
    assert way.weights.tolist() == [1, 1]


def start(wrong, of=500):
    truth = np.arange(of) % 2
    answered = np.where(np.arange(of) < wrong, 1 - truth, truth)
    promises = SimpleNamespace(probabilities=np.eye(2)[answered])
    probe = SimpleNamespace(judged=np.arange(of), promises=promises)
    return SimpleNamespace(probe=probe, table=SimpleNamespace(labels=truth), tags=None)


def test_a_probe_that_hardly_errs_is_left_alone_and_says_how_much_could_be_won():
    said = nothing_to_gain(start(0))
    # 1 - 0.025 ** (1 / 500), the exact bound where nothing is wrong
    assert "of 500 images that it had not seen it gets 0 wrong, so at most 0.7% of new" in said
    assert nothing_to_gain(start(2)) is not None
    assert nothing_to_gain(start(3)) is None
    assert nothing_to_gain(start(1, of=100)) is None


def tag_start(wrong, of=500):
    """A probe that has some photos' tags wrong; of one photo it is not known whether it has a tag."""
    tags = np.stack([np.arange(of) % 2, np.arange(of) % 3 == 0], axis=1).astype(np.int8)
    given = tags.astype(float)
    given[:wrong, 1] = 1 - given[:wrong, 1]
    given[-1, 0], tags[-1, 0] = 1 - given[-1, 0], NOT_KNOWN
    promises = SimpleNamespace(probabilities=given, thresholds=np.array([0.5, 0.5]))
    return Start(None, TagProbe(None, np.arange(of), promises, ()), None, tags)


def test_a_probe_that_hardly_errs_in_any_tag_of_a_photo_is_left_alone():
    assert "of 500 images that it had not seen it gets tags of 2 wrong" in nothing_to_gain(tag_start(2))
    assert nothing_to_gain(tag_start(3)) is None
