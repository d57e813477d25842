"""Photos of tags on a plane."""

import numpy as np

from fieldguide.report.tagged import map as tag_map
from fieldguide.report.tagged.map import OTHER, RARER, groups_of, section
from report_made import blocks
from tag_report_made import with_answers


def test_what_is_right_has_the_same_number_twice(tagged):
    groups = groups_of(tagged)
    np.testing.assert_array_equal(groups.truth == groups.answers, tagged.outcomes.all_right())
    assert [groups.names[number] for number in groups.truth[:4]] == ["dog", "ant", "bee", "ant and bee"]


def test_rare_combinations_share_a_group_and_their_mistakes_are_still_seen(tagged, monkeypatch):
    monkeypatch.setattr(tag_map, "MOST_GROUPS", 2)
    groups = groups_of(tagged)
    assert groups.names[2:] == (RARER, OTHER)
    assert (groups.truth == 2).any()
    np.testing.assert_array_equal(groups.truth == groups.answers, tagged.outcomes.all_right())


def test_combinations_whose_names_are_cut_alike_are_mistakes_still(tagged, monkeypatch):
    monkeypatch.setattr("fieldguide.report.tagged.material.MOST_NAMES", 1)
    given = tagged.outcomes.shown.copy()
    given[3] = (True, False, True, False)  # ant and cow, and not ant and bee
    made = with_answers(tagged, given=given)
    groups = groups_of(made)
    assert made.true_tags(3) == made.given_tags(3) == "ant and 1 more"
    assert np.flatnonzero(groups.truth != groups.answers).tolist() == [3]


def test_the_map_has_every_photo_of_the_sample(tagged):
    (made,) = blocks(section(tagged), "point_map")
    assert len(made.points) == 120
    assert made.called[0] == "combination of tags"
    assert {point.group for point in made.points} <= set(range(len(made.groups)))
