"""The same photo under two labels: which label is kept, and when nothing is dropped."""

import pytest

from audit_evidence import BY_CODE, actions_of, rows_of


def test_fg005_keeps_the_label_that_other_photos_speak_for(bench):
    bench.copy(1, of=0)
    evidence = bench.evidence()
    evidence.held_out.probabilities[[0, 1]] = (0.2, 0.7, 0.1)
    found = BY_CODE["FG005"].check(evidence)
    assert actions_of(found) == {(0, "drop", "")}
    assert "'ant' and 'bee'" in found.items[0].note


def test_fg005_drops_all_where_nothing_can_tell(bench):
    bench.copy(1, of=0)
    bench.held_out = None
    assert actions_of(bench.check("FG005")) == {(0, "drop", ""), (1, "drop", "")}


def test_fg005_names_near_duplicates_but_drops_none_where_no_label_is_clear(bench):
    bench.resemble(1, of=0)
    found = bench.check("FG005")
    assert (rows_of(found), actions_of(found)) == ({0, 1}, set())
    assert "1 nearly the same photo" in found.message
    bench.held_out = None
    assert actions_of(bench.check("FG005")) == set()


@pytest.mark.parametrize(("bee", "expected"), [(0.95, {(0, "drop", "")}), (0.88, set())])
def test_fg005_drops_a_near_duplicate_where_the_label_is_clear(bench, bee, expected):
    bench.resemble(1, of=0)
    evidence = bench.evidence()
    evidence.held_out.probabilities[[0, 1]] = (1 - bee, bee, 0)
    found = BY_CODE["FG005"].check(evidence)
    assert actions_of(found) == expected
