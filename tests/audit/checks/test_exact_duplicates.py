"""Copies within a class."""

from audit_evidence import actions_of, rows_of
from fieldguide.audit.checks.common import Found


def test_fg003_drops_all_copies_but_the_first(bench):
    bench.copy(3, of=0), bench.copy(6, of=0), bench.copy(7, of=4)
    found = bench.check("FG003")
    assert rows_of(found) == {0, 3, 6, 4, 7}
    assert actions_of(found) == {(3, "drop", ""), (6, "drop", ""), (7, "drop", "")}
    assert found.message.startswith("3 copies of 2 images")


def test_fg003_leaves_copies_under_two_labels_and_in_two_splits_to_others(bench):
    bench.copy(1, of=0)
    bench.split()
    bench.copy(12, of=3)
    assert (bench.splits[3], bench.splits[12]) == ("train", "test")
    assert bench.check("FG003") is None
    assert rows_of(bench.check("FG005")) == {0, 1}
    assert rows_of(bench.check("FG006")) == {3, 12}


def test_a_finding_counts_its_images_unless_told_otherwise(bench):
    bench.copy(3, of=0)
    found = bench.check("FG003")
    assert isinstance(found, Found)
    assert found.count is None
