"""Groups in two splits."""

from audit_evidence import N, rows_of


def test_fg007_names_groups_on_both_sides(bench):
    bench.split()
    bench.groups = ["" for _ in range(N)]
    bench.groups[0] = bench.groups[3] = bench.groups[12] = "patient 7"
    bench.groups[1] = bench.groups[4] = "patient 8"
    found = bench.check("FG007")
    assert rows_of(found) == {0, 3, 12}
    assert "'patient 7' is in train and test" in found.items[0].note


def test_fg007_needs_groups_and_splits(bench):
    assert bench.check("FG007").reason == "DATA names no groups"
    bench.groups = ["a"] * N
    assert bench.check("FG007").reason == "DATA has no splits"
