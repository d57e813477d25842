"""What is decided by the clock and by evidence: once, in words, and not where a person decides."""

import time

import numpy as np
import pytest
import torch

from fieldguide.recipes.common import Options
from fieldguide.recipes.finetune import decision, recipe
from fieldguide.recipes.finetune.course import Course, Prices
from fieldguide.recipes.finetune.decision import Decision, decided_by_clock, unusual
from fieldguide.recipes.finetune.evidence import DepthEvidence, TransferEvidence
from fieldguide.recipes.finetune.presets import PRESETS, preset_of
from fieldguide.recipes.finetune.start import network_of, probe_of, with_own_statistics
from fieldguide.recipes.finetune.statistics import StatisticsDistance, statistics_of
from fieldguide.recipes.finetune.trial import EVEN, GENTLE, DecidedRates, RatesTrial
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.recipes.networks.images import gather
from fieldguide.training.augment.pipeline import Augmentation

PRICES = Prices(1e-6, lambda side: 1e-6, 1e-6)
DEPTH = DepthEvidence(48, ("a", "b", "c"), (0.5, 0.6, 0.8), (1.2, 1.0, 0.5))
ALIKE = TransferEvidence(DEPTH, StatisticsDistance(48, 9, 0.1, 1.2, 0.05))
UNLIKE = TransferEvidence(DEPTH, StatisticsDistance(48, 9, 0.9, 4.0, 0.9))


@pytest.fixture
def trial(dataset, given, monkeypatch):
    monkeypatch.setattr(decision, "measured", lambda *networks: PRICES)
    options, run = given()
    preset = preset_of(dataset, options)
    backbone, _ = recipe._backbone(preset, options, run)
    images = gather(dataset, backbone.preprocessing, options, run)
    start = probe_of(dataset, images, backbone, options, run)
    return RatesTrial(images, start, preset, Augmentation(), 0)


@pytest.fixture
def decide(trial, given, monkeypatch):
    """Decides where evidence was found and, if anything is tried, the rates are these: `decide(…)`."""

    def made(found, tried=None, share=0.0, **settings):
        asked = {"rates": [], "statistics": []}
        monkeypatch.setattr(decision, "evidence_of", lambda *given: found)
        monkeypatch.setattr(
            RatesTrial,
            "decide",
            lambda self, *given: asked["rates"].append(given) or DecidedRates(tried, "tried"),
        )
        monkeypatch.setattr(
            decision, "_statistics", lambda *given: asked["statistics"].append(given) or (share, "compared")
        )
        _, run = given()
        budget = TimeBudget(10.0, time.perf_counter(), asked=True)
        return decided_by_clock(trial, budget, Options(settings=settings), run), asked

    return made


def test_where_size_and_evidence_agree_nothing_is_tried(decide):
    found, asked = decide(ALIKE)
    assert asked == {"rates": [], "statistics": []}
    assert (found.rates, found.batch_norm, found.unusual) == (GENTLE, 0.0, ())
    assert found.sentences[:2] == ALIKE.sentences()
    assert "layer_decay=0.9 head_rate=0.3 as usual" in found.sentences[2]
    assert found.by_hand() == "--set layers=1"


def test_where_they_do_not_agree_rates_are_tried_in_a_share_of_the_minutes(decide):
    found, asked = decide(UNLIKE, EVEN)
    assert found.rates == EVEN
    assert found.by_hand() == "--set layers=1 --set layer_decay=1 --set head_rate=1"
    assert found.sentences[2:] == ("compared", "tried")
    ((course, prices, seconds, _),) = asked["rates"]
    assert course.layers == 1 and prices is PRICES
    assert seconds == pytest.approx(600 * decision.FOR_RATES)
    ((_, _, seconds, _),) = asked["statistics"]
    assert seconds == pytest.approx(600 * decision.FOR_STATISTICS)


def test_all_trials_together_take_at_most_a_seventh_of_the_minutes():
    assert decision.FOR_EVIDENCE + decision.FOR_STATISTICS + decision.FOR_RATES <= 0.15


def test_small_photos_like_those_it_knows_are_tried_with_early_layers_slower(trial, decide, monkeypatch):
    object.__setattr__(trial, "preset", EVEN.into(trial.preset))
    found, asked = decide(ALIKE, GENTLE)
    assert found.rates == GENTLE and len(asked["rates"]) == 1
    assert found.by_hand() == "--set layers=1 --set layer_decay=0.9 --set head_rate=0.3"
    assert decide(UNLIKE)[1]["rates"] == []


def test_where_statistics_help_the_time_of_a_new_probe_is_set_aside(decide, monkeypatch):
    monkeypatch.setattr(decision, "seconds_after", lambda *given: 0.0)
    plain, _ = decide(UNLIKE, GENTLE)
    moved, _ = decide(UNLIKE, GENTLE, share=0.5)
    assert moved.batch_norm == 0.5 and moved.by_hand() == "--set layers=1 --set batch_norm=0.5"
    assert moved.into(PRESETS["fast"]).batch_norm == 0.5
    monkeypatch.setattr(decision, "measured", lambda *networks: Prices(1.0, lambda side: 1e-6, 1e-6))
    slow, _ = decide(UNLIKE, GENTLE, share=0.5)
    assert plain.seconds - slow.seconds == pytest.approx(48, abs=2)


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"layer_decay": 1.0}, {"rates": 0, "statistics": 1}),
        ({"batch_norm": 0.0}, {"rates": 1, "statistics": 0}),
        ({"head_rate": 1.0, "batch_norm": 0.0}, {"rates": 0, "statistics": 0}),
    ],
)
def test_what_a_person_gave_is_not_tried(decide, settings, left):
    _, asked = decide(UNLIKE, GENTLE, **settings)
    assert {name: len(given) for name, given in asked.items()} == left


def test_where_a_person_gave_all_of_it_nothing_is_looked_at(decide):
    found, asked = decide(UNLIKE, layer_decay=0.9, head_rate=0.3, batch_norm=0.0)
    assert found.sentences == () and asked == {"rates": [], "statistics": []}


def test_without_evidence_all_is_as_usual(decide):
    found, asked = decide(TransferEvidence(None, None))
    assert (found.rates, found.sentences) == (GENTLE, ()) and asked["rates"] == []


def test_what_was_kept_as_json_is_read_back(decide):
    found = Decision(Course(1.0, 0, 3, 7, ((0.6, 160),)), 12.5, EVEN, 0.5, ("a", "b"), ("layer_decay=1",))
    assert Decision.kept(found.as_json()) == found


@pytest.mark.parametrize(("gain", "share"), [(0.3, decision.OWN), (-0.3, 0.0), (0.0, 0.0)])
def test_statistics_are_moved_where_a_head_is_surely_better_with_them(trial, monkeypatch, gain, share):
    monkeypatch.setattr(decision, "FEWEST_COMPARED", 20)
    losses = iter([np.tile([1.0, 1.2], 20), np.full(40, 1.1 - gain)])
    monkeypatch.setattr(decision, "judged", lambda *given: (next(losses), None))
    found, sentence = decision._statistics(trial, PRICES, 60.0, 0)
    assert found == share
    assert (
        f"batch_norm={share:g}" in sentence and "of 1.100 with those that the network came with" in sentence
    )


def test_statistics_are_compared_on_the_same_photos(trial, monkeypatch):
    monkeypatch.setattr(decision, "FEWEST_COMPARED", 20)
    seen, real = [], decision.judged

    def judged(table, rows, *rest):
        seen.append((table.labels[rows].tolist(), table.folds[rows].tolist()))
        return real(table, rows, *rest)

    monkeypatch.setattr(decision, "judged", judged)
    _, sentence = decision._statistics(trial, PRICES, 60.0, 0)
    assert seen[0] == seen[1]
    assert f"on {len(trial.images.learn)} photos that it had not seen" in sentence


def test_without_time_statistics_are_not_compared(trial):
    found, sentence = decision._statistics(trial, PRICES, 1e-9, 0)
    assert found == 0.0 and "not compared" in sentence


@pytest.mark.parametrize("layers", [1.0, 0.3])
def test_a_network_on_the_photos_own_statistics_begins_at_a_probe_of_these(trial, layers):
    start = with_own_statistics(trial.start, trial.images, 0.5, seed=0)
    way = decision.hyperparameters_of(trial.images, trial.augmentation, 16, trial.preset)
    usual, moved = network_of(trial.start, layers, way), network_of(start, layers, way)
    before, after = statistics_of(usual.body.tapped.network), statistics_of(moved.body.tapped.network)
    assert any(not torch.equal(before[name][0], after[name][0]) for name in before)
    pixels = torch.from_numpy(trial.images.table.images[trial.images.learn])
    with torch.no_grad():
        scores = moved.linear((moved.body.tapped(pixels)[0] - moved.mean) / moved.deviation)
    head = start.probe.head
    expected = start.table.vectors.astype(np.float64) @ head.weights + head.bias
    np.testing.assert_allclose(scores.numpy(), expected, atol=2e-3 * np.abs(expected).max())
    assert not np.allclose(start.table.vectors, trial.start.table.vectors)
    assert with_own_statistics(trial.start, trial.images, 0.0, seed=0) is trial.start


def test_only_what_is_not_the_presets_own_is_repeated():
    preset = PRESETS["balanced"]
    assert unusual(preset, GENTLE, 0.0) == ()
    assert unusual(EVEN.into(preset), EVEN, 0.25) == ("batch_norm=0.25",)


def test_of_tags_nothing_is_tried(tagged, given):
    """Evidence is told; neither rates nor statistics are compared by single labels that there are not."""
    options, run = given(minutes=1)
    settings = {name: value for name, value in options.settings.items() if name != "epochs"}
    timed = Options(options.backbone, settings=settings)
    fitted = recipe.fit(tagged, timed, run)
    told = "\n".join(fitted.choices)
    assert "evidence by batch normalisation: over " in told and "at most" in told
    assert "evidence by depth" not in told and "trial: " not in told
