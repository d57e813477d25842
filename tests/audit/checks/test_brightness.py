"""Images much darker or brighter than the others."""

import pytest

from audit_evidence import rows_of


@pytest.mark.parametrize("odd", [{"brightness": 0.05}, {"brightness": 0.98}])
def test_fg013_finds_the_one_that_is_odd(odd, bench):
    bench.vary()
    assert bench.check("FG013") is None
    bench.set_fact(17, **odd)
    assert rows_of(bench.check("FG013")) == {17}


def test_fg013_names_the_furthest_first_and_the_usual(bench):
    bench.set_fact(3, brightness=0.9)
    bench.set_fact(8, brightness=0.02)
    found = bench.check("FG013")
    assert [item.note for item in found.items] == ["brightness 0.02", "brightness 0.90"]
    assert "2 images" in found.message and "(brightness 0.50 of 1)" in found.message


def test_fg013_lets_pass_what_is_a_little_darker(bench):
    bench.set_fact(3, brightness=0.31)
    assert bench.check("FG013") is None
