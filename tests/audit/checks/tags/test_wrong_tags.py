"""Tags that are probably wrong."""

from audit_evidence import rows_of


def test_a_wrong_tag_is_named(bench):
    bench.tags[8] = ["cow"]
    bench.chances[8, "cow"] = 0.02
    found = bench.check("FG027")
    assert rows_of(found) == {8}
    assert found.items[0].note == "'cow' was given and is unlikely (0.02)"
    assert bench.check("FG026") is None


def test_a_doubt_is_not_enough(bench):
    bench.tags[8] = ["cow"]
    bench.chances[8, "cow"] = 0.3
    assert bench.check("FG027") is None


def test_what_would_mend_it_takes_the_tag_away(bench):
    bench.tags[0] = ["ant"]
    bench.chances[0, "ant"] = 0.03
    (item,) = bench.check("FG027").items
    assert [(fix.label, fix.corrected, fix.action) for fix in item.fixes] == [("ant", "", "remove")]
