"""Nearly the same photo within a class."""

from audit_evidence import actions_of, rows_of


def test_fg004_groups_what_is_nearly_the_same(bench):
    bench.resemble(3, of=0), bench.copy(9, of=6)
    found = bench.check("FG004")
    assert rows_of(found) == {0, 3}
    assert actions_of(found) == set()
