"""The best point between probe and network, and the probe where nothing is better by more than luck."""

import numpy as np
import pytest

from fieldguide.recipes.finetune.interpolation import Interpolation, choose
from fieldguide.recipes.finetune.judging import LabelJudge, TagJudge

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.integers(0, 3, 400)
JUDGE = LabelJudge(TRUTH, np.full(3, 1 / 3))


def scores(signal, seed, noise=1.0):
    """Scores that know the truth to a degree."""
    random = np.random.default_rng(seed)
    return signal * np.eye(3)[TRUTH] + noise * random.standard_normal((400, 3))


def test_a_network_that_is_better_is_taken_as_it_is():
    start = scores(1.0, 1)
    choice = choose({0.0: start, 0.5: scores(2.0, 2), 1.0: scores(6.0, 3)}, JUDGE, start, refit=True)
    assert choice.point == Interpolation(1.0)
    assert 0 < choice.handed_back().log_loss < 0.2 and choice.handed_back().way == 1.0
    assert choice.sentence.startswith("the fine-tuned network is handed back: of 400 images held out it gets")
    assert "chosen among" in choice.sentence


def test_a_point_on_the_way_may_be_better_than_both_ends():
    start = scores(1.0, 1)
    choice = choose({0.0: start, 0.4: scores(6.0, 2), 1.0: scores(2.0, 3)}, JUDGE, start, refit=True)
    assert choice.point == Interpolation(0.4)
    assert "40% of the way from the probe's weights to the learned ones" in choice.sentence


def test_two_that_err_in_different_photos_are_pooled():
    start, end = scores(2.0, 1), scores(2.0, 2)
    choice = choose({0.0: start, 1.0: end}, JUDGE, start, refit=True)
    assert (choice.point.way, choice.point.weight) == (1.0, 0.5)
    assert "an answer costs twice as much" in choice.sentence
    pooled = 0.5 * end / choice.temperatures[0] + 0.5 * start / choice.temperatures[1]
    assert (pooled.argmax(1) == TRUTH).mean() > max((start.argmax(1) == TRUTH).mean(), 0.5)


def test_the_probe_is_handed_back_where_learning_spoiled_it():
    start = scores(3.0, 1)
    worse = start + 3 * np.random.default_rng(9).standard_normal(start.shape)
    choice = choose({0.0: start, 1.0: worse}, JUDGE, start, refit=True)
    assert choice.point.way == 0
    assert choice.sentence.startswith("linear probe handed back")


def test_a_gain_that_more_photos_give_the_probe_anyway_is_not_enough():
    """Where the probe may learn from the held-out images too, a little better is not better."""
    start = scores(3.0, 1)
    little = start + 0.02 * np.eye(3)[TRUTH]
    given = ({0.0: start, 1.0: little}, JUDGE, start)
    assert choose(*given, refit=False).point.way == 1.0
    told = choose(*given, refit=True)
    assert told.point.way == 0
    assert "is needed, since the probe learns from those images as well" in told.sentence


@pytest.mark.parametrize("seed", range(8))
def test_chance_alone_hardly_ever_wins(seed):
    """Fine-tuning that changed nothing but noise must not be preferred for it."""
    start = scores(3.0, 1)
    others = {way: scores(2.9, 100 * seed + number) for number, way in enumerate((0.4, 0.7))}
    choice = choose({0.0: start, **others}, JUDGE, start, refit=True)
    assert choice.point.way == 0 or choice.point.weight < 1  # independent errors, pooled, are a true gain


def tag_scores(tags, signal, seed):
    """Log-odds of tags that know the truth to a degree."""
    return signal * (2.0 * tags - 1) + np.random.default_rng(seed).standard_normal(tags.shape)


def test_tags_are_chosen_among_by_the_mean_of_their_binary_losses():
    tags = np.random.default_rng(5).integers(0, 2, (300, 4)).astype(np.int8)
    start = tag_scores(tags, 0.0, 1)
    better = {0.0: start, 0.4: tag_scores(tags, 1.0, 2), 1.0: tag_scores(tags, 3.0, 3)}
    choice = choose(better, TagJudge(tags), start, refit=True)
    assert choice.point == Interpolation(1.0)
    assert "of 300 images held out it gets all tags of " in choice.sentence
    start = tag_scores(tags, 0.5, 1)
    worse = choose({0.0: start, 1.0: tag_scores(tags, 0.0, 4)}, TagJudge(tags), start, refit=True)
    assert worse.point.way == 0
    assert "linear probe handed back: of 300 images held out" in worse.sentence
    pooled = choose({0.0: start, 1.0: tag_scores(tags, 0.5, 2)}, TagJudge(tags), start, refit=True)
    assert pooled.point.weight < 1
    assert [temperatures.shape for temperatures in pooled.temperatures] == [(4,), (4,)]
