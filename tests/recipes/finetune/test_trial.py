"""A short trial of two settings: who judges, what is sure, and what it may take."""

import time

import numpy as np
import pytest

from fieldguide.recipes.finetune import recipe, trial
from fieldguide.recipes.finetune.course import Course, Prices
from fieldguide.recipes.finetune.presets import preset_of
from fieldguide.recipes.finetune.start import probe_of
from fieldguide.recipes.finetune.trial import EVEN, GENTLE, Rates, RatesTrial
from fieldguide.recipes.networks.images import gather
from fieldguide.training.augment.pipeline import Augmentation

CHEAP = Prices(1e-6, lambda side: 1e-6, 1e-6)
WHOLE = Course(1.0, 0, 4)


@pytest.fixture
def made(dataset, given, monkeypatch):
    """A trial on 60 painted photos, of which a tenth judge."""
    monkeypatch.setattr(trial, "FEWEST_JUDGES", 5)
    monkeypatch.setattr(trial, "FEWEST_STEPS", 2)
    options, run = given()
    preset = preset_of(dataset, options)
    backbone, _ = recipe._backbone(preset, options, run)
    images = gather(dataset, backbone.preprocessing, options, run)
    start = probe_of(dataset, images, backbone, options, run)
    return RatesTrial(images, start, preset, Augmentation(), 0)


@pytest.fixture
def losses(monkeypatch):
    """Log losses that each setting ends with, instead of learning; and which were asked for."""
    found = {}

    def of(self, part, rates, much, progress):
        found.setdefault("asked", []).append((rates, *much))
        return found[rates]

    monkeypatch.setattr(RatesTrial, "_losses", of)
    return found


def test_both_settings_learn_the_same_steps_from_photos_that_do_not_judge(made, monkeypatch):
    seen, real = [], trial.train_network

    def train(task, plan, watch):
        seen.append((task, plan))
        return real(task, plan, watch=watch)

    monkeypatch.setattr(trial, "train_network", train)
    stages = []
    decided = made.decide(WHOLE, CHEAP, 60.0, lambda *stage: stages.append(stage))
    (first, plan), (second, other) = seen
    assert plan == other and plan.steps_per_epoch >= 2
    assert {group["lr"] for group in first.optimizer.param_groups} != {
        group["lr"] for group in second.optimizer.param_groups
    }
    assert decided.sentence.startswith("trial: ")
    assert "layer_decay=0.9 head_rate=0.3 as usual and layer_decay=1 head_rate=1 end in" in decided.sentence
    assert {stage for stage, *_ in stages} == {"trial"}
    assert decided == made.decide(WHOLE, CHEAP, 60.0, lambda *stage: None), "chance decides nothing"


def test_who_judges_was_neither_learned_from_nor_decides_later(made):
    part = made._part()
    images, table = part.images, made.start.table
    assert not set(images.held) & set(images.learn)
    assert not set(images.held) & set(made.images.held)
    assert set(images.held) | set(images.learn) <= set(made.images.learn)
    place = {row: number for number, row in enumerate(made.images.learn.tolist())}
    sides = [{int(table.folds[place[row]]) for row in rows.tolist()} for rows in (images.learn, images.held)]
    assert not sides[0] & sides[1], "folds keep look-alikes together"
    heads = [start.probe.head.weights for start in (part.start, made.start)]
    assert not np.array_equal(*heads), "the head has not seen who judges"
    assert len(part.start.table.labels) == len(images.learn)


def test_classes_that_only_judges_show_are_left_out(made, monkeypatch):
    monkeypatch.setattr(trial, "FEWEST_JUDGES", 1)
    labels = made.start.table.labels.copy()
    labels[made.start.table.folds == 0] = np.where(
        np.arange((made.start.table.folds == 0).sum()) < 2, 2, labels[made.start.table.folds == 0]
    )
    labels[(made.start.table.folds != 0) & (labels == 2)] = 1
    object.__setattr__(made.start.table, "labels", labels)
    made.images.numbers[made.images.learn] = labels
    part = made._part()
    assert part.images.classes == made.images.classes[:2]
    assert set(part.images.numbers[part.images.held]) <= {0, 1}


@pytest.mark.parametrize(("gain", "taken"), [(0.5, EVEN), (-0.5, GENTLE), (0.0, GENTLE)])
def test_the_other_setting_is_taken_where_it_is_surely_better(made, losses, gain, taken):
    noise = np.tile([-0.2, 0.2], 5)
    losses[GENTLE], losses[EVEN] = np.full(10, 1.0) + noise, np.full(10, 1.0 - gain)
    decided = made.decide(WHOLE, CHEAP, 60.0, lambda *stage: None)
    assert decided.rates == taken
    assert decided.sentence.endswith(f": {taken.said()}")
    assert [asked[0] for asked in losses["asked"]] == [GENTLE, EVEN]


def test_a_gain_within_its_error_decides_nothing(made, losses):
    losses[GENTLE], losses[EVEN] = 1.0 + np.tile([-1.0, 1.2], 5), np.full(10, 1.0)
    assert made.decide(WHOLE, CHEAP, 60.0, lambda *stage: None).rates == GENTLE


def test_steps_follow_from_the_time_and_side_from_the_course(made, losses):
    losses[GENTLE] = losses[EVEN] = np.arange(10.0)
    batch = made._plan(made._part(), 1).batch_size
    slow = Prices(0.0, lambda side: 1.0 / batch, 1.0)
    made.decide(Course(1.0, 0, 4, stages=((0.6, 48), (1.0, 56))), slow, 6.5, lambda *stage: None)
    assert losses["asked"][0][1:] == (3, 48)


@pytest.mark.parametrize(
    ("course", "seconds", "why"),
    [
        (WHOLE, 1e-9, "2 steps of two settings take more than the 0 s they may"),
        (Course(0.4, 2, 4), 60.0, "only the last layers learn"),
    ],
)
def test_without_time_nothing_is_tried(made, losses, course, seconds, why):
    decided = made.decide(course, CHEAP, seconds, lambda *stage: None)
    assert decided.rates == GENTLE and why in decided.sentence
    assert "asked" not in losses


def test_with_few_judges_nothing_is_tried(made, losses, monkeypatch):
    monkeypatch.setattr(trial, "FEWEST_JUDGES", 50)
    assert "too few photos could judge it" in made.decide(WHOLE, CHEAP, 60.0, lambda *stage: None).sentence


def test_a_trial_that_takes_much_longer_than_foreseen_is_broken_off(made, losses, monkeypatch):
    losses[GENTLE], losses[EVEN] = np.full(10, 1.0), np.zeros(10)
    times = iter([0.0, 40.0])
    monkeypatch.setattr(trial.time, "perf_counter", lambda: next(times))
    decided = made.decide(WHOLE, CHEAP, 50.0, lambda *stage: None)
    monkeypatch.setattr(trial.time, "perf_counter", time.monotonic)
    assert decided.rates == GENTLE and "broken off" in decided.sentence
    assert len(losses["asked"]) == 1


def test_rates_go_into_a_preset_and_come_from_it(made):
    changed = Rates(0.5, 0.25).into(made.preset)
    assert Rates.of(changed) == Rates(0.5, 0.25)
    assert Rates.of(made.preset) == GENTLE
