"""Which trial is taken, and when a pool is."""

import numpy as np
import pytest

from auto_made import tag_trial, trial
from fieldguide.recipes.auto.choice import choose

LABELS = np.arange(400) % 2
ROWS = np.arange(400)


def made(name, right, **changes):
    return trial(name, ROWS, LABELS, right, **changes)


def noisy(mean, seed):
    return np.clip(np.random.default_rng(seed).normal(mean, 0.25, len(LABELS)), 0.02, 0.98)


def test_one_alone_is_taken():
    choice = choose([made("first", 0.9)], None, seed=0)
    assert (choice.trial, choice.pool) == (0, None)
    assert choice.sentence == "first: 400 of 400 images that it had not seen right, log loss 0.105"


def test_the_better_one_is_taken_and_what_to_expect_is_said():
    choice = choose([made("first", noisy(0.6, 0)), made("second", 0.95)], None, seed=0)
    assert (choice.trial, choice.pool) == (1, None)
    assert choice.sentence.startswith("taken: second: of 400 images not seen: first ")
    assert "chosen among 2, so on new photos an accuracy of 1.000" in choice.sentence


def test_the_first_stays_where_the_others_are_better_by_luck_alone():
    """Twenty that guess: the best of them is best by luck, and corrected for that it gains nothing."""
    trials = [made("first", np.full(400, 0.55))]
    trials += [made(f"guess {seed}", noisy(0.55, seed)) for seed in range(20)]
    choice = choose(trials, None, seed=0)
    assert (choice.trial, choice.pool) == (0, None)
    assert "nothing else is better by more than the luck of choosing" in choice.sentence


def test_two_that_err_apart_are_pooled():
    choice = choose([made("first", noisy(0.7, 1)), made("second", noisy(0.7, 2))], None, seed=0)
    assert choice.pool is not None
    assert choice.pool.members == choice.involved == (0, 1)
    assert sum(choice.pool.weights) == 1
    assert choice.pool.scores.shape == (400, 2)
    assert choice.sentence.startswith(f"taken: {choice.pool.kind} pool of first (0.")


def test_of_another_input_size_none_is_pooled():
    trials = [made("first", noisy(0.7, 1)), made("second", noisy(0.7, 2), size=96)]
    assert choose(trials, None, seed=0).pool is None


def test_images_of_one_group_are_one():
    """Gains on a hundred copies of two photos say no more than two photos do."""
    right = np.where(ROWS < 200, 0.95, 0.6)
    groups = ["one" if row < 200 else "other" for row in ROWS]
    trials = [made("first", np.full(400, 0.69)), made("second", right, size=96)]
    assert choose(trials, None, seed=0).trial == 1
    assert choose(trials, groups, seed=0).trial == 0


@pytest.mark.parametrize(("better", "taken"), [(0.62, 0), (0.9, 1)])
def test_a_network_that_cannot_learn_from_what_it_held_out_must_gain_more(better, taken):
    first = made("first", np.full(400, 0.61))
    network = trial("network", ROWS[:100], LABELS[:100], better, network=True)
    assert choose([first, network], None, seed=0).trial == taken


def test_all_images_are_asked_where_no_network_is_taken():
    first, second = made("first", noisy(0.6, 0)), made("second", 0.95)
    network = trial("network", ROWS[:100], LABELS[:100], 0.5, network=True)
    choice = choose([first, network, second], None, seed=0)
    assert choice.trial == 2
    assert "of 400 images not seen" in choice.sentence


def test_of_tags_the_best_is_taken_and_none_are_pooled():
    tags = np.stack([LABELS, 1 - LABELS], axis=1)
    trials = [tag_trial("first", tags, noisy(0.6, 0)[:, None]), tag_trial("second", tags, 0.95)]
    choice = choose(trials, None, seed=0)
    assert (choice.trial, choice.pool) == (1, None)
    assert "second all tags of 400 right, log loss 0.051" in choice.sentence
    assert "a share of photos with all tags right of 1.000" in choice.sentence
    apart = [tag_trial(str(seed), tags, noisy(0.7, seed)[:, None]) for seed in (1, 2)]
    assert choose(apart, None, seed=0).pool is None
    assert choose(trials[:1], None, seed=0).sentence.startswith("first: all tags of ")
