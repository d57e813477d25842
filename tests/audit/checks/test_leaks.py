"""The same photo in two splits."""

from audit_evidence import actions_of, rows_of


def test_fg006_drops_the_copy_that_is_learned_from(bench):
    bench.split()
    bench.copy(0, of=12), bench.resemble(4, of=13)
    found = bench.check("FG006")
    assert rows_of(found) == {0, 12, 4, 13}
    assert actions_of(found) == {(0, "drop", ""), (4, "drop", "")}
    assert "1 the same file, 1 nearly the same photo" in found.message


def test_fg006_sees_a_near_duplicate_of_a_copy(bench):
    bench.split()
    bench.copy(13, of=12), bench.resemble(0, of=12)  # only one of the equal ones is compared closely
    assert rows_of(bench.check("FG006")) == {0, 12, 13}
