"""Thresholds of tags for a stated precision."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta

from fieldguide.errors import OptionError
from fieldguide.heads.stated_precision import (
    NEVER,
    check_precision,
    precision_summary,
    precision_thresholds,
)


def drawn(count, tags, seed):
    rng = np.random.default_rng(seed)
    probabilities = expit(rng.normal(-1.5, 2.2, (count, tags)))
    return probabilities, (rng.random(probabilities.shape) < probabilities).astype(np.int8)


def least_by_hand(probabilities, tags, precision):
    """Every threshold tried in turn, with the interval from the beta distribution."""
    best = NEVER
    known = tags != -1
    for threshold in np.unique(probabilities[known]):
        given = known & (probabilities >= threshold)
        hits = int((tags[given] == 1).sum())
        low = 0.0 if not hits else beta.ppf(0.025, hits, given.sum() - hits + 1)
        if low >= precision:
            return threshold
    return best


@pytest.mark.parametrize("precision", [0.5, 0.8, 0.9])
def test_it_is_the_least_threshold_whose_interval_lies_above(precision):
    probabilities, tags = drawn(400, 4, 0)
    probabilities = probabilities.round(2)  # with many that are equal
    tags[:50, 1] = -1
    found = precision_thresholds(probabilities, tags, precision)
    for tag in range(4):
        expected = least_by_hand(probabilities[:, tag], tags[:, tag], precision)
        given = probabilities[:, tag] >= found[tag]
        np.testing.assert_array_equal(given, probabilities[:, tag] >= expected)


def test_new_photos_keep_what_was_stated():
    probabilities, tags = drawn(1000, 40, 1)
    new, truth = drawn(20_000, 40, 2)
    thresholds = precision_thresholds(probabilities, tags, 0.8)
    given = new >= thresholds
    reached = thresholds < NEVER
    precision = (given & (truth == 1)).sum(0)[reached] / given.sum(0)[reached]
    assert reached.sum() > 30
    assert (precision < 0.8).mean() <= 0.1
    assert precision.min() > 0.7


def test_a_tag_that_no_photo_has_or_that_is_not_known_is_never_given():
    probabilities = np.linspace(0, 1, 50)[:, None].repeat(2, 1)
    tags = np.zeros((50, 2), np.int8)
    tags[:, 1] = -1
    assert precision_thresholds(probabilities, tags, 0.5).tolist() == [NEVER, NEVER]


@pytest.mark.parametrize("precision", [0, 1, -0.1, 90, float("nan"), "0.9"])
def test_what_is_no_precision_is_refused(precision):
    with pytest.raises(OptionError, match="precision: must be more than 0 and less than 1, got"):
        check_precision(precision)


def test_the_sentence_says_which_tags_are_never_given():
    names = ("ant", "bee", "cow")
    said = precision_summary(np.array([0.4, NEVER, 0.7]), names, 0.9)
    assert "from probabilities of 0.40 to 0.70 on" in said and "precision of 90%" in said
    assert "never given" in said and "1 of 3 ('bee')" in said
    assert "never given" not in precision_summary(np.array([0.4, 0.5, 0.7]), names, 0.9)
    assert precision_summary(np.ones(3), names, 0.9).startswith("tags given: none")
    assert precision_summary(np.ones(3), names, 0.999).endswith("a precision of 99.9%")
