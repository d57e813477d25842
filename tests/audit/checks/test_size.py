"""Images much smaller or larger than the others."""

import pytest

from audit_evidence import rows_of


@pytest.mark.parametrize("odd", [{"width": 40, "height": 30}, {"width": 4000, "height": 3000}])
def test_fg011_finds_the_one_that_is_odd(odd, bench):
    bench.vary()
    assert bench.check("FG011") is None
    bench.set_fact(17, **odd)
    assert rows_of(bench.check("FG011")) == {17}


def test_fg011_says_how_large_it_is_and_what_is_usual(bench):
    bench.set_fact(17, width=40, height=30)
    found = bench.check("FG011")
    assert found.items[0].note == "40 x 30 pixels"
    assert "usual here (about 346 x 346)" in found.message


def test_fg011_calls_half_the_side_unusual_but_not_half_the_pixels(bench):
    bench.set_fact(17, width=283, height=212)
    assert bench.check("FG011") is None
    bench.set_fact(17, width=199, height=149)
    assert rows_of(bench.check("FG011")) == {17}
