"""What sections on tags are made from."""

import dataclasses

import numpy as np
import pytest

from fieldguide.metrics.intervals import Interval


def test_curves_have_the_average_precision_of_the_evaluation(tagged):
    np.testing.assert_array_equal(tagged.curves.average_precision, tagged.evaluation.average_precision.values)
    assert tagged.curves.auroc.shape == (4,)


def test_missed_and_wrong_are_what_is_known_to_be_so(tagged):
    out = tagged.outcomes
    np.testing.assert_array_equal(tagged.missed | tagged.wrong, (out.shown != out.given) & out.known)
    assert not (tagged.missed & tagged.wrong).any()


def test_names_of_a_photo(tagged):
    assert tagged.true_tags(0) == "dog"
    assert tagged.true_tags(7) == "ant, bee and cow"
    assert tagged.true_tags(8) == "no tag"


@pytest.mark.parametrize(("low", "better"), [(0.1, True), (0.9, False)])
def test_flattered_where_training_promised_less(tagged, low, better):
    card = {**tagged.card, "metrics": {"map": {"value": low, "low": low, "high": low + 0.05}}}
    made = dataclasses.replace(tagged, card=card)
    assert made.promised == Interval(low, low, low + 0.05)
    assert made.flattered is better


def test_a_card_without_figures_promises_nothing(tagged):
    made = dataclasses.replace(tagged, card={**tagged.card, "metrics": {}})
    assert made.promised is None and not made.flattered
