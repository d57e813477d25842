"""Parts that keep the share of every tag, with groups together."""

import numpy as np
import pytest

from fieldguide.data.tagged.stratification import held_out_tags, stratified_parts
from fieldguide.tasks.tags import Tags, indicators, names_of


@pytest.fixture
def tags():
    chance = np.random.default_rng(0)
    rates = (0.5, 0.3, 0.1, 0.03)
    return [
        Tags.of(f"t{tag}" for tag, rate in enumerate(rates) if chance.random() < rate) for _ in range(900)
    ]


def shares(tags, parts, part):
    shown = indicators(tags, names_of(tags)) == 1
    return shown[parts == part].mean(0)


def test_every_tag_keeps_its_share_better_than_by_chance(tags):
    whole = (indicators(tags, names_of(tags)) == 1).mean(0)
    parts = stratified_parts(tags, np.arange(900), (0.2,) * 5, seed=1)
    random = np.random.default_rng(1).permutation(np.arange(900) % 5)
    assert np.ptp(np.bincount(parts)) <= 12
    assert max(np.abs(shares(tags, parts, part) - whole).max() for part in range(5)) < 0.01
    assert max(np.abs(shares(tags, random, part) - whole).max() for part in range(5)) > 0.03


def test_groups_stay_together(tags):
    groups = np.arange(900) // 3
    parts = stratified_parts(tags, groups, (0.7, 0.3), seed=0)
    assert (parts[::3] == parts[1::3]).all()
    assert (parts[::3] == parts[2::3]).all()
    assert abs((parts == 1).mean() - 0.3) < 0.02


def test_a_tag_of_one_group_goes_to_the_larger_part():
    tags = [Tags(("rare",))] * 4 + [Tags(("usual",))] * 40
    groups = np.array([0] * 4 + list(range(1, 41)))
    assert stratified_parts(tags, groups, (0.8, 0.2), seed=0)[:4].tolist() == [0] * 4


def test_photos_without_tags_are_dealt_as_well():
    parts = stratified_parts([Tags()] * 10 + [Tags(("a",))] * 10, np.arange(20), (0.5, 0.5), seed=3)
    assert np.bincount(parts[:10]).tolist() == [5, 5]


def test_the_same_seed_deals_the_same(tags):
    first, again, other = (stratified_parts(tags, np.arange(900), (0.5, 0.5), seed) for seed in (4, 4, 5))
    assert (first == again).all()
    assert (first != other).any()


def test_no_tag_is_held_out_altogether():
    """Dealt as they come, the one group of two tags would be held out."""
    groups = np.array([1, 1, 2, 1, 0, 1])
    names = [("b", "d"), ("a", "d"), ("c", "e"), ("a", "c", "d"), ("d",), ("d",)]
    tags = [Tags(one) for one in names]
    assert stratified_parts(tags, groups, (0.6, 0.4), 0)[2] == 1
    held = held_out_tags(tags, groups, 0.4, 0)
    assert {name for one, out in zip(names, held, strict=True) if not out for name in one} == set("abcde")


def test_some_of_every_frequent_tag_are_held_out():
    chance = np.random.default_rng(0)
    tags = [Tags(tuple(name for name in "abc" if chance.random() < 0.3)) for _ in range(200)]
    held = held_out_tags(tags, np.arange(200), 0.2, 0)
    for name in "abc":
        shown = np.array([name in one.present for one in tags])
        assert held[shown].mean() == pytest.approx(0.2, abs=0.03)
